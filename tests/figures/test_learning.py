import numpy as np
from matplotlib.figure import Figure

from cgxas.figures import plot_learning
from cgxas.figures.learning import N_NAMED


def log(scale: float, epochs: int = 4) -> dict[str, np.ndarray]:
    epoch = np.arange(1.0, epochs + 1)
    return {"epoch": epoch, "train_loss": scale / epoch, "validation_rse": scale / epoch**2}


def entries(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_loss_is_dashed_and_validation_solid():
    ax = plot_learning({"first": log(1.0), "second": log(2.0)})
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    solid = [line for line in ax.lines if line.get_linestyle() == "-"]
    np.testing.assert_array_equal(dashed[1].get_ydata(), log(2.0)["train_loss"])
    np.testing.assert_array_equal(solid[0].get_ydata(), log(1.0)["validation_rse"])
    assert dashed[0].get_color() == solid[0].get_color() != solid[1].get_color()
    assert entries(ax) == ["training loss", "validation RSE", "first", "second"]
    assert ax.get_yscale() == "log"


def test_many_runs_are_thin_with_their_median():
    runs = {f"run {n}": log(float(n + 1)) for n in range(N_NAMED + 1)}
    ax = plot_learning(runs)
    thick = [line for line in ax.lines if line.get_linewidth() > 1]
    assert len(ax.lines) == 2 * len(runs) + 2
    np.testing.assert_allclose(thick[0].get_ydata(), log(4.0)["train_loss"])
    np.testing.assert_allclose(thick[1].get_ydata(), log(4.0)["validation_rse"])
    assert entries(ax) == ["training loss, median of 7 runs", "validation RSE, median of 7 runs"]


def test_the_median_counts_only_runs_that_reached_an_epoch():
    runs = {f"run {n}": log(float(n + 1), epochs=2 + (n == 6)) for n in range(7)}
    thick = [line for line in plot_learning(runs).lines if line.get_linewidth() > 1]
    np.testing.assert_allclose(thick[0].get_ydata(), [4.0, 2.0, 7 / 3])


def test_it_draws_into_the_callers_axes():
    ax = Figure().add_subplot()
    assert plot_learning({"a": log(1.0)}, ax) is ax
