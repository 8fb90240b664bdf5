import pytest

from cgxas.report.figures import report_figures
from cgxas.report.groups import grouped, in_order
from cgxas.report.maps import Maps, site_maps
from cgxas.training.folder import open_run


@pytest.fixture
def figures(finished_run):
    """The figures of runs laid down with these arguments, by name."""

    def make(*each, with_maps: bool = False):
        runs = in_order([open_run(finished_run(*words)) for words in each])
        groups = grouped(runs)
        maps = site_maps(groups, []) if with_maps else Maps()
        return {figure.name: figure for figure in report_figures(runs, groups, maps)}

    return make


def titles(drawn) -> list[str]:
    return [ax.get_title() or ax.get_title(loc="left") for ax in drawn.axes]


def test_one_run_has_all_figures(figures):
    found = figures(("uni",), with_maps=True)
    assert list(found) == ["learning", "errors", "examples", "elements", "sites", "oxygen"]
    for figure in found.values():
        assert figure.title
        assert figure.caption.endswith(".")
    assert "uni gives" in found["sites"].caption
    assert found["sites"].caption.endswith("18 sites.")
    assert found["oxygen"].draw().get_legend() is not None


def test_learning_curves_have_a_panel_per_kind(figures):
    found = figures(("u",), ("fe", "element", "Fe"), ("ni", "element", "Ni"))
    drawn = found["learning"].draw()
    assert titles(drawn) == ["Uni (1 run)", "Spec (2 runs)"]
    assert len(drawn.axes[1].lines) == 4


def test_errors_have_a_panel_per_group(figures):
    found = figures(("u",), ("s", "universal", None, "spectrum"), ("fe", "element", "Fe"))
    drawn = found["errors"].draw()
    assert titles(drawn) == [
        "Uni, split by formula",
        "Spec, split by formula",
        "Uni, split by spectrum",
    ]
    assert titles(figures(("other",))["errors"].draw()) == ["Uni"]


def test_splits_have_a_panel_each_in_the_correlations(figures):
    found = figures(
        ("u",), ("s", "universal", None, "spectrum"), ("fe", "element", "Fe", "formula", 0.2)
    )
    above, below = found["elements"].draw().axes
    assert [line.get_label() for line in above.lines] == ["Uni", "Spec"]
    assert [line.get_label() for line in below.lines] == ["Uni"]
    assert len(above.lines[1].get_ydata()) == 1
    assert titles(above.figure) == ["split by formula", "split by spectrum"]


def test_examples_are_of_every_universal_run_or_of_the_first_others(figures):
    found = figures(("u",), ("s", "universal", None, "spectrum"))
    assert [name for name in found if name.startswith("examples")] == ["examples_1", "examples_2"]
    assert found["examples_2"].title == "Examples: Uni, split by spectrum"
    alone = figures(("fe", "element", "Fe"), ("ft", "finetune", "Fe"))
    assert alone["examples"].title == "Examples: Spec"
    assert "Fe K" in alone["examples"].draw().axes[0].get_title()


def test_a_single_element_needs_no_figure_per_element(figures):
    assert "elements" not in figures(("fe", "element", "Fe"), ("ft", "finetune", "Fe"))
    assert "elements" in figures(("fe2", "element", "Fe"), ("ni", "element", "Ni"))


def test_runs_without_test_spectra_have_learning_curves_only(finished_run):
    runs = [open_run(finished_run("u"))]
    assert [figure.name for figure in report_figures(runs, [], Maps())] == ["learning"]
