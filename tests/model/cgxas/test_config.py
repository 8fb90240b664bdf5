import pytest

from cgxas.crystals.spec import GraphSpec
from cgxas.errors import ConfigError
from cgxas.model.cgxas.config import PAPER, REFERENCE, CGXASConfig


def test_presets_differ_as_told():
    assert (PAPER.hidden, PAPER.n_modules, PAPER.n_head_layers, PAPER.n_outputs) == (256, 5, 5, 100)
    assert (PAPER.head_activation, PAPER.dropout) == ("silu", 0.0)
    assert (REFERENCE.head_activation, REFERENCE.dropout) == ("elu", 0.3)
    assert PAPER.n_waves == REFERENCE.n_waves == 64


def test_plain_values_and_back():
    config = CGXASConfig(hidden=8, wave_numbers=0, graph=GraphSpec(cell="as_given"))
    assert CGXASConfig.from_dict(config.to_dict()) == config
    assert config.n_waves == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden": 0}, "hidden = 0"),
        ({"hidden": 2.5}, r"hidden = 2\.5"),
        ({"hidden": "8"}, "hidden = '8'"),
        ({"n_modules": -1}, "n_modules = -1"),
        ({"n_outputs": 10**9}, "n_outputs"),
        ({"wave_numbers": 17}, "wave_numbers = 17"),
        ({"dropout": 1.0}, r"dropout = 1\.0"),
        ({"dropout": -0.1}, "dropout"),
        ({"head_activation": "relu"}, "must be elu or silu"),
        ({"graph": {"cell": "niggli"}}, "must be canonical, as_given or equivalents"),
        ({"fidelities": ["FEFF9", "FEFF9"]}, "a list of at most 256 different names, such as"),
        ({"width": 8}, r"no key 'width' in \[model\]; there are "),
    ],
)
def test_impossible_values_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        CGXASConfig.from_dict(values)


def test_theories_are_counted_in_their_order():
    config = CGXASConfig.from_dict({"fidelities": ["FEFF10", "VASP"]})
    assert config.fidelities == ("FEFF10", "VASP")
    assert config == CGXASConfig(fidelities=("FEFF10", "VASP"))
    assert [config.fidelity_index(name) for name in config.fidelities] == [0, 1]
    with pytest.raises(ConfigError, match="no fidelity 'FEFF9'; the model knows FEFF10, VASP"):
        config.fidelity_index("FEFF9")
    with pytest.raises(ConfigError, match="no fidelity 'FEFF9'; the model knows none"):
        PAPER.fidelity_index("FEFF9")
