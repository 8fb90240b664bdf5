"""feff.inp as a crystal file: the crystal that it states, or else the cluster as a molecule."""

import re

from pymatgen.core.structure import Molecule, Structure

from cgxas.crystals.canonical import Cell
from cgxas.crystals.io.base import CrystalFormat, Found, warn
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.feff_input import parse_feff_input
from cgxas.crystals.io.species import elements
from cgxas.elements import SYMBOLS
from cgxas.errors import UnreadableCrystal

_POTENTIALS = re.compile(r"^[ \t]*POTE[A-Z]*\b", re.IGNORECASE | re.MULTILINE)
_ATOMS = re.compile(r"^[ \t]*(?:ATOM|LATT|CIF|RECI)[A-Z]*\b", re.IGNORECASE | re.MULTILINE)


def _recognises(content: Content) -> bool:
    return bool(_POTENTIALS.search(content.head) and _ATOMS.search(content.head))


def _read(content: Content) -> Found:
    try:
        found = parse_feff_input(content.text)
        if found.lattice_cell is not None:
            return _structure(found.lattice_cell)
        if found.header_cell is not None:
            warn(content, "the crystal was taken from the comments that pymatgen wrote")
            return _structure(found.header_cell)
        if "CIF" in found.cards:
            raise UnreadableCrystal(
                f"its crystal is in {found.cards['CIF'][:80] or 'another file'}; give that file"
            )
        if not len(found.numbers):
            raise UnreadableCrystal("it lists no atoms")
        absorber = found.absorber
        cluster = Molecule(elements(found.numbers), found.cluster)
    except UnreadableCrystal as error:
        raise UnreadableCrystal(f"{content.path} is not a readable FEFF input: {error}") from error
    warn(
        content,
        "it holds a cluster, not the crystal it was cut from: atoms at its rim see a surface; the "
        f"absorber is {SYMBOLS[found.numbers[absorber] - 1]}, site {absorber}",
    )
    return cluster


def _structure(cell: Cell) -> Structure:
    return Structure(cell.lattice, elements(cell.numbers), cell.frac)


FORMAT = CrystalFormat(
    name="FEFF input", recognises=_recognises, read=_read, names=("feff*.inp", "*.feff")
)
