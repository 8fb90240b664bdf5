"""Athena projects: any number of spectra, each with how it was normalised.

Athena has no field for the kind of a curve, its model, half step and trust: they stand in the
annotation of the group. A curve without raw data is marked as normalised.
"""

import re
import zlib
from pathlib import Path

from cgxas.errors import CgxasError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.athena.read import MAGIC, MAGIC_WITHIN, Group, read_groups
from cgxas.spectra.io.athena.write import write_project
from cgxas.spectra.io.base import Choice, Format, NamedScan
from cgxas.spectra.io.facts import told_trust
from cgxas.spectra.io.larch import need_larch
from cgxas.spectra.io.scan import KINDS, Scan, listed
from cgxas.spectra.trust import Trust

_GZIP = b"\x1f\x8b"
_KIND = re.compile(r"cgxas: kind (\w+)")
_TRUST = re.compile(r", (trust(?:_nearest|_distance|_expected_rse)?) ([^,]*)|, (trust_reason) (.*)")
_NO_MU = {
    "is_chi": "chi(k)",
    "is_bkg": "a background",
    "is_diff": "a difference of spectra",
    "is_pixel": "counted in pixels, not in eV",
    "is_rsp": "chi(R)",
    "is_qsp": "chi(q)",
}
_NO_MU_DATA = {"chi": "chi(k)", "detector": "of a detector", "background": "a background"}
"""Flags and data types of groups that are no mu(E), and what they are instead."""

_UNKNOWN_ELEMENT = ("", "H", "He")
"""What Athena writes where it does not know the element."""


def _recognises(path: Path, head: bytes) -> bool:
    if path.suffix.lower() in FORMAT.suffixes:
        return True
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, MAGIC_WITHIN)
        except zlib.error:
            return False
    return MAGIC.encode() in head[:MAGIC_WITHIN]


def _read(path: Path, choice: Choice) -> Scan:
    """Read one group; the only one if none is chosen.

    The shift that was set in Athena is kept beside the energies, which stay those of the file.
    """
    return _scan_of(_chosen(read_groups(path), choice.group, path), path)


def _read_all(path: Path, choice: Choice) -> list[NamedScan]:
    """Read every group in the order of the list of Athena; the choice has nothing to choose."""
    found: list[NamedScan] = []
    for group in read_groups(path):
        try:
            found.append((group.name, _scan_of(group, path)))
        except CgxasError as error:
            found.append((group.name, error))
    return found


def _scan_of(group: Group, path: Path) -> Scan:
    _refuse_without_mu(group, path)
    energy, mu = (group.rows[name]() for name in ("x", "y"))
    if energy.size != mu.size:
        raise UnreadableSpectrum(
            f"{path.name}: group {group.name!r} has {energy.size} energies, but {mu.size} values "
            "of mu: save it again in Athena."
        )
    element, edge = _absorber(group)
    return Scan(
        energy,
        mu,
        _kind(group),
        FORMAT.name,
        path.name,
        group.name,
        element,
        edge,
        energy_shift=group.number("bkg_eshift"),
        trust=_trust(group, path),
    )


def _chosen(groups: list[Group], wanted: str | None, path: Path) -> Group:
    """Return the group of that name, or else of that number, counted from 1."""
    names = [group.name for group in groups]
    if wanted is None:
        if len(groups) > 1:
            raise UnclearSpectrum(
                f"{path.name} holds {len(groups)} groups: {listed(names)}; choose one, by name or "
                "number, with --group (in compare: FILE:GROUP)."
            )
        return groups[0]
    name = " ".join(wanted.split())
    if name in names:
        return groups[names.index(name)]
    if name.isascii() and name.isdecimal() and 0 < int(name) <= len(groups):
        return groups[int(name) - 1]
    raise UnclearSpectrum(f"{path.name} has no group {wanted!r}: it holds {listed(names)}.")


def _refuse_without_mu(group: Group, path: Path) -> None:
    is_set = (what for flag, what in _NO_MU.items() if group.number(flag))
    what = next(is_set, _NO_MU_DATA.get(group.parameters.get("datatype", "")))
    if what is None and not {"x", "y"} <= group.rows.keys():
        what = "without points"
    if what is not None:
        raise UnreadableSpectrum(
            f"{path.name}: group {group.name!r} holds no mu(E), it is {what}: choose another group."
        )


def _absorber(group: Group) -> tuple[str, str]:
    """Return element and edge, each empty where it is not stated.

    Larch states them as ``atsym`` and ``edge``. Without these, its ``bkg_z`` is a guess, and its
    ``fft_edge`` is K whatever the edge.
    """
    stated = group.parameters
    names = ("atsym", "edge") if stated.get("atsym") else ("bkg_z", "fft_edge")
    element, edge = (stated.get(name, "").strip().capitalize() for name in names)
    is_guess = group.by_larch and names == ("bkg_z", "fft_edge") and edge == "K"
    return ("", "") if is_guess or element in _UNKNOWN_ELEMENT else (element, edge)


def _trust(group: Group, path: Path) -> Trust | None:
    annotation = group.parameters.get("annotation", "")
    found = _TRUST.findall(annotation) if _KIND.match(annotation) else []
    return told_trust({name or last: text or rest for name, text, last, rest in found}, path.name)


def _kind(group: Group) -> str:
    told = _KIND.match(group.parameters.get("annotation", ""))
    if told and told[1] in KINDS:
        return told[1]
    if group.number("is_xmudat"):  # FEFF's xmu.dat
        return "simulated"
    return "normalised" if group.number("is_nor") else "mu"


FORMAT = Format(
    name="Athena project",
    suffixes=(".prj",),
    recognises=_recognises,
    read=_read,
    read_all=_read_all,
    write_many=write_project,
    prepare=need_larch,
    has_groups=True,
)
