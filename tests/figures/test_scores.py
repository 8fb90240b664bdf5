import numpy as np
import pytest

from cgxas.evaluation.tested import TestedSpectra
from cgxas.figures import plot_element_pcc, plot_examples, plot_rse_histogram
from cgxas.figures.scores import plot_example


def answered(n: int) -> TestedSpectra:
    energy = np.tile(np.linspace(7100.0, 7155.0, 100), (n, 1))
    target = 0.5 + np.arctan(energy - 7115) / np.pi
    target[:, 70:] = np.nan
    return TestedSpectra(
        key=np.array([f"set/spectrum-{k}" for k in range(n)]),
        element=np.resize(["Fe", "O", "Ni"], n),
        fidelity=np.full(n, "FEFF9"),
        formula=np.full(n, "Fe2O3"),
        energy=energy,
        target=target,
        predicted=np.nan_to_num(target, nan=1.0) + 0.05,
        rse=np.arange(n) / 1000.0,
        pcc=np.ones(n),
        half_step_error=np.zeros(n),
    )


def test_every_error_falls_into_a_logarithmic_bin():
    rse = np.geomspace(1e-4, 1.0, 200)
    ax = plot_rse_histogram(rse)
    assert sum(bar.get_height() for bar in ax.patches) == 200
    ratios = [(bar.get_x() + bar.get_width()) / bar.get_x() for bar in ax.patches]
    np.testing.assert_allclose(ratios, ratios[0])
    assert ax.get_xscale() == "log"


def test_mean_and_median_are_marked():
    rse = np.array([0.001, 0.002, 0.003, 0.01, 0.084])
    ax = plot_rse_histogram(rse)
    marks = {line.get_label(): line.get_xdata()[0] for line in ax.lines}
    assert marks == {"mean 0.0200": pytest.approx(0.02), "median 0.0030": 0.003}
    assert ax.get_legend().get_title().get_text() == "5 spectra"


@pytest.mark.parametrize("rse", [[0.0, 0.1], [0.02], [0.0], [0.02, 0.02]])
def test_perfect_single_and_equal_errors_have_a_histogram(rse):
    ax = plot_rse_histogram(np.array(rse))
    assert sum(bar.get_height() for bar in ax.patches) == len(rse)


def titles(figure) -> list[str]:
    return [ax.get_title() for ax in figure.axes if ax.get_title()]


def test_examples_stand_at_their_quantiles_and_differ_in_element():
    figure = plot_examples(answered(201))
    assert len(figure.axes) == 12
    errors = np.array([float(t.split("RSE ")[1].split("\n")[0]) for t in titles(figure)])
    np.testing.assert_allclose(
        errors.reshape(3, 4), np.tile([0.02, 0.1, 0.18, 0.198], (3, 1)), atol=0.005
    )
    first = [title.split(", ")[1] for title in titles(figure)[::4]]
    assert sorted(first) == ["Fe K", "Ni K", "O K"]
    heads = [ax.texts[0].get_text() for ax in figure.axes[:4]]
    assert heads[0] == "low error (10% are below)"
    assert heads[3] == "very high error (99% are below)"


def test_few_spectra_leave_panels_empty():
    figure = plot_examples(answered(2))
    assert len(titles(figure)) == 8
    assert len(titles(plot_examples(answered(1)))) == 4


def test_target_is_black_and_ends_where_it_was_computed():
    ax = plot_examples(answered(1)).axes[0]
    target, predicted = ax.lines
    assert (target.get_color(), target.get_label()) == ("black", "target")
    assert np.isfinite(target.get_ydata()).sum() == 70
    assert np.isfinite(predicted.get_ydata()).all()
    assert ax.get_title() == "Fe₂O₃, Fe K, FEFF9, RSE 0\nset/spectrum-0"


def test_negative_values_are_not_cut_off_and_long_names_are_shortened():
    from dataclasses import replace

    from matplotlib.figure import Figure

    low = replace(answered(1), key=np.array(["a" * 30 + "b" * 30]))
    low.target[0, 3] = -0.2
    ax = plot_example(low, 0, Figure().add_subplot())
    assert ax.get_ylim()[0] == pytest.approx(-0.2)
    assert ax.get_title().endswith("\n" + "a" * 19 + "…" + "b" * 19)


def test_correlations_stand_side_by_side_by_atomic_number():
    ax = plot_element_pcc({"Uni": {"Zn": 0.9, "O": 0.8}, "Spec": {"O": 0.7}})
    assert [text.get_text() for text in ax.get_xticklabels()] == ["O", "Zn"]
    uni, spec = ax.lines
    np.testing.assert_array_equal(uni.get_ydata(), [0.9, 0.8])
    np.testing.assert_allclose(uni.get_xdata(), [0.89, -0.11])
    np.testing.assert_allclose(spec.get_xdata(), [0.11])
    assert uni.get_color() != spec.get_color()
    assert uni.get_marker() != spec.get_marker()
    assert ax.get_ylabel() == "PCC"
    low, high = ax.get_ylim()
    assert 0.6 < low < 0.7
    assert high == 1
