"""Athena projects (.prj), read and written by Larch."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.atomic import atomic_path
from cgxas.errors import OutputError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.files.quiet import need_larch, quiet
from cgxas.spectra.files.scan import Scan

_SHOWN = 20
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
        UnclearSpectrum: there is no such group, or several and none was chosen.
    """
    groups = _groups(path)
    if group is None and len(groups) > 1:
        raise UnclearSpectrum(
            f"{path.name} holds {len(groups)} groups: {_listed(list(groups))}; "
            "choose one with --group."
        )
    found = next(iter(groups.values())) if group is None else groups.get(group)
    if found is None:
        raise UnclearSpectrum(
            f"{path.name} has no group {group!r}: it holds {_listed(list(groups))}."
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


def athena_groups(path: Path) -> tuple[str, ...]:
    """Return the names of the groups of a project, as Athena shows them.

    Raises:
        UnreadableSpectrum: it is damaged.
    """
    return tuple(_groups(path))


def _groups(path: Path) -> dict[str, Any]:
    from larch.io import read_athena

    try:
        with quiet():
            project = read_athena(str(path), do_preedge=False)
        groups = {str(getattr(g, "label", name)): g for name, g in project.groups.items()}
    except Exception as error:  # a damaged project fails anywhere in Larch, with any error
        raise UnreadableSpectrum(
            f"{path.name} is a damaged Athena project: save it again in Athena."
        ) from error
    if not groups:
        raise UnreadableSpectrum(f"{path.name} is an Athena project without groups.")
    return groups


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
    with quiet():
        for n, group in enumerate(groups):
            # Larch draws the key at random; the same spectra are to give the same project.
            group.id = "cg" + "".join(_LETTERS[n // 26**k % 26] for k in (2, 1, 0))
            group.filename = _safe(group.filename) or f"spectrum {n + 1}"
            project.add_group(group)
    with atomic_path(path) as temporary, quiet():
        project.save(str(temporary))


def _safe(name: str) -> str:
    """Return a name without what ends a text in a project."""
    return re.sub(r"[^\w .,:()+\-\[\]]", "_", " ".join(name.split()))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def _flag(parameters: Any, name: str) -> bool:
    return _float(getattr(parameters, name, 0)) != 0


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
