"""geometry.in of FHI-aims: lattice vectors and atoms, of which some directions may be open."""

import re
from typing import TYPE_CHECKING

import numpy as np

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.numerals import number
from cgxas.crystals.io.species import named_element
from cgxas.errors import UnreadableCrystal

if TYPE_CHECKING:
    from ase import Atoms

_NAMES = ("lattice_vector", "atom", "atom_frac")
_LINE = re.compile(rf"^[ \t]*(?:{'|'.join(_NAMES)})(?:[ \t]+[-+.\d][^ \t\n]*){{3}}", re.MULTILINE)


def _recognises(content: Content) -> bool:
    return bool(_LINE.search(content.head))


def _read(content: Content) -> "Atoms":
    from ase import Atoms

    rows: dict[str, list[list[str]]] = {name: [] for name in _NAMES}
    for line in content.lines():
        # Lines of symmetry hold expressions, which are left alone.
        words = line[:1000].split("#")[0].split()
        if words and words[0] in _NAMES:
            rows[words[0]].append(words[1:])
            limits.ATOMS.refuse_beyond(
                len(rows[words[0]]), f"{content.path} lists at least", UnreadableCrystal
            )
    lattice, cart, frac = (
        np.array([[number(word) for word in row[:3]] for row in rows[name]]).reshape(-1, 3)
        for name in _NAMES
    )
    if len(lattice) > 3 or (len(frac) and len(lattice) != 3):
        raise UnreadableCrystal(
            f"{content.path} has {len(lattice)} lattice vectors; atom_frac needs three"
        )
    cell = np.zeros((3, 3))
    cell[: len(lattice)] = lattice
    numbers = [named_element(content, row[3]) for row in rows["atom"] + rows["atom_frac"]]
    places = np.concatenate([cart, frac @ cell])
    pbc = [axis < len(lattice) for axis in range(3)]
    atoms: Atoms = Atoms(numbers=numbers, positions=places, cell=cell, pbc=pbc)
    return atoms


FORMAT = CrystalFormat(
    name="FHI-aims geometry", recognises=_recognises, read=_read, names=("geometry.in*",)
)
