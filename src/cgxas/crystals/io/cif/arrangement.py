"""The space group a crystal is meant in: the one whose atoms agree with all that is stated."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core.structure import Structure

from cgxas.crystals.io.cif.agreement import Findings, findings_of, written
from cgxas.crystals.io.cif.atoms import ListedAtoms
from cgxas.crystals.io.cif.cell import SAME, FilledCell, filled_cell, structure_of
from cgxas.crystals.io.cif.operations import IDENTITY
from cgxas.crystals.io.cif.proposals import Proposal, proposals_of
from cgxas.crystals.io.cif.stated import Stated, tell
from cgxas.errors import CrystalError, UnreadableCrystal
from cgxas.typing import FloatArray

_FAR = 0.02
"""Atoms moved further than this (Angstrom) onto a special position are told of."""

_COARSE = 0.45
"""The same for coordinates of two or three digits, where formula and number of units agree, A."""

_MOST_VOLUME = 25.0
"""A^3 for each atom: with more, some atoms of an inorganic crystal are not listed."""

_MOST_IMAGES = 100_000
"""Images of atoms that are tried in a search for the origin."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """A cell filled by proposed operations, with one reading of the labels and occupancies."""

    proposal: Proposal
    elements: tuple[str, ...]
    adds: bool
    cell: FilledCell
    findings: Findings


def arranged(atoms: ListedAtoms, stated: Stated) -> Structure:
    """Return the crystal: the listed atoms under the operations that are meant.

    Args:
        atoms: that the block lists.
        stated: what else the block says.

    Raises:
        CrystalError: whatever operations are taken, atoms contradict what is stated, or each other.
    """
    proposals = list(proposals_of(stated))
    best, has_rivals = _best(proposals, atoms, stated, SAME)
    if best.findings.refusals:
        coarse, has_rivals = _best(proposals, atoms, stated, _COARSE)
        if not coarse.findings.refusals and not coarse.findings.doubts:
            best = coarse
    if best.findings.refusals:
        moved = _found_origin(atoms, stated, proposals)
        best, has_rivals = (moved, True) if moved else (best, False)
    if best.findings.refusals:
        raise best.findings.refusals[0]
    _tell_of_symmetry(best, proposals[0], has_rivals, stated)
    _tell_of(best, atoms, stated)
    return structure_of(best.cell, atoms, best.elements, best.adds)


def _best(
    proposals: Sequence[Proposal], atoms: ListedAtoms, stated: Stated, same: float
) -> tuple[Attempt, bool]:
    """Return what fits best, up to a proposal that the file means outright, and if others do."""
    attempts: list[Attempt] = []
    error: CrystalError | None = None
    for proposal in proposals:
        try:
            attempt = _attempt(proposal, atoms, stated, same)
        except CrystalError as found:
            error = error or found
            continue
        if proposal.operations is IDENTITY and not _is_whole(attempt, stated):
            continue
        attempts.append(attempt)
        if proposal.is_stated and not attempt.findings.refusals:
            break
    if not attempts:
        raise error or UnreadableCrystal(f"{stated.where}: no symmetry operations fit")
    best = min(attempts, key=lambda each: _order(each, stated))
    rivals = [each for each in attempts if each.findings.rank == best.findings.rank]
    return best, len(rivals) > 1


def _is_whole(attempt: Attempt, stated: Stated) -> bool:
    """Tell whether the listed atoms fill the cell by themselves, and as is stated."""
    if attempt.proposal.is_stated:
        return True
    agrees = not attempt.findings.refusals and not attempt.findings.doubts
    is_dense = stated.lattice.volume < _MOST_VOLUME * len(attempt.cell)
    return agrees and stated.formula is not None and is_dense


def _order(attempt: Attempt, stated: Stated) -> tuple[float, ...]:
    """Order attempts: contradictions, doubts, misfit, then what is likelier if nothing decides.

    Fewer operations than the named group has are meant by a list of all atoms of the cell only,
    in which the group would take some for images of others. In a wrong setting, atoms lie beside
    the special positions, so that there are more of them, and nearer to each other.
    """
    proposal, findings = attempt.proposal, attempt.findings
    is_alone = proposal.is_short or proposal.operations is IDENTITY
    unlikely = 0.5 if is_alone else float(attempt.cell.has_copies)
    special = 0.0 if stated.formula and stated.units else float(len(attempt.cell))
    misfit = round(findings.misfit, 2)
    return (*findings.rank, misfit, not proposal.is_stated, unlikely, special, -findings.shortest)


def _attempt(proposal: Proposal, atoms: ListedAtoms, stated: Stated, same: float = SAME) -> Attempt:
    cell = filled_cell(atoms, proposal.operations, stated.lattice, stated.where, same)
    ways = (True,) if atoms.is_ordered else (True, False)
    readings = [
        (elements, adds, findings_of(cell, atoms, elements, adds, stated))
        for elements in atoms.readings()
        for adds in ways
    ]
    elements, adds, findings = min(readings, key=lambda each: (each[2].rank, each[2].misfit))
    return Attempt(proposal, elements, adds, cell, findings)


def _found_origin(
    atoms: ListedAtoms, stated: Stated, proposals: Sequence[Proposal]
) -> Attempt | None:
    """Look for another origin of a group without listed operations, where the formula can tell."""
    if stated.operations or not stated.formula:
        return None
    for proposal, parts in itertools.product(proposals, (4, 8)):
        operations = proposal.operations
        if len(operations) == 1 or len(atoms) * len(operations) * parts**3 > _MOST_IMAGES:
            continue
        found = list(_moved_origins(proposal, parts, atoms, stated))
        if found:
            return min(found, key=lambda each: (each.findings.rank, len(each.cell)))
    return None


def _moved_origins(
    proposal: Proposal, parts: int, atoms: ListedAtoms, stated: Stated
) -> Iterator[Attempt]:
    seen: set[tuple[int, ...]] = set()
    for steps in itertools.product(range(parts), repeat=3):
        origin: FloatArray = np.array(steps) / parts
        moved = proposal.operations.moved(origin)
        key = tuple(sorted(moved.keys().tolist()))
        if key in seen:
            continue
        seen.add(key)
        where = " ".join(f"{step:g}" for step in origin)
        name = f"{proposal.name} with its origin moved to {where}"
        try:
            attempt = _attempt(Proposal(moved, name), atoms, stated)
        except CrystalError:
            continue
        if not attempt.findings.refusals:
            yield attempt


def _tell_of_symmetry(best: Attempt, first: Proposal, has_rivals: bool, stated: Stated) -> None:
    """Warn of the symmetry that was taken where the file does not mean it outright."""
    is_first, is_alone = best.proposal is first, best.proposal.operations is IDENTITY
    if best.proposal.is_stated or (
        is_first if stated.operations else not (has_rivals or (is_alone and not is_first))
    ):
        return
    makes = f"which make {written(best.findings.counts)}"
    if stated.operations:
        text = (
            f"{first.name} do not agree with what else is stated; {best.proposal.name} were taken, "
            + makes
        )
    else:
        text = f"the operations of {best.proposal.name} were taken for the space group, {makes}"
    tell(stated.where, text)


def _tell_of(best: Attempt, atoms: ListedAtoms, stated: Stated) -> None:
    """Warn of what was guessed, and of what does not fit."""
    where, findings = stated.where, best.findings
    if not stated.operations and not stated.names_group:
        tell(where, "no symmetry is stated; the listed atoms were taken as all of the cell")
    for text in (*findings.doubts, *findings.notes):
        tell(where, text)
    if best.cell.moved > _FAR and stated.formula is None:
        tell(where, f"atoms were moved by up to {best.cell.moved:.2f} A onto special positions")
    read = {
        label: f"{label} as {element}"
        for label, element, plain in zip(atoms.labels, best.elements, atoms.plain, strict=True)
        if element != plain
    }
    if read:
        tell(where, f"the formula tells what labels mean: {', '.join(list(read.values())[:4])}")
