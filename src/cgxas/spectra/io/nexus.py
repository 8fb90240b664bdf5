"""NeXus files with NXxas entries, read by h5py; only read."""

from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.base import Choice, Format
from cgxas.spectra.io.columns import Columns, columns_of
from cgxas.spectra.io.larch import need_larch
from cgxas.spectra.io.scan import Scan, listed

_SUFFIXES = (".nxs", ".h5", ".hdf5")
_MAGIC = b"\x89HDF"
_PLACES = ("data", "instrument/monochromator", "instrument")
_ELEMENT = ("scan/xrayedge/element", "xrayedge/element", "element", "data/element")
_EDGE = ("scan/xrayedge/edge", "xrayedge/edge", "edge", "data/edge")
_MODE = ("data/mode", "mode", "scan/scan_mode")
_DIMENSION = 1


def _read(path: Path, choice: Choice) -> Scan:
    """Read one entry of a file; the only one if none is chosen."""
    need_larch()
    import h5py

    try:
        with h5py.File(path, "r") as root:
            name, entry = _entry(root, path, choice.group)
            columns = _columns(entry, path)
            about = [_text(entry, places) for places in (_ELEMENT, _EDGE, ("title",), _MODE)]
    except (OSError, KeyError, RuntimeError) as error:
        raise UnreadableSpectrum(f"{path.name} is a damaged HDF5 file: copy it again.") from error
    element, edge, title, mode = about
    columns = _absorbed(columns, mode)
    values, at, done = columns.energy(choice.energy)
    curve, kind, how = columns.mu(at, choice.mu)
    return Scan(
        values,
        curve,
        kind,
        FORMAT.name,
        path.name,
        title or name,
        element=element.capitalize(),
        edge=edge,
        done=(*done, *how),
    )


def _entry(root: Any, path: Path, wanted: str | None) -> tuple[str, Any]:
    entries = {
        name: each
        for name, each in root.items()
        if hasattr(each, "attrs") and hasattr(each, "items") and len(_columns(each, path).data) > 1
    }
    if wanted is not None and wanted not in entries:
        raise UnclearSpectrum(
            f"{path.name} has no entry {wanted!r}: it holds {listed(list(entries))}"
        )
    if not entries:
        raise UnreadableSpectrum(f"{path.name} holds no NXxas entry with an energy and a signal.")
    if wanted is None and len(entries) > 1:
        raise UnclearSpectrum(
            f"{path.name} holds {len(entries)} entries: {listed(list(entries))}; choose one with "
            "--group (in compare: FILE:GROUP)."
        )
    name = wanted or next(iter(entries))
    return name, entries[name]


def _columns(entry: Any, path: Path) -> Columns:
    """Gather the rows of numbers of an entry that are as long as its energies."""
    rows: dict[str, Any] = {}
    units: dict[str, str] = {}
    for place in _PLACES:
        group = entry.get(place)
        for name, each in group.items() if hasattr(group, "items") else ():
            data = each.get("data") if hasattr(each, "items") else each
            if name in rows or data is None or getattr(data, "ndim", 0) != _DIMENSION:
                continue
            if data.dtype.kind in "fiu":
                rows[name] = data[()]
                units[name] = _decoded(data.attrs.get("units", ""))
    size = len(rows.get("energy", ()))
    names = [name for name, row in rows.items() if len(row) == size]
    if "energy" not in names or len(names) < 2:
        return Columns((), np.empty((0, 0)), (), path.name)
    data = np.array([rows[name] for name in names], dtype=np.float64)
    return columns_of(names, data, [units[name] for name in names], path.name)


def _absorbed(columns: Columns, mode: str) -> Columns:
    """Name the detector "absorbed_beam" by the mode of the scan."""
    name = "if" if mode.lower().startswith("fluo") else "it"
    names = tuple(name if each == "absorbed_beam" else each for each in columns.names)
    return Columns(names, columns.data, columns.units, columns.source)


def _text(entry: Any, places: tuple[str, ...]) -> str:
    for place in places:
        found = entry.get(place)
        if found is not None and not hasattr(found, "items"):
            return _decoded(found[()])
    return ""


def _decoded(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size == 1:  # how some programs write a text
        value = value.item()
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


FORMAT = Format(
    name="NeXus NXxas",
    suffixes=_SUFFIXES,
    recognises=lambda path, head: path.suffix.lower() in _SUFFIXES or head.startswith(_MAGIC),
    read=_read,
    has_groups=True,
    has_columns=True,
    is_read_in_parts=True,
)
