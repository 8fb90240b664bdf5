"""cgxas compare: a prediction beside a measurement."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cgxas.cli.messages import one_line, say

if TYPE_CHECKING:
    from cgxas.spectra.compare import Overlay

FIT = "fit"

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


def compare(
    predicted: Predicted,
    measured: Measured,
    absorber: Annotated[
        str | None,
        typer.Option("--absorber", "-a", help="Absorber; that of the measured file otherwise."),
    ] = None,
    shift: Annotated[
        str, typer.Option("--shift", metavar="fit|EV", help="Added to the predicted energies.")
    ] = FIT,
    broaden: Annotated[
        str,
        typer.Option("--broaden", metavar="fit|EV", help="Gaussian, full width at half maximum."),
    ] = FIT,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="NAME|PATH", help="What predicts a crystal.")
    ] = "universal",
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FIG", help="Draw them: .png, .svg or .pdf.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--json", metavar="OUT.json", help="Write all figures there.")
    ] = None,
) -> None:
    """Tell how far a predicted spectrum is from a measured one, before and after a rigid shift.

    E0 is found by one rule on both curves. With --broaden fit a Gaussian is fitted, with and
    without the Lorentzian of the core hole, which simulations mostly hold already. The energy
    shift of the measured file is added to its energies here.
    """
    from cgxas.spectra.compare import Curves
    from cgxas.spectra.io.read import read_spectrum
    from cgxas.spectra.xray import core_hole_width

    _check(output, plot)
    fixed_shift, fixed_width = _number(shift, "--shift"), _number(broaden, "--broaden")
    path, group = _file_and_group(measured)
    found = read_spectrum(path, absorber, group)
    energy, mu = _prediction(*_file_and_group(predicted), found.element, model)
    curves = Curves(energy, mu, found.energy + found.energy_shift, found.norm)
    hole = core_hole_width(found.element, found.edge)
    before = curves.overlay()
    after = curves.best(fixed_shift, fixed_width, (0.0, hole) if fixed_width is None else (0.0,))
    told = f"{Path(predicted).name} / {Path(measured).name}, {found.element} {found.edge}"
    if output:
        _write(output, {"predicted": predicted, "measured": measured}, before, after)
    if plot:
        _draw(plot, before, after, told)
    typer.echo(one_line(f"{told}: {_line(before, after)}"))
    if written := [str(path) for path in (output, plot) if path]:
        say(f"wrote {', '.join(written)}")


def _check(output: Path | None, plot: Path | None) -> None:
    """Refuse, before any work, what cannot be written."""
    from cgxas.figures.style import FIGURE_SUFFIXES
    from cgxas.spectra.io.write import check_output

    if output:
        check_output(output, (".json",))
    if plot:
        check_output(plot, FIGURE_SUFFIXES)


def _draw(path: Path, before: "Overlay", after: "Overlay", title: str) -> None:
    from cgxas.figures.measured import plot_comparison
    from cgxas.figures.style import write_figure

    write_figure(lambda: plot_comparison(before, after, title), path)


def _file_and_group(text: str) -> tuple[Path, str | None]:
    """Return the parts of FILE:GROUP; a file whose own name holds a colon is a file."""
    words = text.split(":")
    for n in range(len(words), 0, -1):
        path = Path(":".join(words[:n]))
        if path.is_file():
            return path, ":".join(words[n:]) or None
    return Path(text), None


def _number(text: str, option: str) -> float | None:
    if text == FIT:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1000.0 or (option == "--broaden" and value < 0):
        raise typer.BadParameter(f"{option} is 'fit' or a number of eV, not {text!r}")
    return value


def _prediction(path: Path, group: str | None, element: str, model: str) -> Any:
    """Return energies and mu of a spectrum in a file, or of a crystal."""
    from cgxas.spectra.io.read import is_spectrum_file, read_prediction

    if is_spectrum_file(path):
        return read_prediction(path, element, group)
    from cgxas.predict import load

    spectrum = load(model).predict(path, element)
    return spectrum.energy, spectrum.norm


def _line(before: "Overlay", after: "Overlay") -> str:
    words = [f"shift {after.shift:+.2f} eV"]
    if after.gaussian:
        words.append(f"Gaussian {after.gaussian:.2f} eV")
    if after.lorentzian:
        words.append(f"Lorentzian {after.lorentzian:.2f} eV")
    return (
        f"RSE {before.rse:.4f} -> {after.rse:.4f}; PCC {before.pcc:.4f} -> {after.pcc:.4f}; "
        f"E0 difference {before.e0_error:+.2f} -> {after.e0_error:+.2f} eV; {', '.join(words)}"
    )


def _write(path: Path, about: dict[str, str], before: "Overlay", after: "Overlay") -> None:
    from cgxas.writing import atomic_path

    def numbers(overlay: "Overlay") -> dict[str, object]:
        e0 = overlay.e0_error
        return {
            "rse": overlay.rse,
            "pcc": overlay.pcc,
            "e0_error": e0 if math.isfinite(e0) else None,
            "shift": overlay.shift,
            "gaussian_fwhm": overlay.gaussian,
            "lorentzian_fwhm": overlay.lorentzian,
            "energy": overlay.energy.tolist(),
            "measured": overlay.measured.tolist(),
            "predicted": overlay.predicted.tolist(),
        }

    text = json.dumps({**about, "before": numbers(before), "after": numbers(after)}, indent=1)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
