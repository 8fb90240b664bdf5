"""Athena projects (.prj), read and written by Larch."""

import gzip
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import OutputError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.larch import need_larch, quiet
from cgxas.spectra.io.scan import Scan, listed
from cgxas.writing import atomic_path

_GZIP = b"\x1f\x8b"
_RECORD = b"\n$old_group"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def is_athena(path: Path) -> bool:
    """Tell whether a file is an Athena project, plain or gzipped."""
    from larch.io import is_athena_project

    with quiet():
        return bool(is_athena_project(str(path)))


def read_athena_file(path: Path, group: str | None = None) -> Scan:
    """Read one group of an Athena project.

    The shift that was set in Athena is kept beside the energies, which stay those of the file.

    Args:
        path: the project.
        group: name of the group, as Athena shows it; not needed if there is only one.

    Raises:
        UnreadableSpectrum: it is damaged, or the group holds no mu(E).
        UnclearSpectrum: there is no such group, several and none was chosen, or several of one
            name.
    """
    groups = _groups(path)
    if group is None and len(groups) > 1:
        raise UnclearSpectrum(
            f"{path.name} holds {len(groups)} groups: {listed(list(groups))}; "
            "choose one with --group (in compare: FILE:GROUP)."
        )
    found = next(iter(groups.values())) if group is None else groups.get(group)
    if found is None:
        raise UnclearSpectrum(
            f"{path.name} has no group {group!r}: it holds {listed(list(groups))}."
        )
    label = next(name for name, each in groups.items() if each is found)
    if not hasattr(found, "energy") or not hasattr(found, "mu"):
        raise UnreadableSpectrum(f"{path.name}: group {label!r} holds no mu(E).")
    parameters = found.athena_params
    is_normalised = _flag(parameters, "is_nor") or _flag(parameters, "is_xmudat")
    return Scan(
        np.array(found.energy, dtype=np.float64),
        np.array(found.mu, dtype=np.float64),
        "normalised" if is_normalised else "mu",
        "Athena project",
        path.name,
        label,
        element=str(getattr(found, "atsym", "") or ""),
        edge=str(getattr(found, "edge", "") or "").upper(),
        energy_shift=_float(getattr(parameters.bkg, "eshift", 0.0)),
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
            f"{path.name} is a damaged Athena project: save it again in Athena."
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


def write_athena_file(path: Path, groups: Sequence[Any]) -> None:
    """Write an Athena project.

    Args:
        path: the project; an existing one is replaced.
        groups: Larch groups with energy, mu, e0, edge_step, filename (the name Athena shows),
            and, where known, atsym, edge, energy_shift, pre_edge_details.

    Raises:
        MissingExtra: Larch is not installed.
        OutputError: it cannot be written there, or there are no groups.
    """
    need_larch()
    from larch.io import create_athena

    if not groups:
        raise OutputError("An Athena project needs at least one spectrum.")
    project = create_athena()
    taken: set[str] = set()
    with quiet():
        for n, group in enumerate(groups):
            # Larch draws the key at random; the same spectra are to give the same project.
            group.id = "cg" + "".join(_LETTERS[n // 26**k % 26] for k in (2, 1, 0))
            group.filename = _safe(group.filename) or f"spectrum {n + 1}"
            if _key(group.filename) in taken:
                group.filename += f" ({n + 1})"
            taken.add(_key(group.filename))
            project.add_group(group)
    with atomic_path(path) as temporary, quiet():
        project.save(str(temporary))


def _safe(name: str) -> str:
    """Return a name without what ends a text in a project."""
    return re.sub(r"[^\w .,:()+\-\[\]]", "_", " ".join(name.split()))


def _key(name: str) -> str:
    """Return what Larch tells groups apart by."""
    return re.sub(r"\W", "_", name).lower()


def _flag(parameters: Any, name: str) -> bool:
    return _float(getattr(parameters, name, 0)) != 0


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
