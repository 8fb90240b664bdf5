"""How spectra and comparisons show themselves in a notebook, without a server."""

import base64
import io
from html import escape
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure

from cgxas.figures.measured import plot_comparison
from cgxas.figures.spectra import plot_spectrum
from cgxas.figures.style import STYLE

if TYPE_CHECKING:
    from cgxas.spectra.compare import Comparison
    from cgxas.spectra.spectrum import Spectrum

_DPI = 144
_CELL = "style='text-align:left'"


def spectrum_html(spectrum: "Spectrum") -> str:
    """Return a spectrum as HTML: its figure, and a table of what is told of it.

    Args:
        spectrum: predicted or measured.
    """
    half = spectrum.half_step_or_none()
    e0 = spectrum.e0_or_none()
    trust = spectrum.trust
    rows = {
        "source": spectrum.source,
        "model": spectrum.model,
        "E0": "" if e0 is None else f"{e0:.2f} eV",
        "half step": "" if half is None else f"{half:.2f} eV",
        "distinct sites": str(len(spectrum.sites)) if spectrum.sites else "",
        "disorder": spectrum.disorder,
        "trust": "" if trust is None else ", ".join(filter(None, [trust.text, trust.reason])),
        "expected RSE": ""
        if trust is None or trust.expected_rse is None
        else f"{trust.expected_rse:.4f}",
    }
    with rc_context(STYLE):
        figure = plot_spectrum(spectrum).figure
        return _html(figure, spectrum.label, rows)  # type: ignore[arg-type]


def comparison_html(found: "Comparison") -> str:
    """Return a comparison as HTML: its figure, and how far the curves are apart.

    Args:
        found: of a predicted and a measured spectrum.
    """
    before, after = found.before, found.after
    label = f"{found.predicted.label} beside {found.measured.source}"
    rows = {
        "RSE": f"{before.rse:.4f}, after shift and broadening {after.rse:.4f}",
        "correlation": f"{before.pcc:.4f}, after them {after.pcc:.4f}",
        "half step difference": f"{before.half_step_error:+.2f} eV, after them "
        f"{after.half_step_error:+.2f} eV",
        "shift": f"{after.shift:+.2f} eV",
        "broadening": f"Gaussian {after.gaussian:.2f} eV, Lorentzian {after.lorentzian:.2f} eV",
    }
    with rc_context(STYLE):
        return _html(plot_comparison(before, after, label), label, rows)


def _html(figure: Figure, label: str, rows: dict[str, str]) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    width = round(float(figure.get_figwidth()) * _DPI / 1.5)
    cells = "".join(
        f"<tr><th {_CELL}>{escape(name)}</th><td {_CELL}>{escape(text)}</td></tr>"
        for name, text in rows.items()
        if text
    )
    return (
        f"<div><img alt='{escape(label, quote=True)}' width='{width}' "
        f"src='data:image/png;base64,{data}'><table>{cells}</table></div>"
    )
