"""NeXus files with NXxas entries, of the old layout and the new, and HDF5 files by named paths.

Old: energies in ``instrument/monochromator``, counts in ``data`` and ``instrument``, the edge in
``scan/xrayedge``. New: ``energy``, ``intensity``, ``element`` and ``absorption_edge`` or ``edge``
of the entry itself, and an NXdata group that plots them. Of other files the group that
``default``, ``signal`` and ``axes`` point to is taken, or what is named.

Source: https://manual.nexusformat.org (NXxas, and how to find the default data);
https://github.com/nexusformat/definitions/pull/1640; https://github.com/XraySpectroscopy/pynxxas.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import CgxasError, MissingExtra, UnclearSpectrum, UnreadableSpectrum
from cgxas.limits import FILE_SIZE
from cgxas.spectra.io.base import Choice, Format, NamedScan
from cgxas.spectra.io.facts import told_trust
from cgxas.spectra.io.nexus.hdf5 import Row, Tree, named_rows, opened
from cgxas.spectra.io.nexus.stack import stack_of
from cgxas.spectra.io.nexus.write import FACTS, write
from cgxas.spectra.io.scan import KINDS, Scan, listed
from cgxas.spectra.io.table.columns import Columns, columns_of
from cgxas.spectra.trust import Trust

_SUFFIXES = (".nxs", ".h5", ".hdf5")
_MAGIC = b"\x89HDF"
_PLACES = ("data", "instrument/monochromator", "instrument", "measurement")
_ELEMENT = (
    "element",
    "element/symbol",
    "element/name",
    "absorber/chemical_symbol",
    "absorption_edge/element",
    "absorption_edge/element/symbol",
    "absorption_edge/atom/name",
    "scan/xrayedge/element",
    "xrayedge/element",
    "data/element",
)
_EDGE = (
    "absorption_edge",
    "absorption_edge/name",
    "absorption_edge/edge",
    "edge",
    "edge/name",
    "scan/xrayedge/edge",
    "xrayedge/edge",
    "data/edge",
)
_MODE = ("data/mode", "mode", "mode/name", "scan/scan_mode")
_LABEL = ("sample/name", "title")
_QUOTED = re.compile(r"\"([^\"]+)\"|'([^']+)'")
_BYTES, _STACK = 8, 2


@dataclass(frozen=True)
class _Entry:
    """What an entry holds.

    Attributes:
        name: path of the entry below the root.
        group: h5py's.
        rows: by name, all as long as the energies.
        energy: name of the row of energies, or empty.
        signal: name of the row that the file itself would plot, or empty.
    """

    name: str
    group: Any
    rows: dict[str, Row]
    energy: str
    signal: str


def _read(path: Path, choice: Choice) -> Scan:
    """Read one entry of a file; the only one if none is chosen."""
    with opened(path) as tree:
        if _names_paths(tree, choice):
            return _named(tree, choice)
        return _entry_scan(tree, _chosen(tree, choice), choice)


def _entry_scan(tree: Tree, entry: _Entry, choice: Choice) -> Scan:
    columns = _table(tree, entry.rows)
    mode = _text(tree, entry.group, _MODE)
    try:
        scan = _scan(columns, _absorbed_beam(entry, mode), choice, mode)
    except UnclearSpectrum as error:
        if choice.mu:
            raise
        raise UnclearSpectrum(
            f"{error} Or name energy and mu by their paths, with --energy PATH --mu PATH; "
            f"{tree.candidates(entry.group)}."
        ) from error
    return _told(tree, entry.group, scan, entry.name)


def _read_all(path: Path, choice: Choice) -> list[NamedScan]:
    """Read every entry of a file, the same paths in every entry, or the scans of a stack."""
    with opened(path) as tree:
        entries = dict(_entries(tree))
        for start, group in (("/", tree.root), *entries.items()):
            if stack := _stack(tree, choice, group, "" if start == "/" else f"{start}/"):
                return stack
        if _names_paths(tree, choice):
            return [("", _named(tree, choice))]
        wish = (choice.energy or "").strip("\"'")
        inner = [name for name, each in entries.items() if wish and tree.row(tree.find(wish, each))]
        if inner:
            return [(n, _tried(_named, tree, replace(choice, group=n))) for n in inner]
        found = [_entry(tree, name, group, choice) for name, group in entries.items()]
        usable = [each for each in found if each.energy and len(each.rows) > 1]
        if not usable:
            return [("", _entry_scan(tree, _chosen(tree, choice), choice))]  # which says why
        return [(each.name, _tried(_entry_scan, tree, each, choice)) for each in usable]


def _tried(read: Callable[..., Scan], *wish: Any) -> Scan | CgxasError:
    try:
        return read(*wish)
    except CgxasError as error:
        return error


def _stack(tree: Tree, choice: Choice, start: Any, prefix: str) -> list[NamedScan]:
    """Return the scans of a stack that is named, or of the new layout's intensity."""
    found = stack_of(tree, choice.energy or "energy", choice.mu or "intensity", start)
    if found is None:
        return []
    row, energy, stack = found
    scans: list[NamedScan] = []
    for n, mu in enumerate(stack, 1):
        columns = columns_of(["energy", "mu"], np.array([energy, mu]), [row.units, ""], tree.source)
        values, _, done = columns.energy("energy")
        scan = Scan(values, mu, "mu", "HDF5", tree.source, done=(f"scan {n} of a stack", *done[1:]))
        scans.append((f"{prefix}{n}", _told(tree, start, scan, f"{prefix}{n}")))
    return scans


def _chosen(tree: Tree, choice: Choice) -> _Entry:
    groups = dict(_entries(tree))
    entries = {name: _entry(tree, name, group, choice) for name, group in groups.items()}
    usable = [name for name, each in entries.items() if each.energy and len(each.rows) > 1]
    wanted = choice.group
    if wanted is not None and wanted not in groups:
        raise UnclearSpectrum(
            f"{tree.source} has no entry {wanted!r}: it holds {listed(usable or list(groups))}"
        )
    name = usable[0] if wanted is None and len(usable) == 1 else wanted
    if name in usable:
        return entries[str(name)]
    if wanted is None and usable:
        raise UnclearSpectrum(
            f"{tree.source} holds {len(usable)} entries: {listed(usable)}; choose one with "
            "--group (in compare: FILE:GROUP)."
        )
    start = tree.find(wanted or "/")
    _refuse_stack(tree, [groups[wanted]] if wanted else list(groups.values()))
    raise UnreadableSpectrum(
        f"{tree.source} holds no NXxas entry with an energy and a signal: name them with "
        f"--energy PATH --mu PATH; {tree.candidates(start)}."
    )


def _refuse_stack(tree: Tree, groups: list[Any]) -> None:
    """Refuse the new layout's stacks of spectra, (nP, nEnergy), in a sentence of their own."""
    for found in (tree.find("intensity", group) for group in groups):
        if len(getattr(found, "shape", None) or ()) == _STACK:
            raise UnreadableSpectrum(
                f"{tree.source}: {found.name} is a stack of {found.shape[0]} spectra: write the "
                "one that is wanted to a file of its own."
            )


def _entries(tree: Tree) -> Any:
    """Yield name and group of entries, and of the subentries in them."""
    for name, group in tree.members(tree.root):
        if not hasattr(group, "keys"):
            continue
        yield name, group
        for inner, subgroup in tree.members(group):
            if tree.attribute(subgroup, "NX_class") == "NXsubentry":
                yield f"{name}/{inner}", subgroup


def _entry(tree: Tree, name: str, group: Any, choice: Choice) -> _Entry:
    """Find the rows of an entry: its own energy and intensity, its plot, the usual places."""
    rows: dict[str, Row] = {}
    for field in ("energy", "intensity"):
        _add(rows, field, _row(tree, tree.find(field, group)))
    signal, axis = "intensity" if "intensity" in rows else "", ""
    for data in _data_groups(tree, group):
        found, along = tree.attribute(data, "signal"), tree.attribute(data, "axes")
        for each, member in tree.members(data):
            _add(rows, each, _row(tree, member))
        if found in rows and along in rows and not axis:
            signal, axis = signal or found, along
    for place in _PLACES:
        for each, member in tree.members(tree.find(place, group)):
            _add(rows, each, _row(tree, member))
    energy = _energy_name(rows, axis, choice.energy)
    size = rows[energy].size if energy else -1
    equal = {each: row for each, row in rows.items() if row.size == size}
    return _Entry(name, group, equal, energy, signal if signal in equal else "")


def _row(tree: Tree, found: Any) -> Row | None:
    """Return a dataset, or the field ``data`` of a detector, as a row of numbers."""
    inner = tree.find("data", found) if hasattr(found, "keys") else found
    row = tree.row(inner)
    return row if row and row.size > 1 else None


def _add(rows: dict[str, Row], name: str, row: Row | None) -> None:
    if row is not None:
        rows.setdefault(name, row)


def _data_groups(tree: Tree, entry: Any) -> list[Any]:
    """Return the NXdata groups of an entry, its default one first."""
    default = tree.attribute(entry, "default")
    groups = [
        (name != default, group)
        for name, group in tree.members(entry)
        if tree.attribute(group, "NX_class") == "NXdata"
    ]
    return [group for _, group in sorted(groups, key=lambda each: each[0])]


def _energy_name(rows: dict[str, Row], axis: str, wanted: str | None) -> str:
    if wanted:
        return wanted if wanted in rows else ""
    if "energy" in rows:
        return "energy"
    like = [name for name in rows if "energy" in name.lower()]
    return axis or (like[0] if len(like) == 1 else "")


def _table(tree: Tree, rows: dict[str, Row]) -> Columns:
    numbers = sum(row.size for row in rows.values())
    FILE_SIZE.refuse_beyond(
        numbers * _BYTES, f"{tree.source}: the rows of one entry hold", UnreadableSpectrum
    )
    data = np.array([tree.read(row) for row in rows.values()])
    return columns_of(list(rows), data, [row.units for row in rows.values()], tree.source)


def _absorbed_beam(entry: _Entry, mode: str) -> _Entry:
    """Return the entry with the detector "absorbed_beam" named by the mode of the scan."""
    name = "if" if mode.lower().startswith("fluo") else "it"
    rows = {name if each == "absorbed_beam" else each: row for each, row in entry.rows.items()}
    signal = name if entry.signal == "absorbed_beam" else entry.signal
    return replace(entry, rows=rows, signal=signal)


def _scan(columns: Columns, entry: _Entry, choice: Choice, mode: str) -> Scan:
    columns = Columns(tuple(entry.rows), columns.data, columns.units, columns.source)
    energy, at, done = columns.energy(entry.energy)
    done = [f"energy is {entry.energy}", *done[1:]]  # columns have no numbers here
    try:
        mu, kind, how = columns.mu(at, choice.mu)
    except UnclearSpectrum:
        if choice.mu or not entry.signal:
            raise
        mu, kind, how = columns.mu(at, entry.signal)
    if kind == "mu" and choice.mu is None and entry.signal == "intensity":
        kind = _kind_of(mode)
    return Scan(energy, mu, kind, FORMAT.name, columns.source, done=(*done, *how))


def _kind_of(mode: str) -> str:
    plain = mode.lower()
    if plain.startswith("trans"):
        return "transmission"
    return "fluorescence" if "fluo" in plain or plain in ("fy", "tfy", "pfy") else "mu"


def _told(tree: Tree, entry: Any, scan: Scan, name: str) -> Scan:
    """Return the scan with what its entry tells besides."""
    is_made = _text(tree, entry, ("is_experimental",)) in ("0", "False")
    is_made = is_made or _text(tree, entry, ("calculated",)) in ("1", "True")
    kind = "simulated" if is_made else scan.kind
    stated = _text(tree, entry, (f"{FACTS}/kind",))
    is_intensity = any("intensity" in word for word in scan.done)
    shift = _text(tree, entry, (f"{FACTS}/energy_shift",))
    return replace(
        scan,
        kind=stated if stated in KINDS and is_intensity else kind,
        label=_text(tree, entry, _LABEL) or name,
        element=_text(tree, entry, _ELEMENT).capitalize(),
        edge=_text(tree, entry, _EDGE),
        energy_shift=float(shift) if re.fullmatch(r"[-+.\de]+", shift) else 0.0,
        edge_guess=_text(tree, entry, (f"{FACTS}/edge_guess",)),
        trust=_trust(tree, entry),
        done=(*scan.done, *filter(None, [tree.not_followed.removeprefix("; ")])),
    )


def _trust(tree: Tree, entry: Any) -> Trust | None:
    names = [name for name, _ in tree.members(tree.find(FACTS, entry)) if name.startswith("trust")]
    return told_trust({n: _text(tree, entry, (f"{FACTS}/{n}",)) for n in names}, tree.source)


def _text(tree: Tree, entry: Any, places: tuple[str, ...]) -> str:
    texts = (tree.text(tree.find(place, entry)) for place in places)
    return next(filter(None, texts), "")


def _names_paths(tree: Tree, choice: Choice) -> bool:
    """Tell paths that were asked for from names and formulas of columns such as "if/i0"."""
    start = tree.find(choice.group or "/")
    return any(
        wish.startswith("/")
        or _QUOTED.search(wish) is not None
        or ("/" in wish and start is not None and tree.row(tree.find(wish, start)) is not None)
        for wish in (choice.energy, choice.mu)
        if wish
    )


def _named(tree: Tree, choice: Choice) -> Scan:
    """Return the scan of rows that were named by their paths."""
    start = tree.find(choice.group or "/")
    if start is None:
        raise UnclearSpectrum(f"{tree.source} has no group {choice.group!r}.")
    if choice.mu is None or choice.energy is None:
        missing = "--energy" if choice.mu else "--mu"
        raise UnclearSpectrum(
            f"{tree.source}: name energy and mu both by their paths, with {missing} too; "
            f"{tree.candidates(start)}."
        )
    parts = [double or single for double, single in _QUOTED.findall(choice.mu)]
    formula = choice.mu
    if not parts and "/" in formula and tree.find(formula, start) is None:
        raise UnclearSpectrum(
            f"{tree.source} has no {formula!r}: in a formula write each path in double quotes, "
            f'such as --mu \'ln("/a/i0"/"/a/it")\'; {tree.candidates(start)}.'
        )
    paths = list(dict.fromkeys(parts or [formula]))
    rows = named_rows(tree, [choice.energy.strip("\"'"), *paths], start)
    names = [f"row{n}" for n in range(1, len(paths) + 1)]
    if not parts or formula.strip() in (f'"{paths[0]}"', f"'{paths[0]}'"):
        last = rows[1].path.split("/")[-1]  # its name may say that it is normalised
        names, formula = [last], last
    name_of = dict(zip(paths, names, strict=True))
    formula = _QUOTED.sub(lambda found: name_of[found[1] or found[2]], formula)
    columns = _table(tree, {"energy": rows[0], **dict(zip(names, rows[1:], strict=True))})
    energy, at, done = columns.energy("energy")
    mu, kind, _ = columns.mu(at, formula)
    said = f"energy is {rows[0].path}", f"mu is {choice.mu}"
    scan = Scan(energy, mu, kind, "HDF5", tree.source, done=(*said, *done[1:]))
    entry = tree.find(rows[1].path.strip("/").split("/")[0])
    return _told(tree, entry, scan, choice.group or rows[1].path)


def _prepare() -> None:
    MissingExtra.refuse_without("h5py", "h5py", "larch")


FORMAT = Format(
    name="NeXus NXxas",
    suffixes=_SUFFIXES,
    recognises=lambda path, head: path.suffix.lower() in _SUFFIXES or head.startswith(_MAGIC),
    read=_read,
    read_all=_read_all,
    write_many=write,
    prepare=_prepare,
    has_groups=True,
    has_columns=True,
    is_read_in_parts=True,
)
