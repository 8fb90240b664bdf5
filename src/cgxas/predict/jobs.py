"""A crystal as the user gives it -> the ordered crystals and graphs that a model answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cgxas.crystals.canonical import Cell
from cgxas.crystals.disorder.occupancy import FULL, Occupancy, is_disordered, occupancies, whole
from cgxas.crystals.disorder.order import Arrangements, Disorder, arrangements
from cgxas.crystals.graph import SiteGraph, graph_of
from cgxas.crystals.io.read import CrystalLike, read_structure, source_of
from cgxas.crystals.spec import GraphSpec
from cgxas.crystals.structure import Crystal, checked_sites, refuse_overlaps, settled
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.errors import AbsorberNotInCrystal, CgxasError
from cgxas.typing import IntArray

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

ALL = "all"
"""Stands for all absorbers that a model knows in a crystal."""


@dataclass(frozen=True)
class Failure:
    """A crystal that could not be answered.

    Attributes:
        crystal: its file, or its formula or place among the crystals.
        reason: why, in one sentence.
        error: the error itself.
    """

    crystal: str
    reason: str
    error: CgxasError

    @classmethod
    def of(cls, given: CrystalLike, number: int, error: CgxasError) -> "Failure":
        """Return it for the crystal with a running number."""
        formula = getattr(given, "formula", None) or getattr(given, "symbols", "")
        name = source_of(given) or str(formula)
        return cls(name or f"crystal {number}", str(error), error)


@dataclass(frozen=True)
class Question:
    """What a model is asked of each crystal.

    Attributes:
        absorbers: symbols of the elements; "all" among them.
        known: the elements the model answers for.
        model: name of the model.
        spec: recipe of its graphs.
        disorder: what is done with a disordered crystal.
        sites: the caller's indices of the only sites wanted; all of each absorber if None.
        any_of_them: a crystal need not hold all of the absorbers.
    """

    absorbers: tuple[str, ...]
    known: tuple[str, ...]
    model: str
    spec: GraphSpec
    disorder: Disorder = Disorder()  # noqa: RUF009  (it is frozen)
    sites: tuple[int, ...] | None = None
    any_of_them: bool = False

    def of(self, present: Sequence[str]) -> tuple[str, ...]:
        """Return which absorbers are wanted of a crystal that holds some elements.

        Raises:
            AbsorberNotInCrystal: the model knows none of them, or none of the wanted is there.
        """
        known = [element for element in present if element in self.known]
        wanted = [each for a in self.absorbers for each in (known if a == ALL else [a])]
        if not wanted:
            raise AbsorberNotInCrystal(
                f"the crystal holds {', '.join(present)}, and {self.model} knows none of it"
            )
        held = [each for each in wanted if each in present] if self.any_of_them else wanted
        if not held:
            raise AbsorberNotInCrystal(
                f"it holds no {' or '.join(wanted)}; it holds {', '.join(present)}"
            )
        return tuple(dict.fromkeys(held))


@dataclass(frozen=True, eq=False)
class Part:
    """One ordered crystal on its way through the network.

    Attributes:
        graph: its graph.
        orbit_of_atom: (N,) orbit number of each of its atoms, as in `Job.orbit_of_site`.
        atoms: absorber -> its atoms that are averaged over; there may be none in one of a sample.
    """

    graph: SiteGraph
    orbit_of_atom: IntArray
    atoms: dict[str, IntArray]


@dataclass(frozen=True, eq=False)
class Job:
    """One crystal of the user, and the ordered ones that are answered in its place.

    Attributes:
        structure: what the user gave, as a pymatgen Structure in the user's order.
        source: where it came from (a file name), or empty.
        formula: what it is.
        absorbers: the wanted elements.
        sites: absorber -> the wanted sites of the structure.
        orbit_of_site: (M,) orbit number, 0 to K - 1, of each site of the structure.
        parts: an ordered crystal itself; or the ordered ones that stand for a disordered one.
        disorder: what those are, in a few words; empty for an ordered crystal.
        places: (K,) places of each orbit in each of the parts, filled or not; None likewise.
    """

    structure: "Structure"
    source: str
    formula: str
    absorbers: tuple[str, ...]
    sites: dict[str, IntArray]
    orbit_of_site: IntArray
    parts: tuple[Part, ...]
    disorder: str = ""
    places: IntArray | None = None

    def __len__(self) -> int:
        return sum(len(part.graph) for part in self.parts)

    @property
    def name(self) -> str:
        """Its source, or its formula where that is empty."""
        return self.source or self.formula


def job_of(given: CrystalLike, question: Question) -> Job:
    """Read a crystal and lay out what is to be answered.

    Raises:
        CrystalError: the crystal cannot be used.
        AbsorberError: the absorber or the sites cannot be answered.
    """
    source = source_of(given)
    try:
        structure = read_structure(given)
        if is_disordered(structure):
            return _disordered(structure, source, question)
        return _ordered(settled(whole(structure), source, question.spec), question)
    except CgxasError as error:
        # Say which file an error speaks of, where it does not say so itself.
        if not source or source in str(error):
            raise
        raise type(error)(f"{source}: {error}") from error


def _ordered(crystal: Crystal, question: Question) -> Job:
    absorbers = question.of(crystal.elements)
    sites = {each: crystal.checked_sites(each, question.sites) for each in absorbers}
    part = Part(graph_of(crystal, question.spec), crystal.orbit_of_site, sites)
    return Job(
        structure=crystal.structure,
        source=crystal.source,
        formula=crystal.formula,
        absorbers=absorbers,
        sites=sites,
        orbit_of_site=crystal.orbit_of_site,
        parts=(part,),
    )


def _disordered(structure: "Structure", source: str, question: Question) -> Job:
    held = occupancies(structure)
    lattice, frac = np.array(structure.lattice.matrix), np.array(structure.frac_coords)
    taken = np.array([each.total >= FULL for each in held])
    refuse_overlaps(Cell(lattice, frac, np.zeros(len(held), np.int64)), np.flatnonzero(taken))
    found = arrangements(structure, question.disorder, question.spec.symprec, source)
    numbers = sorted({z for each in held for z in each.elements})
    absorbers = question.of([SYMBOLS[z - 1] for z in numbers])
    name = source or found.formula
    sites = {each: _sites(held, each, question, name) for each in absorbers}
    parts = tuple(_parts(found, sites, question.spec))
    for absorber in absorbers:
        if not any(len(part.atoms[absorber]) for part in parts):
            raise AbsorberNotInCrystal(
                f"no {absorber} is left in the {found.told} of {name}: it is too rare there; "
                f"{'take a sample' if found.told == 'majority' else 'order the crystal'} to keep it"
            )
    return Job(
        structure=structure,
        source=source,
        formula=found.formula,
        absorbers=absorbers,
        sites=sites,
        orbit_of_site=found.orbit_of_site,
        parts=parts,
        disorder=found.told,
        places=found.places,
    )


def _sites(held: list[Occupancy], absorber: str, question: Question, name: str) -> IntArray:
    """Return the wanted sites that hold an absorber, if only in part."""
    z = atomic_number(absorber)
    available = np.array([n for n, each in enumerate(held) if z in each.elements], dtype=np.int64)
    if not len(available):
        present = sorted({each for site in held for each in site.elements})
        raise AbsorberNotInCrystal(
            f"{name} holds no {absorber}; it holds {', '.join(SYMBOLS[n - 1] for n in present)}"
        )
    if question.sites is None:
        return available
    return checked_sites(question.sites, available, absorber, name)


def _parts(found: Arrangements, sites: dict[str, IntArray], spec: GraphSpec) -> list[Part]:
    parts = []
    for member in found.members:
        crystal = settled(member.structure, "", spec)
        atoms = {}
        for absorber, wanted in sites.items():
            orbits = np.unique(found.orbit_of_site[wanted])
            own = crystal.numbers == atomic_number(absorber)
            atoms[absorber] = np.flatnonzero(own & np.isin(member.orbit_of_atom, orbits))
        parts.append(Part(graph_of(crystal, spec), member.orbit_of_atom, atoms))
    return parts
