"""JSON as cgxas writes it: every number of a spectrum, and of its distinct sites, exactly."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import SpectrumError, UnreadableSpectrum
from cgxas.spectra.curve import checked_curve
from cgxas.spectra.io.base import Choice, Curve, Format
from cgxas.spectra.io.facts import columns, distinct_sites, edges, facts, program
from cgxas.spectra.io.scan import AS_GIVEN, KINDS, Scan, listed
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum


def _read(path: Path, choice: Choice) -> Scan:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        kind = str(data.get("kind", "simulated"))
        # Version 0.1.0 knew no kinds, wrote predictions only, and called norm mu.
        values = data["norm" if kind in AS_GIVEN and "norm" in data else "mu"]
        energy = np.array(data["energy"], dtype=np.float64)
        mu = np.array(values, dtype=np.float64)
        shift = float(data.get("energy_shift", 0.0))
        label = str(data.get("formula") or data.get("label") or "")
        element, edge = (str(data.get(name) or "") for name in ("absorber", "edge"))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UnreadableSpectrum(
            f"{path.name} is no spectrum that cgxas wrote: write it again with -o."
        ) from error
    if kind not in KINDS:
        raise UnreadableSpectrum(
            f"{path.name} states a kind of spectrum that there is not, {kind!r}: correct it to one "
            f"of {listed(KINDS)}."
        )
    energy, mu = checked_curve(energy, mu)
    return Scan(
        energy,
        mu,
        kind,
        FORMAT.name,
        path.name,
        label,
        element,
        edge,
        shift,
        edge_guess=str(data.get("edge_guess") or ""),
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
