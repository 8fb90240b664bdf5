"""What is told of a curve in its file, whatever the format."""

from collections.abc import Mapping
from importlib.metadata import version

from cgxas.errors import SpectrumError, UnreadableSpectrum
from cgxas.spectra.io.base import Curve
from cgxas.spectra.io.scan import AS_GIVEN
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.spectra.trust import Trust
from cgxas.typing import FloatArray


def program() -> str:
    """Return what writes the file: ``cgxas/0.2.0``."""
    return f"cgxas/{version('cgxas')}"


def facts(curve: Curve) -> dict[str, str | float | None]:
    """Return what is known of a curve, by the names it has in JSON and in ``Cgxas.`` of XDI.

    Energies are in eV, ``edge_step`` is in units of mu. ``kind`` is that of `Scan`: a curve that
    a model computed is "simulated", any other without raw data "normalised".
    """
    if isinstance(curve, Measurement):
        return {
            "label": curve.label,
            "absorber": curve.element,
            "edge": curve.edge,
            "edge_source": curve.edge_source,
            "edge_guess": curve.edge_guess,
            "kind": curve.kind,
            "source": curve.source,
            **edges(curve),
            "edge_step": curve.edge_step,
            "energy_shift": curve.energy_shift,
            **_fits(curve),
            **_trust(curve),
        }
    return {
        "formula": curve.formula,
        "absorber": curve.absorber,
        "edge": curve.edge,
        "kind": "simulated" if curve.model else "normalised",
        "model": curve.model,
        "source": curve.source,
        **({"disorder": curve.disorder} if curve.disorder else {}),
        **edges(curve),
        **_trust(curve),
    }


def told_trust(told: Mapping[str, object], source: str) -> Trust | None:
    """Return the trust in an answer that a file tells; None if it tells none.

    Args:
        told: what the file tells, by the names of `facts`; others may be among them.
        source: name of the file.

    Raises:
        UnreadableSpectrum: what it tells is no trust.
    """
    try:
        return Trust.of_facts(told)
    except SpectrumError as error:
        raise UnreadableSpectrum(f"{source}: {error} Write it again with -o.") from error


def _trust(curve: Curve) -> dict[str, str | float | None]:
    return {} if curve.trust is None else curve.trust.facts


def edges(curve: Curve | SiteSpectrum) -> dict[str, float | None]:
    """Return e0 and half_step in eV; None for a curve without an edge, still worth writing."""
    return {"e0": curve.e0_or_none(), "half_step": curve.half_step_or_none()}


def _fits(measurement: Measurement) -> dict[str, str]:
    if measurement.ranges is None:
        return {}
    r = measurement.ranges
    return {
        "pre_edge": f"{r.pre1:.2f} to {r.pre2:.2f} eV, degree {r.npre}",
        "post_edge": f"{r.norm1:.2f} to {r.norm2:.2f} eV, degree {r.nnorm}",
    }


def columns(curve: Curve, sites: bool = False) -> dict[str, FloatArray]:
    """Return the columns of a curve by name, each (P,).

    They are ``energy`` in eV; ``mu``, raw, of a measurement that was normalised here; ``norm``;
    ``sigma`` where a model tells it; ``norm_<site>`` of the distinct sites where wanted.
    """
    if isinstance(curve, Measurement):
        raw = {} if curve.kind in AS_GIVEN else {"mu": curve.mu}
        return {"energy": curve.energy, **raw, "norm": curve.norm}
    band = {} if curve.sigma is None else {"sigma": curve.sigma}
    parts = {f"norm_{site.site}": site.norm for site in distinct_sites(curve, sites)}
    return {"energy": curve.energy, "norm": curve.norm, **band, **parts}


def distinct_sites(curve: Curve, wanted: bool = True) -> tuple[SiteSpectrum, ...]:
    """Return the distinct sites of a predicted curve if they are wanted."""
    return curve.sites if wanted and isinstance(curve, Spectrum) else ()
