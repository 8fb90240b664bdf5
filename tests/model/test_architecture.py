"""Networks by name. What else an architecture must be, tests/calibration/test_plug.py shows."""

import pytest
import torch

from cgxas.crystals.spec import GraphSpec
from cgxas.errors import ConfigError
from cgxas.model import architecture as room
from cgxas.model.architecture import (
    Architecture,
    ArchitectureSettings,
    architecture,
    architectures,
    build,
    register,
)
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS


def test_networks_by_name():
    assert architectures() == ("cgxas", "smooth")
    assert architecture("cgxas") is CGXAS
    for name in ("magic", None, 7, ["cgxas"]):
        with pytest.raises(ConfigError, match=r"no architecture .*; there are cgxas"):
            architecture(name)


def test_a_network_of_another_package_is_known_by_its_home(monkeypatch):
    monkeypatch.setattr(room, "_HOMES", dict(room._HOMES))
    register("mine", "cgxas.model.cgxas.network:CGXAS")
    assert architectures() == ("cgxas", "smooth", "mine")
    assert architecture("mine") is CGXAS


def test_settings_are_those_of_the_network_they_name():
    plain = {"hidden": 8, "graph": {"cutoff": 6.0}, "fidelities": ["FEFF9"]}
    expected = CGXASConfig(hidden=8, graph=GraphSpec(cutoff=6.0), fidelities=("FEFF9",))
    for values in (plain, {**plain, "architecture": "cgxas"}):
        assert ArchitectureSettings.from_dict(values) == expected
    with pytest.raises(ConfigError, match="there is no architecture 'magic'"):
        ArchitectureSettings.from_dict({**plain, "architecture": "magic"})


def test_an_untrained_network_is_built_of_its_settings():
    config = CGXASConfig(hidden=8, n_modules=1, n_head_layers=1)
    network = build(config)
    assert isinstance(network, CGXAS)
    assert network.config is config
    assert network.vector_size == 8


def test_the_whole_is_the_head_of_what_was_embedded(network, batch):
    vectors = network.embed(batch)
    assert torch.equal(network(batch), network.head(vectors))
    wanted = torch.tensor([3, 0])
    torch.testing.assert_close(network(batch, wanted), network.head(vectors[wanted]))


def test_a_network_is_more_than_its_base():
    with pytest.raises(TypeError, match="embed"):
        Architecture(ArchitectureSettings())
    settings = ArchitectureSettings(architecture="mine")
    assert settings.facts == {"network": "mine"}
    assert settings.sees == "fractional"
    assert ArchitectureSettings(graph=GraphSpec(per_orbit=True)).sees == "distance"
    assert ArchitectureSettings(graph=GraphSpec(neighbours=0)).sees == "vector"
    assert Architecture.references == ()
