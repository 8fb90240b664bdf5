"""JSON of pymatgen, the Materials Project, OPTIMADE and ASE: plain values, of which none is run.

What a file says of modules and classes (@module, @class) is not followed: a crystal is known by
its shape, and built from its lattice, its elements and its places.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from pymatgen.core.composition import Composition
from pymatgen.core.lattice import Lattice
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import IMolecule, IStructure, Molecule, Structure

from cgxas import limits
from cgxas.crystals.io.base import CrystalFormat
from cgxas.crystals.io.content import Content
from cgxas.crystals.io.species import elements, named_element, numbered_element
from cgxas.errors import UnreadableCrystal
from cgxas.typing import FloatArray

_INSIDE = ("structure", "final_structure", "molecule", "entry", "output", "attributes", "atoms")
"""Where documents keep their crystal: computed entries, the Materials Project, OPTIMADE, JARVIS."""

_LISTS = ("data", "response", "results", "docs")
"""Where answers of servers keep their documents."""

_NAMES = ("material_id", "mp_id", "task_id", "entry_id", "id", "formula_pretty", "pretty_formula")
_VALUES_PER_ATOM = 200
_CONTAINERS_PER_ATOM = 50
_DEEPEST = 6


def structure_of_dict(value: Mapping[str, Any]) -> IStructure | IMolecule:
    """Return the crystal or molecule of a pymatgen dictionary; no class it names is imported.

    Args:
        value: with `lattice` and `sites` as `Structure.as_dict` gives them, or only `sites` as
            `Molecule.as_dict` does.

    Raises:
        KeyError, TypeError, ValueError: it does not hold what it should.
    """
    sites = value["sites"]
    species = [_species(site["species"]) for site in sites]
    lattice = value.get("lattice")
    if lattice is None:
        return Molecule(species, _places([site["xyz"] for site in sites]))
    cell = _lattice(lattice)
    if all("abc" in site for site in sites):
        return Structure(cell, species, _places([site["abc"] for site in sites]))
    places = _places([site["xyz"] for site in sites])
    return Structure(cell, species, places, coords_are_cartesian=True)


def _recognises(content: Content) -> bool:
    return content.head.lstrip()[:1] in ("{", "[") and not content.is_binary


def _read(content: Content) -> Any:
    _refuse_too_many(content)
    try:
        value = json.loads(content.text)
    except RecursionError:
        raise UnreadableCrystal(f"{content.path} is nested too deeply to be a crystal") from None
    except ValueError as error:
        raise UnreadableCrystal(f"{content.path} is not valid JSON: {error}") from error
    return _found(content, value, _DEEPEST)


def _refuse_too_many(content: Content) -> None:
    """Refuse more values than the atoms that are taken need: each takes much memory."""
    text = content.text
    containers = text.count("{") + text.count("[")
    values = text.count(",") + containers
    atoms = max(values / _VALUES_PER_ATOM, containers / _CONTAINERS_PER_ATOM)
    if atoms > limits.ATOMS.value:
        raise UnreadableCrystal(
            f"{content.path} holds {values:,} values, more than {limits.ATOMS.value:,} atoms need; "
            f"set {limits.ATOMS.variable} to take more"
        )


def _found(content: Content, value: Any, depth: int) -> Any:
    """Return the one crystal in a value."""
    if isinstance(value, list) and depth:
        return _found(content, _only(content, value), depth - 1)
    if not isinstance(value, dict) or not depth:
        raise _no_crystal(content)
    reader = next((read for fits, read in _SHAPES if fits(value)), None)
    if reader is not None:
        return reader(content, value)
    for name in _INSIDE:
        if isinstance(value.get(name), dict):
            return _found(content, value[name], depth - 1)
    for name in _LISTS:
        if isinstance(value.get(name), list | dict):
            return _found(content, value[name], depth - 1)
    raise _no_crystal(content)


def _no_crystal(content: Content) -> UnreadableCrystal:
    return UnreadableCrystal(
        f"{content.path} holds no crystal: a JSON file should be a pymatgen structure, a document "
        "of the Materials Project with its structure, or ASE's"
    )


def _only(content: Content, documents: list[Any]) -> Any:
    if len(documents) == 1:
        return documents[0]
    if not documents or not isinstance(documents[0], dict):
        raise _no_crystal(content)
    names = ", ".join(_name(each) for each in documents[:3])
    raise UnreadableCrystal(
        f"{content.path} holds {len(documents):,} documents ({names}"
        f"{', ...' if len(documents) > 3 else ''}); give a file for each"
    )


def _name(document: Any) -> str:
    if not isinstance(document, dict):
        return type(document).__name__
    known = next((document[name] for name in _NAMES if document.get(name)), "one without a name")
    return str(known)[:40]


def _pymatgen(content: Content, value: dict[str, Any]) -> IStructure | IMolecule:
    limits.ATOMS.refuse_beyond(len(value["sites"]), f"{content.path} lists", UnreadableCrystal)
    return structure_of_dict(value)


def _species(value: Any) -> Composition:
    """Return what stands on a site: the shares of its elements, charges left out."""
    if isinstance(value, str):
        value = [{"element": value, "occu": 1}]
    shares: dict[Element, float] = {}
    for each in value:
        kind = _element(each["element"])
        shares[kind] = shares.get(kind, 0.0) + float(each.get("occu", 1))
    return Composition(shares)


def _element(symbol: Any) -> Element:
    if not (isinstance(symbol, str) and Element.is_valid_symbol(symbol)):
        raise ValueError(f"{str(symbol)[:20]!r} is not a chemical element")
    return Element(symbol)


def _lattice(value: Any) -> Lattice:
    if isinstance(value, Mapping) and "matrix" in value:
        return Lattice(_matrix(value["matrix"]), pbc=_pbc(value.get("pbc", (1, 1, 1))))
    if isinstance(value, Mapping):
        edges = [float(value[name]) for name in ("a", "b", "c", "alpha", "beta", "gamma")]
        return Lattice.from_parameters(*edges)
    return Lattice(_matrix(value))


def _pbc(value: Any) -> tuple[bool, bool, bool]:
    a, b, c = value
    return bool(a), bool(b), bool(c)


def _matrix(value: Any) -> FloatArray:
    return np.array(value, dtype=np.float64).reshape(3, 3)


def _places(value: Any) -> FloatArray:
    return np.array(value, dtype=np.float64).reshape(-1, 3)


def _optimade(content: Content, value: dict[str, Any]) -> Structure:
    """Read the attributes of an OPTIMADE structure; places in A."""
    shares = {}
    for each in value["species"]:
        symbols, amounts = each["chemical_symbols"], each["concentration"]
        kinds = [
            (_element(symbol), float(amount))
            for symbol, amount in zip(symbols, amounts, strict=True)
            if symbol != "vacancy"
        ]
        shares[each["name"]] = Composition(dict(kinds))
    species = [shares[name] for name in value["species_at_sites"]]
    pbc = _pbc(value.get("dimension_types", (1, 1, 1)))
    lattice = Lattice(_matrix(value["lattice_vectors"]), pbc=pbc)
    places = _places(value["cartesian_site_positions"])
    return Structure(lattice, species, places, coords_are_cartesian=True)


def _jarvis(content: Content, value: dict[str, Any]) -> Structure:
    """Read the atoms of a JARVIS document."""
    species = [named_element(content, str(each)) for each in value["elements"]]
    is_cartesian = bool(value.get("cartesian"))
    lattice, places = Lattice(_matrix(value["lattice_mat"])), _places(value["coords"])
    return Structure(lattice, elements(species), places, coords_are_cartesian=is_cartesian)


def _ase_database(content: Content, value: dict[str, Any]) -> Any:
    """Read ASE's database in JSON, if it has a single row."""
    rows = [value[str(number)] for number in value["ids"]]
    limits.ATOMS.refuse_beyond(len(rows), f"{content.path} lists", UnreadableCrystal)
    if len(rows) != 1:
        raise UnreadableCrystal(
            f"{content.path} is a database of {len(rows):,} rows; write the one row to a file"
        )
    return _ase(content, rows[0])


def _ase(content: Content, value: dict[str, Any]) -> Any:
    """Read what ASE writes of its Atoms."""
    from ase import Atoms

    numbers = [numbered_element(content, str(each)) for each in _array(value["numbers"])]
    limits.ATOMS.refuse_beyond(len(numbers), f"{content.path} lists", UnreadableCrystal)
    cell = np.array(_array(value.get("cell", np.zeros((3, 3)))), dtype=np.float64)
    pbc = np.array(_array(value.get("pbc", False)), dtype=bool)
    places = np.array(_array(value["positions"]), dtype=np.float64).reshape(-1, 3)
    return Atoms(numbers=numbers, positions=places, cell=cell, pbc=pbc)


def _array(value: Any) -> Any:
    """Return the list in ASE's description of an array: shape, type, flat list."""
    if isinstance(value, dict) and "array" in value:  # a cell
        value = value["array"]
    if isinstance(value, dict) and "__ndarray__" in value:
        shape, _, flat = value["__ndarray__"]
        return np.reshape(flat, shape).tolist()
    return value


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


_SHAPES: tuple[tuple[Callable[[dict[str, Any]], bool], Callable[..., Any]], ...] = (
    (lambda value: _is_list(value.get("sites")), _pymatgen),
    (lambda value: "cartesian_site_positions" in value, _optimade),
    (lambda value: "lattice_mat" in value and "coords" in value, _jarvis),
    (lambda value: "ids" in value and "nextid" in value, _ase_database),
    (lambda value: "numbers" in value and "positions" in value, _ase),
)
"""How a dictionary that is a crystal looks, and who reads it."""

FORMAT = CrystalFormat(
    name="JSON file of a crystal", recognises=_recognises, read=_read, names=("*.json",)
)
