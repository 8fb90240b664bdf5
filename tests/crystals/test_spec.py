import pytest

from cgxas.crystals.spec import GraphSpec
from cgxas.errors import ConfigError


def test_the_usual_graph_is_that_of_the_paper_in_the_canonical_cell():
    spec = GraphSpec()
    assert (spec.cutoff, spec.neighbours, spec.cell, spec.symprec) == (8.0, 12, "canonical", 0.01)
    assert GraphSpec.from_dict({"cutoff": 6, "cell": "as_given"}) == GraphSpec(6.0, cell="as_given")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"cutoff": 0.5}, "model.graph.cutoff = 0.5; it must be a finite number from 1 to 16"),
        ({"cutoff": 17}, "model.graph.cutoff = 17; it must be"),
        (
            {"neighbours": -1},
            "model.graph.neighbours = -1; it must be a whole number from 0 to 256",
        ),
        ({"neighbours": 257}, "model.graph.neighbours = 257; it must be"),
        ({"cell": "niggli"}, "model.graph.cell = 'niggli'; it must be canonical, as_given"),
        ({"symprec": 0}, "model.graph.symprec = 0; it must be a finite number from 1e-05 to 0.5"),
        ({"symprec": 1.0}, "model.graph.symprec = 1.0; it must be"),
        ({"radius": 8}, "there is no key 'radius' in [model.graph]; there are cutoff, neighbours"),
    ],
)
def test_other_graphs_are_refused(values, sentence):
    with pytest.raises(ConfigError) as refused:
        GraphSpec.from_dict(values)
    assert sentence in str(refused.value)
