"""CSSR files of one cell without symmetry, read by pymatgen."""

import re

from pymatgen.core.structure import IStructure

from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.numerals import are_numbers
from cgxas.errors import UnreadableCrystal

_GROUP = re.compile(r"SPGR[ \t]*=[ \t]*(\d+)", re.IGNORECASE)


def _recognises(content: Content) -> bool:
    lines = content.first
    return len(lines) > 3 and "SPGR" in lines[1].upper() and are_numbers(lines[1], 3)


def _read(content: Content) -> IStructure:
    from pymatgen.io.cssr import Cssr

    content.refuse_many_lines(2)
    group = _GROUP.search(content.first[1])
    if group and int(group[1][:4]) != 1:
        raise UnreadableCrystal(
            f"{content.path} lists one part of the cell, of space group {group[1]}; give the CIF"
        )
    return Cssr.from_str(content.text).structure


FORMAT = CrystalFormat(name="CSSR file", recognises=_recognises, read=_read, names=("*.cssr",))
