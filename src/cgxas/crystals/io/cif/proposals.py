"""The symmetry operations that a file may mean: those it lists, and those of the group it names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cgxas.crystals.io.cif.operations import IDENTITY, Operations, parsed, products
from cgxas.crystals.io.cif.settings import Setting, settings_of
from cgxas.crystals.io.cif.stated import Stated, tell
from cgxas.errors import InvalidCell, UnreadableCrystal

_MOST_SETTINGS = 24


@dataclass(frozen=True, eq=False)
class Proposal:
    """Operations that may be meant.

    Attributes:
        operations: of a group.
        name: what they are, for messages.
        is_stated: whether the file says outright that it means them.
        is_short: whether they are listed, but too few for the group that the file names.
    """

    operations: Operations
    name: str
    is_stated: bool = False
    is_short: bool = False


def proposals_of(stated: Stated) -> Iterator[Proposal]:
    """Yield what operations may be meant, the likeliest first.

    Raises:
        UnreadableCrystal: what is listed are no operations, and no group is named.
        InvalidCell: no setting of the named group fits the cell.
    """
    settings, is_sure = settings_of(stated)
    settings = settings[:_MOST_SETTINGS]
    listed = _listed(stated, settings)
    if listed is not None:
        yield from _of_listed(listed, settings, stated)
    elif not stated.names_group:
        yield Proposal(IDENTITY, "P 1, as no symmetry is stated", is_stated=True)
        return
    elif not settings:
        raise InvalidCell(_no_setting(stated))
    else:
        for index, setting in enumerate(settings):
            yield Proposal(setting.operations(), setting.name, is_sure and index == 0)
    yield Proposal(IDENTITY, "the listed atoms alone, which are all of the cell")


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
    orders = {len(table) for table in tables} or {len(listed)}
    is_stated = is_group and fits and orders == {len(listed)}
    yield Proposal(listed, name, is_stated, is_short=len(listed) < min(orders))
    for setting, table in zip(settings, tables, strict=True):
        yield Proposal(table, f"those of {setting.name}")
    if completed is not None and not is_group:
        yield Proposal(completed, "the group that the listed operations make")


def _no_setting(stated: Stated) -> str:
    named = stated.symbol or stated.hall or f"number {stated.group}"
    lattice = stated.lattice
    cell = ", ".join(f"{value:g}" for value in lattice.parameters)
    return (
        f"{stated.where}: no known setting of the space group {named} fits the cell {cell}; "
        "correct one of them, or list the symmetry operations"
    )
