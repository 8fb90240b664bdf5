"""Formats that ASE reads, of those whose readers neither run programs nor code.

Each is recognised by what it holds. Where ASE's reader leaves out part of a file (symmetry, shared
sites), such files are refused.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat, Found, Frame, last_of, reading, warn
from cgxas.crystals.io.content import Content, read_content
from cgxas.crystals.io.frames import TRAJECTORY, bare, trajectory_frames
from cgxas.crystals.io.numerals import are_numbers, is_count
from cgxas.crystals.io.vasp_frames import outcar_frames, read_outcar, vasprun_frames
from cgxas.errors import DisorderedCrystal, UnreadableCrystal

_LINES_PER_ATOM = 20


def _nothing(content: Content) -> None:
    """Refuse nothing."""


@dataclass(frozen=True)
class _Kind:
    """A format of ASE.

    Attributes:
        name: as it is shown.
        ase: ASE's name of it.
        holds: whether a file is one.
        frame: what stands once in each of its arrangements; empty: it has one.
        names: patterns of file names.
        check: refuses what ASE would read wrong.
        options: for ASE's reader.
        frames: yields its arrangements one by one; None: ASE reads them together.
    """

    name: str
    ase: str
    holds: Callable[[Content], bool]
    frame: str = ""
    names: tuple[str, ...] = ()
    check: Callable[[Content], None] = _nothing
    options: tuple[tuple[str, Any], ...] = ()
    frames: Callable[[Path], Iterator[tuple[float, Frame]]] | None = None


def _of(kind: _Kind) -> CrystalFormat:
    def asked(content: Content, index: int | slice) -> Any:
        import ase.io

        kind.check(content)
        return ase.io.read(
            StringIO(content.text), format=kind.ase, index=index, **dict(kind.options)
        )

    def read(content: Content) -> Found:
        if kind.frame:
            last_of(content, content.text.count(kind.frame), "arrangements")
        found = asked(content, -1)
        last: Found = found[-1] if isinstance(found, list) else found
        return last

    def together(path: Path) -> Iterator[tuple[float, Frame]]:
        content = read_content(path)
        with reading(content, kind.name):
            found = asked(content, slice(None))
        for number, each in enumerate(found, start=1):
            yield number / len(found), bare(each)

    frames = kind.frames or (together if kind.frame else None)
    return CrystalFormat(kind.name, kind.holds, read, kind.names, frames)


def _starts(pattern: str, flags: int = re.MULTILINE) -> Callable[[Content], bool]:
    """Return what tells files that have a line beginning with a pattern near their start."""
    compiled = re.compile(rf"^[ \t]*(?:{pattern})", flags)
    return lambda content: bool(compiled.search(content.head))


def _refuse_long(content: Content) -> None:
    content.refuse_many_lines(_LINES_PER_ATOM)


def _is_cube(content: Content) -> bool:
    lines = content.first
    if len(lines) < 7:
        return False
    firsts = [next(iter(line.split()), "").removeprefix("-") for line in lines[2:6]]
    return all(map(is_count, firsts)) and all(are_numbers(line, 4) for line in lines[2:6])


def _check_cube(content: Content) -> None:
    lines = content.first
    limits.ATOMS.refuse_beyond(
        abs(int(lines[2].split()[0])), f"{content.path} lists", UnreadableCrystal
    )
    if any(line.split()[0].startswith("-") for line in lines[3:6]):
        raise UnreadableCrystal(f"{content.path} is a cube in Angstrom; write it in Bohr")


def _read_cube(content: Content) -> Found:
    from ase.io.cube import read_cube

    _check_cube(content)
    warn(content, "a cube file does not say so, but its grid was taken to be the unit cell")
    cube: Any = read_cube(StringIO(content.text), read_data=False)  # type: ignore[no-untyped-call]
    atoms: Found = cube["atoms"]
    return atoms


def _is_gen(content: Content) -> bool:
    words = content.first[0].split()
    return len(words) >= 2 and is_count(words[0]) and words[1].upper() in ("C", "S", "F", "H")


def _check_gen(content: Content) -> None:
    natoms = int(content.first[0].split()[0])
    limits.ATOMS.refuse_beyond(natoms, f"{content.path} lists", UnreadableCrystal)
    _refuse_long(content)


_CFG_COUNT = re.compile(r"^Number of particles[ \t]*=[ \t]*(\d{1,18})", re.MULTILINE)


def _check_cfg(content: Content) -> None:
    _refuse_long(content)
    natoms = _CFG_COUNT.search(content.head)
    limits.ATOMS.refuse_beyond(
        int(natoms[1]) if natoms else 0, f"{content.path} lists", UnreadableCrystal
    )


_PDB_GROUP = re.compile(r"^CRYST1.{49}(.{1,11})", re.MULTILINE)
_PDB_ATOM = re.compile(r"^(?:ATOM  |HETATM).{10}(.).{37}(.{0,6})", re.MULTILINE)


def _check_pdb(content: Content) -> None:
    _refuse_long(content)
    group = _PDB_GROUP.search(content.text)
    if group and "".join(group[1].split()) not in ("P1", ""):
        raise UnreadableCrystal(
            f"{content.path} lists one part of the cell, of space group {group[1].strip()}; give "
            "the CIF instead"
        )
    atoms = _PDB_ATOM.findall(content.text)
    per_model = len(atoms) / max(1, content.text.count("\nENDMDL"))
    limits.ATOMS.refuse_beyond(per_model, f"{content.path} lists", UnreadableCrystal)
    for other, share in atoms:
        if other.strip() or share.strip() not in ("", "1", "1.0", "1.00"):
            raise DisorderedCrystal(f"{content.path} has partly occupied sites; order them first")


def _check_xml(content: Content) -> None:
    if "<!ENTITY" in content.text or "<!DOCTYPE" in content.text:
        raise UnreadableCrystal(f"{content.path} defines XML entities, which VASP does not write")


def _check_turbomole(content: Content) -> None:
    _refuse_long(content)
    if "$periodic" in content.text or "$cell" in content.text or "$lattice" in content.text:
        raise UnreadableCrystal(
            f"{content.path} is periodic, of which this reader knows nothing; give a CIF or POSCAR"
        )


_ABINIT_WORDS = [re.compile(rf"\b{word}\b", re.IGNORECASE) for word in ("znucl", "acell", "typat")]
_ABINIT_OTHERS = re.compile(
    r"\b(spgroup|natrd|nobj|ndtset|angdeg|include|(?:xcart|xred|rprim)\d)\b", re.IGNORECASE
)
_ABINIT_UNITS = re.compile(r"\bxcart\b[-+\d.eEdD\s]*ang", re.IGNORECASE)


def _check_abinit(content: Content) -> None:
    _refuse_long(content)
    found = _ABINIT_OTHERS.search(content.text)
    if found or _ABINIT_UNITS.search(content.text):
        raise UnreadableCrystal(
            f"{content.path} uses {found[1] if found else 'xcart in Angstrom'} of ABINIT, which is "
            "not read; write all atoms with xred or xangst, or give a CIF"
        )


def _is_trajectory(content: Content) -> bool:
    return content.data.startswith(TRAJECTORY)


def _read_trajectory(content: Content) -> Found:
    from ase.io.trajectory import TrajectoryReader

    with TrajectoryReader(BytesIO(content.data)) as frames:  # type: ignore[no-untyped-call]
        last_of(content, len(frames), "arrangements")
        atoms: Found = frames[len(frames) - 1]
        return atoms


_KINDS = (
    _Kind(
        "XCrySDen file",
        "xsf",
        _starts("CRYSTAL|SLAB|POLYMER|ANIMSTEPS|ATOMS[ \t]*$|PRIMVEC"),
        frame="PRIMCOORD",
        names=("*.xsf", "*.axsf"),
    ),
    _Kind("DFTB+ gen file", "gen", _is_gen, names=("*.gen",), check=_check_gen),
    _Kind(
        "AtomEye file",
        "cfg",
        _starts(r"Number of particles[ \t]*="),
        names=("*.cfg",),
        check=_check_cfg,
    ),
    _Kind(
        "PDB file",
        "proteindatabank",
        _starts(r"CRYST1|HETATM|ATOM  [ \d]{5}|HEADER {4}|MODEL  ", re.MULTILINE),
        frame="\nENDMDL",
        names=("*.pdb",),
        check=_check_pdb,
    ),
    _Kind(
        "vasprun.xml",
        "vasp-xml",
        _starts("<modeling>"),
        frame="<calculation>",
        frames=vasprun_frames,
        names=("*vasprun*.xml",),
        check=_check_xml,
    ),
    _Kind(
        "Quantum ESPRESSO output",
        "espresso-out",
        _starts("Program PWSCF"),
        frame="ATOMIC_POSITIONS",
        names=("*.pwo",),
        options=(("results_required", False),),
    ),
    _Kind(
        "ABINIT input",
        "abinit-in",
        lambda content: all(found.search(content.head) for found in _ABINIT_WORDS),
        names=("*.abi",),
        check=_check_abinit,
    ),
    _Kind(
        "Turbomole coordinates",
        "turbomole",
        _starts(r"\$coord\b"),
        names=("coord",),
        check=_check_turbomole,
    ),
    _Kind("MDL molfile", "sdf", _starts(r".{0,60}\bV2000\b"), names=("*.sdf", "*.mol")),
)

FORMATS = (
    CrystalFormat(
        "ASE trajectory", _is_trajectory, _read_trajectory, ("*.traj",), trajectory_frames
    ),
    CrystalFormat("OUTCAR", _starts(r"vasp\.\d", 0), read_outcar, ("*outcar*",), outcar_frames),
    *map(_of, _KINDS),
    CrystalFormat("Gaussian cube file", _is_cube, _read_cube, ("*.cube", "*.cub")),
)
"""Asked after the formats that have readers of their own."""
