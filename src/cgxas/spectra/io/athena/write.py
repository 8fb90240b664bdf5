"""Spectra into an Athena project, through Larch."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cgxas.errors import OutputError
from cgxas.spectra.io.base import Curve
from cgxas.spectra.io.facts import distinct_sites, facts
from cgxas.spectra.io.larch import import_larch, quiet
from cgxas.spectra.io.scan import AS_GIVEN
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_project(path: Path, curves: Iterable[Curve], sites: bool) -> None:
    """Write a group per curve, and one per distinct site after its mean if wanted."""
    import_larch()
    from larch.io import create_athena

    project = create_athena()
    taken: set[str] = set()
    with quiet():
        for n, (curve, name) in enumerate(_named(curves, sites)):
            group: Any = curve.to_larch()
            # Larch draws the key at random; the same spectra are to give the same project.
            group.id = "cg" + "".join(_LETTERS[n // 26**k % 26] for k in (2, 1, 0))
            group.filename = _safe(name) or f"spectrum {n + 1}"
            if _key(group.filename) in taken:
                group.filename += f" ({n + 1})"
            taken.add(_key(group.filename))
            if isinstance(curve, Spectrum):
                group.e0, group.edge_step, group.stddev = curve.e0, 1.0, curve.sigma
            project.add_group(group)
            project.groups[group.id].args |= _arguments(curve)
        if not taken:
            raise OutputError("An Athena project needs at least one spectrum.")
        project.save(str(path))


def _named(curves: Iterable[Curve], sites: bool) -> Iterator[tuple[Curve, str]]:
    """Yield what becomes a group, and its name in Athena."""
    for curve in curves:
        if isinstance(curve, Measurement):
            yield curve, curve.label or curve.source
            continue
        yield curve, curve.label
        for site in distinct_sites(curve, sites):
            alone = Spectrum(
                site.energy,
                site.norm,
                curve.absorber,
                curve.edge,
                formula=curve.formula,
                model=curve.model,
                source=curve.source,
            )
            yield alone, f"{curve.label}, site {site.site}"


def _arguments(curve: Curve) -> dict[str, str]:
    """Return what Larch does not write by itself."""
    told = facts(curve)
    words = [f"cgxas: kind {told['kind']}"]
    if told.get("model"):
        words.append(f"model {told['model']}")
    if told["half_step"] is not None:
        words.append(f"half_step {told['half_step']:.6f} eV")
    # The reason, in which commas may stand, is the last of them.
    words += [f"{name} {told[name]}" for name in told if name.startswith("trust") and told[name]]
    return {
        "annotation": _safe(", ".join(words)),
        "bkg_z": str(told["absorber"]),
        "fft_edge": str(told["edge"]).lower(),
        "is_nor": "1" if told["kind"] in AS_GIVEN else "0",
    }


def _safe(name: str) -> str:
    """Return a name without what ends a text in a project."""
    return re.sub(r"[^\w .,:()+\-\[\]]", "_", " ".join(name.split()))


def _key(name: str) -> str:
    """Return what Larch tells groups apart by."""
    return re.sub(r"\W", "_", name).lower()
