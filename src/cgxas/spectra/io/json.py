"""JSON as cgxas writes it: every number of a spectrum, and of its distinct sites, exactly."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import SpectrumError, UnreadableSpectrum
from cgxas.jsonfile import parsed_bytes
from cgxas.limits import POINTS
from cgxas.reading import read_bounded
from cgxas.spectra.curve import checked_curve
from cgxas.spectra.io.base import Choice, Curve, Format
from cgxas.spectra.io.facts import columns, distinct_sites, edges, facts, program, told_trust
from cgxas.spectra.io.scan import AS_GIVEN, KINDS, Scan, listed
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.typing import FloatArray

_SHOWN = 60


def _read(path: Path, choice: Choice) -> Scan:
    data = parsed_bytes(read_bounded(path, UnreadableSpectrum), path.name, UnreadableSpectrum)
    if not isinstance(data, dict):
        raise _foreign(path)
    kind = _text(data, "kind", path) or "simulated"
    if kind not in KINDS:
        raise UnreadableSpectrum(
            f"{path.name} states a kind of spectrum that there is not, {kind[:_SHOWN]!r}: correct "
            f"it to one of {listed(KINDS)}."
        )
    # Version 0.1.0 knew no kinds, wrote predictions only, and called norm mu.
    name = "norm" if kind in AS_GIVEN and "norm" in data else "mu"
    label = _text(data, "formula", path) or _text(data, "label", path)
    element, edge = (_text(data, each, path) for each in ("absorber", "edge"))
    (shift,) = _numbers([data.get("energy_shift", 0.0)], path)
    if not np.isfinite(shift):
        raise _foreign(path)
    energy, mu = (_numbers(data.get(each), path) for each in ("energy", name))
    try:
        energy, mu = checked_curve(energy, mu)
    except SpectrumError as error:
        raise UnreadableSpectrum(f"{path.name}: {error}") from error
    return Scan(
        energy,
        mu,
        kind,
        FORMAT.name,
        path.name,
        label,
        element,
        edge,
        float(shift),
        edge_guess=_text(data, "edge_guess", path),
        trust=told_trust(data, path.name),
    )


def _text(data: dict[str, Any], name: str, path: Path) -> str:
    found = data.get(name) or ""
    if not isinstance(found, str):
        raise _foreign(path)
    return found


def _numbers(values: Any, path: Path) -> FloatArray:
    """Return a list of plain numbers; text that looks like one, true and null are none."""
    if not isinstance(values, list) or not all(type(each) in (int, float) for each in values):
        raise _foreign(path)
    POINTS.refuse_beyond(len(values), f"{path.name} holds", UnreadableSpectrum)
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError as error:  # a whole number beyond any float
        raise _foreign(path) from error


def _foreign(path: Path) -> UnreadableSpectrum:
    return UnreadableSpectrum(
        f"{path.name} is no spectrum that cgxas wrote: write it again with -o."
    )


def _write(path: Path, curve: Curve, sites: bool) -> None:
    """Write the curve and all its distinct sites, whether asked for or not."""
    data: dict[str, Any] = {"program": program(), **facts(curve)}
    if isinstance(curve, Spectrum):
        data |= {"white_line": _white_line(curve), "sigma": None}
    data |= {name: values.tolist() for name, values in columns(curve).items()}
    if isinstance(curve, Spectrum):
        data["sites"] = [_site(each) for each in distinct_sites(curve)]
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def _site(site: SiteSpectrum) -> dict[str, Any]:
    return {
        "sites": list(site.sites),
        "multiplicity": site.multiplicity,
        "occupancy": site.occupancy,
        **edges(site),
        "white_line": _white_line(site),
        "norm": site.norm.tolist(),
    }


def _white_line(curve: Spectrum | SiteSpectrum) -> dict[str, float] | None:
    with suppress(SpectrumError):  # there is no edge above which it could be
        energy, height = curve.white_line
        return {"energy": energy, "height": height}
    return None


FORMAT = Format(
    name="JSON",
    suffixes=(".json",),
    recognises=lambda path, head: path.suffix.lower() == ".json" or head.lstrip()[:1] == b"{",
    read=_read,
    write_one=_write,
)
