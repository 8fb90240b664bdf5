"""JSON of pymatgen, the Materials Project, OPTIMADE, JARVIS and ASE."""

import json
import sys

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from pymatgen.core import Lattice, Molecule, Structure
from pymatgen.entries.computed_entries import ComputedEntry, ComputedStructureEntry

from cgxas.crystals.io.read import read_crystal
from cgxas.errors import CgxasError, DisorderedCrystal, UnreadableCrystal

ROCKSALT = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(4.17), ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
FLUORITE = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(5.46), ["Ca", "F"], [[0, 0, 0], [0.25, 0.25, 0.25]]
)
WURTZITE = Structure.from_spacegroup(
    "P6_3mc", Lattice.hexagonal(3.82, 6.26), ["Zn", "S"], [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, 0.375]]
)
CRYSTALS = (ROCKSALT, FLUORITE, WURTZITE)


def documents(structure: Structure) -> dict[str, object]:
    """All documents a structure is found in."""
    entry = ComputedStructureEntry(structure, -3.0).as_dict()
    own = structure.as_dict()
    charged = structure.copy().add_oxidation_state_by_guess().as_dict()
    old = {"lattice": own["lattice"]["matrix"], "sites": own["sites"]}
    edges = {k: v for k, v in own["lattice"].items() if k not in ("matrix", "pbc")}
    return {
        "structure": own,
        "with charges": charged,
        "matrix only": old,
        "lengths and angles": {"lattice": edges, "sites": own["sites"]},
        "computed entry": entry,
        "list of one entry": [entry],
        "summary": {"material_id": "mp-1", "formula_pretty": "x", "structure": own},
        "list of one summary": [{"material_id": "mp-1", "structure": own, "band_gap": None}],
        "answer of a server": {"data": [{"material_id": "mp-1", "structure": own}], "meta": {}},
        "old answer": {"valid_response": True, "response": [{"structure": own}]},
        "task": {"task_id": "mp-1", "output": {"structure": own, "energy": float("nan")}},
        "optimade": {"data": [optimade(structure)]},
        "jarvis": jarvis(structure),
        "jarvis document": {"jid": "JVASP-1", "atoms": jarvis(structure)},
    }


def optimade(structure: Structure) -> dict[str, object]:
    kinds = [
        {"name": s, "chemical_symbols": [s], "concentration": [1.0]} for s in structure.symbol_set
    ]
    return {
        "id": "1",
        "type": "structures",
        "attributes": {
            "lattice_vectors": structure.lattice.matrix.tolist(),
            "cartesian_site_positions": structure.cart_coords.tolist(),
            "species": kinds,
            "species_at_sites": [str(each) for each in structure.species],
            "dimension_types": [1, 1, 1],
        },
    }


def jarvis(structure: Structure) -> dict[str, object]:
    return {
        "lattice_mat": structure.lattice.matrix.tolist(),
        "coords": structure.frac_coords.tolist(),
        "elements": [str(each) for each in structure.species],
        "cartesian": False,
    }


@pytest.mark.parametrize("structure", CRYSTALS, ids=lambda each: each.composition.reduced_formula)
@pytest.mark.parametrize("kind", documents(ROCKSALT))
def test_documents(write, structure, kind):
    found = read_crystal(write(json.dumps(documents(structure)[kind])))
    assert found.atomic_numbers == structure.atomic_numbers
    np.testing.assert_allclose(found.distance_matrix, structure.distance_matrix, atol=1e-6)


@pytest.mark.parametrize("name", ["a.json", "a", "a.cif", "a.txt", "POSCAR"])
def test_any_name(counted, name):
    assert counted(ROCKSALT.to_json(), name) == {"Ni": 4, "O": 4}


@pytest.mark.parametrize(
    ("crystal", "expected"),
    [
        (bulk("NaCl", "rocksalt", a=5.64), {"Na": 1, "Cl": 1}),
        (bulk("GaAs", "zincblende", a=5.65, cubic=True), {"Ga": 4, "As": 4}),
        (bulk("Fe", cubic=True), {"Fe": 2}),
    ],
)
def test_json_of_ase(tmp_path, counted, crystal, expected):
    from ase.io.jsonio import encode

    ase.io.write(tmp_path / "a.json", crystal)
    assert counted((tmp_path / "a.json").read_bytes()) == expected
    assert counted(encode(crystal.todict())) == expected


def test_molecules(write):
    molecule = Molecule(["C", "O"], [[0, 0, 0], [0, 0, 1.13]])
    assert read_crystal(write(molecule.to_json())).properties["boxed"] is True


def test_several_are_refused_by_name(write):
    several = [{"material_id": f"mp-{n}", "structure": ROCKSALT.as_dict()} for n in range(5)]
    with pytest.raises(UnreadableCrystal, match=r"5 documents \(mp-0, mp-1, mp-2, \.\.\.\)"):
        read_crystal(write(json.dumps(several)))
    images = [bulk("Cu"), bulk("Ag")]
    path = write("", "a.json")
    ase.io.write(path, images)
    with pytest.raises(UnreadableCrystal, match="2 rows"):
        read_crystal(path)


def test_no_module_is_imported_by_name(write, tmp_path, monkeypatch):
    (tmp_path / "told_to_import.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    evil = {"@module": "told_to_import", "@class": "Structure"}
    own = ROCKSALT.as_dict()
    own["properties"] = {"a": evil}
    for site in own["sites"]:
        site["properties"] = {"b": evil}
    for document in ({**own, **evil}, {"structure": {**own, **evil}, **evil}):
        assert len(read_crystal(write(json.dumps(document)))) == 8
    with pytest.raises(UnreadableCrystal, match="holds no crystal"):
        read_crystal(write(json.dumps(evil)))
    assert "told_to_import" not in sys.modules


def changed(**site) -> str:
    document = ROCKSALT.as_dict()
    document["sites"][0].update(site)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "holds no crystal"),
        ("{}", "holds no crystal"),
        ("[[[[[[[[[{}]]]]]]]]]", "holds no crystal"),
        ('{"structure": null}', "holds no crystal"),
        ('{"structure": 3}', "holds no crystal"),
        ('{"sites": []}', "lattice|no atom|readable"),
        ('{"sites": [], "lattice": {"matrix": [[1,0,0],[0,1,0],[0,0,1]]}}', "no atom"),
        ('{"sites": [{}], "lattice": {}}', "not a readable JSON"),
        ('{"sites": [1, 2], "lattice": []}', "not a readable JSON"),
        (json.dumps(ComputedEntry("Fe2O3", -1.0).as_dict()), "holds no crystal"),
        (changed(species=[{"element": "T1", "occu": 1}]), "'T1'"),
        (changed(species=[{"element": "Va", "occu": 1}]), "'Va'"),
        (changed(species=[{"element": None, "occu": 1}]), "'None'"),
        (changed(species=None), "not a readable JSON"),
        (changed(abc=[0, 0]), "not a readable JSON"),
        (changed(abc="000"), "not a readable JSON"),
        (changed(abc=[float("nan"), 0, 0]), "finite"),
        (changed(abc=[0, 0, 10**400]), "JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"sites": ' + "9" * 5000 + "}", "not valid JSON"),
        ('{"numbers": [26], "positions": [[0, 0]]}', "not a readable JSON"),
        ('{"numbers": [0], "positions": [[0, 0, 0]]}', "'0' is not the atomic number"),
        ('{"ids": [1, 2], "nextid": 3}', "missing or unknown"),
    ],
)
def test_bad_files(write, text, message):
    with pytest.raises(CgxasError, match=message):
        read_crystal(write(text, "a.json"))


def test_shared_sites_are_disorder(write):
    shared = changed(species=[{"element": "Ni", "occu": 0.5}, {"element": "Co", "occu": 0.5}])
    with pytest.raises(DisorderedCrystal):
        read_crystal(write(shared))


def test_too_many_values_are_refused_before_they_are_read(write, monkeypatch):
    monkeypatch.setenv("CGXAS_MAX_ATOMS", "10")
    with pytest.raises(UnreadableCrystal, match="CGXAS_MAX_ATOMS"):
        read_crystal(write("[" + "[]," * 1000 + "[]]"))
