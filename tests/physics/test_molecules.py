"""A molecule's spectra do not depend on how it is turned, nor on the order of its atoms."""

import numpy as np
import pytest
from ase.build import molecule
from pymatgen.core import Molecule

NAMES = [
    "H2O",
    "C6H6",
    "CH4",
    "CO2",
    "O2",
    "O",
    "NH3",
    "CH3CH2OH",
    "SO2",
    "trans-butane",
    "isobutane",
]


def as_molecule(name: str) -> Molecule:
    atoms = molecule(name)
    return Molecule(atoms.get_chemical_symbols(), atoms.positions)


@pytest.mark.parametrize("name", NAMES)
def test_turned_and_shuffled(name, predictor, spectra_of_sites):
    given = as_molecule(name)
    expected = spectra_of_sites(predictor, given)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(given))
        matrix, _ = np.linalg.qr(rng.standard_normal((3, 3)))  # a rotation, or one with a mirror
        places = given.cart_coords[order] @ matrix.T + rng.uniform(-3, 3, 3)
        found = spectra_of_sites(predictor, Molecule([given[int(n)].specie for n in order], places))
        assert found.keys() and len(found) == len(expected)
        for site, mu in found.items():
            np.testing.assert_allclose(mu, expected[int(order[site])], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "element", "groups"),
    [("C6H6", "C", 1), ("CO2", "O", 1), ("CH3CH2OH", "C", 2), ("trans-butane", "C", 2)],
)
def test_equivalent_atoms_share_one_spectrum(name, element, groups, predictor):
    assert len(predictor.predict(as_molecule(name), element).sites) == groups


def test_ase_and_pymatgen_agree(predictor):
    from_ase = predictor.predict(molecule("CH3CH2OH"), "O").norm
    from_pymatgen = predictor.predict(as_molecule("CH3CH2OH"), "O").norm
    np.testing.assert_allclose(from_ase, from_pymatgen, rtol=0, atol=1e-12)


def test_different_molecules_differ(predictor):
    mu = [predictor.predict(molecule(name), "O").norm for name in ("H2O", "CO2", "O2", "CH3CH2OH")]
    for n, one in enumerate(mu):
        assert all(np.abs(one - other).max() > 1e-3 for other in mu[:n])
