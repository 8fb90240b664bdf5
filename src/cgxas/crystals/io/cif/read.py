"""CIF -> a pymatgen Structure that agrees with what the file states."""

from pymatgen.core.structure import Structure

from cgxas.crystals.io.cif.arrangement import arranged
from cgxas.crystals.io.cif.atoms import listed_atoms, lists_atoms
from cgxas.crystals.io.cif.blocks import Block, blocks_of
from cgxas.crystals.io.cif.stated import stated_in, tell
from cgxas.errors import CrystalError, UnreadableCrystal

_MOST_COMPARED = 6


def crystal_of(text: str, name: str) -> Structure:
    """Return the one crystal of the text of a CIF.

    Args:
        text: its lines ended by line feeds.
        name: of the file, as messages begin with it.

    Raises:
        UnreadableCrystal: no CIF, no atoms, several crystals, atoms of no element, or atoms that
            contradict what the file states.
        OverlappingAtoms: two atoms at one place.
        InvalidCell: lengths and angles that make no cell, or not one of the space group.
    """
    blocks = [block for block in blocks_of(text, name) if lists_atoms(block)]
    if not blocks:
        raise UnreadableCrystal(f"{name} is not a readable CIF: it lists no atoms")
    if len(blocks) == 1:
        return _crystal(blocks[0], name)
    return _the_same(blocks, name)


def _crystal(block: Block, where: str) -> Structure:
    stated = stated_in(block, where)
    atoms = listed_atoms(block, where, stated.lattice, stated.formula)
    return arranged(atoms, stated)


def _the_same(blocks: list[Block], name: str) -> Structure:
    """Return the crystal that several blocks describe, if it is one."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    listed = ", ".join(block.name or "without a name" for block in blocks[:3])
    listed += ", ..." if len(blocks) > 3 else ""
    several = f"{name} holds {len(blocks)} crystals ({listed}); give a file for each"
    if len(blocks) > _MOST_COMPARED:
        raise UnreadableCrystal(several)
    try:
        crystals = [_crystal(block, f"{name}, block {block.name}") for block in blocks]
    except CrystalError as error:
        raise UnreadableCrystal(several) from error
    matcher = StructureMatcher(ltol=0.01, stol=0.05, angle_tol=0.5, scale=False)
    if not all(matcher.fit(crystals[0], crystal) for crystal in crystals[1:]):
        raise UnreadableCrystal(several)
    tell(name, f"the blocks {listed} describe the same crystal; the first was taken")
    return crystals[0]
