"""cgxas compare: a prediction beside a measurement."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cgxas.cli.messages import one_line, say
from cgxas.cli.options import (
    Degrees,
    Edge,
    Energy,
    HowDisorder,
    Mu,
    OfScan,
    Predicts,
    PrePost,
    Seed,
    normalised_as,
)
from cgxas.errors import WrongEdge

if TYPE_CHECKING:
    from cgxas.crystals.disorder.order import Disorder
    from cgxas.spectra.compare import Comparison, Overlay
    from cgxas.spectra.measurement import Measurement
    from cgxas.spectra.spectrum import Spectrum

FIT = "fit"
ANSWERED = "K"
"""The edge that models answer with."""

Predicted = Annotated[
    str,
    typer.Argument(
        metavar="PREDICTED|CRYSTAL",
        help="A predicted spectrum (.csv, .json, .xdi, .prj:GROUP, xmu.dat), or a crystal to "
        "predict.",
    ),
]
Measured = Annotated[
    str,
    typer.Argument(
        metavar="MEASURED",
        help="A file that 'cgxas spectrum' reads; a group of it as FILE.prj:GROUP.",
    ),
]

Shift = Annotated[
    str, typer.Option("--shift", metavar="fit|EV", help="Added to the predicted energies.")
]
Broaden = Annotated[
    str,
    typer.Option("--broaden", metavar="fit|EV", help="Gaussian, full width at half maximum."),
]
Simulate = Annotated[
    str | None,
    typer.Option(
        "--simulate",
        metavar="quick|full",
        help="Simulate the crystal with FEFF10 besides, in minutes to hours.",
    ),
]


def compare(  # noqa: PLR0913, PLR0917  # words of the command line
    predicted: Predicted,
    measured: Measured,
    absorber: OfScan = None,
    edge: Edge = None,
    energy: Energy = None,
    mu: Mu = None,
    ranges: PrePost = None,
    degrees: Degrees = None,
    shift: Shift = FIT,
    broaden: Broaden = FIT,
    model: Predicts = "calibrated",
    simulate: Simulate = None,
    disorder: HowDisorder = "refuse",
    seed: Seed = 0,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FIG", help="Draw them: .png, .svg or .pdf.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="Write all figures there.")
    ] = None,
) -> None:
    """Tell how far a predicted spectrum is from a measured one, before and after a rigid shift.

    The edges are compared where half of the step is reached. With --broaden fit a Gaussian is
    fitted, with and without the Lorentzian of the core hole, which simulations mostly hold
    already. The energy shift of the measured file is added to its energies here.

    --simulate draws FEFF10's own spectrum of the crystal beside the two, shifted and broadened on
    its own, with a line and figures of its own.
    """
    from cgxas.crystals.disorder.order import Disorder
    from cgxas.spectra.compare import compare
    from cgxas.spectra.io.read import read_spectrum

    how = Disorder.of(disorder, seed)
    _check(output, plot)
    if simulate:
        _check_simulation(file_and_group(predicted)[0], simulate, disorder)
    wishes = _number(shift, "--shift"), _number(broaden, "--broaden")
    path, group = file_and_group(measured)
    read = read_spectrum(path, absorber, group, energy, mu, edge)
    other = normalised_as(read, ranges, degrees)
    prediction = _prediction(*file_and_group(predicted), other, model, how)
    found = compare(prediction, other, *wishes)
    simulation = _simulation(file_and_group(predicted)[0], other, simulate) if simulate else None
    beside = compare(simulation, other, *wishes) if simulation else None
    told = f"{Path(predicted).name} / {Path(measured).name}, {other.element} {other.edge}"
    if output:
        about = {"predicted": predicted, "measured": measured, "done": list(other.done)}
        _write(output, about, found, beside)
    if plot:
        _draw(plot, found, beside, told)
    _tell(told, found, beside)
    if written := [str(path) for path in (output, plot) if path]:
        say(f"wrote {', '.join(written)}")


def _tell(title: str, found: "Comparison", beside: "Comparison | None") -> None:
    """Say in a line each how far a prediction, and a simulation, are from what was measured."""
    measured = found.measured
    for each, name in ((found, ""), (beside, f", {beside.predicted.model}" if beside else "")):
        if each:
            typer.echo(one_line(f"{title}{name}: {_line(each.before, each.after)}"))
    if measured.edge_guess:
        say(f"the edge of {measured.source} is guessed: {measured.edge_guess}")


def _check(output: Path | None, plot: Path | None) -> None:
    """Refuse, before any work, what cannot be written."""
    from cgxas.figures.style import FIGURE_SUFFIXES
    from cgxas.spectra.io.write import check_output

    if output:
        check_output(output, (".json",))
    if plot:
        check_output(plot, FIGURE_SUFFIXES)


def _check_simulation(path: Path, preset: str, disorder: str) -> None:
    """Refuse, before any work, what cannot be simulated."""
    from cgxas.errors import MissingExtra
    from cgxas.simulation.presets import preset_of
    from cgxas.spectra.io.read import is_spectrum_file

    if is_spectrum_file(path):
        raise typer.BadParameter("--simulate needs a crystal, not a predicted spectrum")
    if disorder != "refuse":
        raise typer.BadParameter("--simulate takes ordered crystals only: leave out --disorder")
    preset_of(preset)
    MissingExtra.refuse_without("feff10", "feff10-rs", "feff")


def _draw(path: Path, found: "Comparison", beside: "Comparison | None", title: str) -> None:
    from cgxas.figures.measured import plot_comparison
    from cgxas.figures.style import write_figure

    model = found.predicted.model
    title = f"{title} ({model})" if model else title
    simulated = None if beside is None else (beside.predicted.model, beside.after)
    write_figure(lambda: plot_comparison(found.before, found.after, title, simulated), path)


def file_and_group(text: str) -> tuple[Path, str | None]:
    """Return the parts of FILE:GROUP; a file whose own name holds a colon is a file."""
    words = text.split(":")
    for n in range(len(words), 0, -1):
        path = Path(":".join(words[:n]))
        if path.is_file():
            return path, ":".join(words[n:]) or None
    return Path(text), None


def _number(text: str, option: str) -> 'float | Literal["fit"]':
    if text == FIT:
        return "fit"
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1000.0 or (option == "--broaden" and value < 0):
        raise typer.BadParameter(f"{option} is 'fit' or a number of eV, not {text!r}")
    return value


def _prediction(
    path: Path, group: str | None, other: "Measurement", model: str, disorder: "Disorder"
) -> "Spectrum":
    """Return a spectrum out of a file, or of a crystal, to stand beside a measured one."""
    from cgxas.spectra.io.read import is_spectrum_file, read_prediction
    from cgxas.spectra.spectrum import Spectrum

    if is_spectrum_file(path):
        energy, norm = read_prediction(path, other.element, group, other.edge)
        return Spectrum(energy, norm, other.element, other.edge, source=str(path))
    if other.edge != ANSWERED:
        raise WrongEdge(
            f"{other.source} is of {other.element} {other.edge}, and models answer with "
            f"{ANSWERED} edges only: compare a measured {ANSWERED} edge, or say with --absorber "
            "and --edge that it is one."
        )
    from cgxas.predict import load

    return load(model).predict(path, other.element, disorder=disorder)


def _simulation(path: Path, other: "Measurement", preset: str) -> "Spectrum":
    """Return what FEFF10 simulates for a crystal, to stand beside a measured spectrum."""
    from cgxas.cli.simulate import stages
    from cgxas.simulation import simulate

    if other.edge != ANSWERED:
        raise WrongEdge(f"only {ANSWERED} edges are simulated, and {other.source} is {other.edge}")
    with stages(other.element) as on_stage:
        return simulate(path, other.element, preset, on_stage=on_stage)


def _line(before: "Overlay", after: "Overlay") -> str:
    words = [f"shift {after.shift:+.2f} eV"]
    if after.gaussian:
        words.append(f"Gaussian {after.gaussian:.2f} eV")
    if after.lorentzian:
        words.append(f"Lorentzian {after.lorentzian:.2f} eV")
    return (
        f"RSE {before.rse:.4f} -> {after.rse:.4f}; PCC {before.pcc:.4f} -> {after.pcc:.4f}; "
        f"half step difference {before.half_step_error:+.2f} -> {after.half_step_error:+.2f} eV; "
        f"{', '.join(words)}"
    )


def _write(
    path: Path, about: Mapping[str, object], found: "Comparison", beside: "Comparison | None"
) -> None:
    from cgxas.writing import atomic_path

    def edges(curve: "Spectrum | Measurement") -> dict[str, float | None]:
        return {"e0": curve.e0_or_none(), "half_step": curve.half_step_or_none()}

    values = {
        **about,
        "flattened": found.flattened,
        "energy_shift": found.energy_shift,
        "core_hole": found.core_hole,
        **({} if found.predicted.trust is None else found.predicted.trust.facts),
        "predicted_edge": edges(found.predicted),
        "measured_edge": edges(found.measured),
        "absorber": found.measured.element,
        "edge": found.measured.edge,
        "edge_source": found.measured.edge_source,
        "edge_guess": found.measured.edge_guess,
        "before": _numbers(found.before),
        "after": _numbers(found.after),
    }
    if beside:
        values["simulated"] = {
            "model": beside.predicted.model,
            "edge": edges(beside.predicted),
            "before": _numbers(beside.before),
            "after": _numbers(beside.after),
        }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _numbers(overlay: "Overlay") -> dict[str, object]:
    error = overlay.half_step_error
    return {
        "rse": overlay.rse,
        "pcc": overlay.pcc,
        "half_step_error": error if math.isfinite(error) else None,
        "shift": overlay.shift,
        "gaussian_fwhm": overlay.gaussian,
        "lorentzian_fwhm": overlay.lorentzian,
        "energy": overlay.energy.tolist(),
        "measured": overlay.measured.tolist(),
        "predicted": overlay.predicted.tolist(),
    }
