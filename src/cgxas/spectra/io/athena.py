"""Athena projects: any number of spectra, each with how it was normalised; through Larch.

Athena has no field for the kind of a curve, its model and its half step: they stand in the
annotation of the group. A curve without raw data is marked as normalised.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import OutputError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.base import Choice, Curve, Format
from cgxas.spectra.io.facts import distinct_sites, facts
from cgxas.spectra.io.larch import need_larch, quiet
from cgxas.spectra.io.scan import AS_GIVEN, KINDS, Scan, listed
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum

_GZIP = b"\x1f\x8b"
_MAGIC = b"Athena project file -- "
_MAGIC_WITHIN = 500
_RECORD = b"\n$old_group"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_KIND = re.compile(r"cgxas: kind (\w+)")


def _recognises(path: Path, head: bytes) -> bool:
    if path.suffix.lower() in FORMAT.suffixes:
        return True
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, _MAGIC_WITHIN)
        except zlib.error:
            return False
    return _MAGIC in head[:_MAGIC_WITHIN]


def _read(path: Path, choice: Choice) -> Scan:
    """Read one group; the only one if none is chosen.

    The shift that was set in Athena is kept beside the energies, which stay those of the file.
    """
    need_larch()
    groups = _groups(path)
    if choice.group is None and len(groups) > 1:
        raise UnclearSpectrum(
            f"{path.name} holds {len(groups)} groups: {listed(list(groups))}; "
            "choose one with --group (in compare: FILE:GROUP)."
        )
    label = next(iter(groups)) if choice.group is None else choice.group
    if label not in groups:
        raise UnclearSpectrum(
            f"{path.name} has no group {label!r}: it holds {listed(list(groups))}."
        )
    found = groups[label]
    if not hasattr(found, "energy") or not hasattr(found, "mu"):
        raise UnreadableSpectrum(f"{path.name}: group {label!r} holds no mu(E).")
    return Scan(
        np.array(found.energy, dtype=np.float64),
        np.array(found.mu, dtype=np.float64),
        _kind(found.athena_params),
        FORMAT.name,
        path.name,
        label,
        element=str(getattr(found, "atsym", "") or ""),
        edge=str(getattr(found, "edge", "") or "").upper(),
        energy_shift=_float(getattr(found.athena_params.bkg, "eshift", 0.0)),
    )


def _groups(path: Path) -> dict[str, Any]:
    from larch.io import read_athena

    try:
        with quiet():
            project = read_athena(str(path), do_preedge=False)
        groups = {str(getattr(g, "label", name)): g for name, g in project.groups.items()}
        n_records = _unpacked(path).count(_RECORD)
    except Exception as error:  # a damaged project fails anywhere in Larch, with any error
        raise UnreadableSpectrum(
            f"{path.name} is a damaged Athena project, or none: save it again in Athena."
        ) from error
    if not groups:
        raise UnreadableSpectrum(f"{path.name} is an Athena project without groups.")
    if n_records > len(groups):  # Larch keeps the last of those whose letters and digits are equal
        raise UnclearSpectrum(
            f"{path.name} holds {n_records} groups, but only {len(groups)} names that differ in a "
            "letter or digit: rename them in Athena."
        )
    return groups


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(_GZIP) else data


def _kind(parameters: Any) -> str:
    told = _KIND.match(str(getattr(parameters, "annotation", "")))
    if told and told[1] in KINDS:
        return told[1]
    if _float(getattr(parameters, "is_xmudat", 0)):  # FEFF's xmu.dat
        return "simulated"
    return "normalised" if _float(getattr(parameters, "is_nor", 0)) else "mu"


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _write(path: Path, curves: Iterable[Curve], sites: bool) -> None:
    """Write a group per curve, and one per distinct site after its mean if wanted."""
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
    return {
        "annotation": _safe(", ".join(words)),
        "is_nor": "1" if told["kind"] in AS_GIVEN else "0",
    }


def _safe(name: str) -> str:
    """Return a name without what ends a text in a project."""
    return re.sub(r"[^\w .,:()+\-\[\]]", "_", " ".join(name.split()))


def _key(name: str) -> str:
    """Return what Larch tells groups apart by."""
    return re.sub(r"\W", "_", name).lower()


FORMAT = Format(
    name="Athena project",
    suffixes=(".prj",),
    recognises=_recognises,
    read=_read,
    write_many=_write,
    prepare=need_larch,
    has_groups=True,
)
