"""The space group a crystal is meant in: the one whose atoms agree with all that is stated."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core.structure import Structure

from cgxas.crystals.io.cif.agreement import Findings, findings_of, written
from cgxas.crystals.io.cif.atoms import ListedAtoms
from cgxas.crystals.io.cif.cell import SAME, FilledCell, filled_cell, structure_of
from cgxas.crystals.io.cif.operations import IDENTITY, Operations, parsed, products
from cgxas.crystals.io.cif.settings import Setting, named_outright, settings_of
from cgxas.crystals.io.cif.stated import Stated, tell
from cgxas.errors import CrystalError, InvalidCell, UnreadableCrystal
from cgxas.typing import FloatArray

_FAR = 0.02
"""Atoms moved further than this (Angstrom) onto a special position are told of."""

_COARSE = 0.45
"""The same for coordinates of two or three digits, where formula and number of units agree, A."""

_MOST_VOLUME = 25.0
"""A^3 for each atom: with more, some atoms of an inorganic crystal are not listed."""

_MOST_SETTINGS = 24
_MOST_IMAGES = 300_000
"""Images of atoms that are tried in a search for the origin."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """Operations that may be meant.

    Attributes:
        operations: a whole group.
        name: what they are, for messages.
        is_stated: whether the file says outright that it means them.
    """

    operations: Operations
    name: str
    is_stated: bool


@dataclass(frozen=True, eq=False)
class Attempt:
    """A cell filled by proposed operations, with one reading of the labels."""

    proposal: Proposal
    elements: tuple[str, ...]
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
    proposals = list(_proposals(stated, len(atoms)))
    best = _best(proposals, atoms, stated, SAME)
    if best.findings.refusals:
        coarse = _best(proposals, atoms, stated, _COARSE)
        if not coarse.findings.refusals and not coarse.findings.doubts:
            best = coarse
    if best.findings.refusals:
        best = _found_origin(atoms, stated, proposals) or best
    if best.findings.refusals:
        raise best.findings.refusals[0]
    _tell_of(best, proposals[0], atoms, stated)
    return structure_of(best.cell, atoms, best.elements)


def _best(
    proposals: Sequence[Proposal], atoms: ListedAtoms, stated: Stated, same: float
) -> Attempt:
    """Return what fits best, with the first proposal that the file means outright."""
    best: Attempt | None = None
    error: CrystalError | None = None
    for proposal in proposals:
        try:
            attempt = _attempt(proposal, atoms, stated, same)
        except CrystalError as found:
            error = error or found
            continue
        if proposal.operations is IDENTITY and not _is_whole(attempt, stated):
            continue
        if best is None or _order(attempt, stated) < _order(best, stated):
            best = attempt
        if proposal.is_stated and not attempt.findings.refusals:
            break
    if best is None:
        raise error or UnreadableCrystal(f"{stated.where}: no symmetry operations fit")
    return best


def _is_whole(attempt: Attempt, stated: Stated) -> bool:
    """Tell whether the listed atoms fill the cell by themselves, and as is stated."""
    if attempt.proposal.is_stated:
        return True
    agrees = not attempt.findings.refusals and not attempt.findings.doubts
    is_dense = stated.lattice.volume < _MOST_VOLUME * len(attempt.cell)
    return agrees and stated.formula is not None and is_dense


def _order(attempt: Attempt, stated: Stated) -> tuple[float, ...]:
    """Order attempts: contradictions, doubts, and where no formula decides, the most special."""
    special = 0.0 if stated.formula and stated.units else float(len(attempt.cell))
    return (*attempt.findings.rank, not attempt.proposal.is_stated, special)


def _attempt(proposal: Proposal, atoms: ListedAtoms, stated: Stated, same: float = SAME) -> Attempt:
    cell = filled_cell(atoms, proposal.operations, stated.lattice, stated.where, same)
    readings = [
        (elements, findings_of(cell, atoms, elements, stated)) for elements in atoms.readings()
    ]
    elements, findings = min(readings, key=lambda each: each[1].rank)
    return Attempt(proposal, elements, cell, findings)


def _proposals(stated: Stated, listed_atoms: int) -> Iterator[Proposal]:
    """Yield what operations may be meant, the likeliest first."""
    settings = settings_of(stated)[:_MOST_SETTINGS]
    listed = _listed(stated, settings)
    if listed is not None:
        yield from _of_listed(listed, settings, stated)
    elif stated.names_group:
        if not settings:
            raise InvalidCell(_no_setting(stated))
        outright = named_outright(stated) or len(settings) == 1
        for setting in settings:
            yield Proposal(setting.operations(), setting.name, outright)
    else:
        yield Proposal(IDENTITY, "P 1, as no symmetry is stated", is_stated=True)
        return
    if len(settings) or listed is not None:
        yield Proposal(IDENTITY, "the listed atoms alone, which are all of the cell", False)


def _listed(stated: Stated, settings: Sequence[Setting]) -> Operations | None:
    """Return the operations as they are listed, or None if there are none, or no readable ones."""
    if not stated.operations:
        return None
    try:
        listed = parsed(stated.operations, stated.where)
        if stated.centrings:
            listed = products(parsed(stated.centrings, stated.where), listed)
    except UnreadableCrystal as error:
        if not settings:
            raise
        tell(stated.where, f"{str(error).removeprefix(stated.where + ': ')}; the group was taken")
        return None
    return listed


def _of_listed(
    listed: Operations, settings: Sequence[Setting], stated: Stated
) -> Iterator[Proposal]:
    name = "the operations that are listed"
    keys = set(listed.keys().tolist())
    tables = [setting.operations() for setting in settings]
    if any(set(table.keys().tolist()) == keys for table in tables):
        yield Proposal(listed, name, is_stated=True)
        return
    completed = listed.completed()
    fits = listed.fit(stated.lattice)
    is_group = completed is not None and len(completed) == len(listed)
    # A group of another order than the one named is contradicted by the name.
    orders = {len(table) for table in tables}
    yield Proposal(listed, name, is_stated=is_group and fits and not orders - {len(listed)})
    for setting, table in zip(settings, tables, strict=True):
        yield Proposal(table, f"those of {setting.name}", is_stated=False)
    if completed is not None and not is_group:
        yield Proposal(completed, "the group that the listed operations make", is_stated=False)


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
            attempt = _attempt(Proposal(moved, name, False), atoms, stated)
        except CrystalError:
            continue
        if not attempt.findings.refusals:
            yield attempt


def _tell_of(best: Attempt, first: Proposal, atoms: ListedAtoms, stated: Stated) -> None:
    """Warn of what was taken for what, and of what does not fit."""
    where, findings = stated.where, best.findings
    if best.proposal is not first or (not best.proposal.is_stated and not stated.operations):
        tell(
            where,
            f"{first.name} do not agree with what else is stated; "
            f"{best.proposal.name} were taken, which make {written(findings.counts)}"
            if stated.operations
            else f"the space group was taken in the setting {best.proposal.name}, which makes "
            f"{written(findings.counts)}",
        )
    elif not stated.operations and not stated.names_group:
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


def _no_setting(stated: Stated) -> str:
    named = stated.symbol or stated.hall or f"number {stated.group}"
    lattice = stated.lattice
    cell = ", ".join(f"{value:g}" for value in lattice.parameters)
    return (
        f"{stated.where}: no known setting of the space group {named} fits the cell {cell}; "
        "correct one of them, or list the symmetry operations"
    )
