"""What FEFF is told of a site: the spheres, the cards, and the same for the same crystal."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.errors import AbsorberNotInCrystal, ConfigError
from cgxas.simulation.crystal import crystal_of, orbits_of
from cgxas.simulation.feff_input import cluster_around, feff_input
from cgxas.simulation.presets import CARDS, FULL, QUICK, Sphere, preset_of


def nickel_oxide() -> Structure:
    return Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.1684), ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )


def rutile() -> Structure:
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )


def card(text: str, name: str) -> list[str]:
    return next(line.split()[1:] for line in text.splitlines() if line.startswith(f"{name} "))


def told(structure: Structure, absorber: str, preset=QUICK) -> list[str]:
    return [each.text for each in orbits_of(crystal_of(structure), absorber, preset)]


@pytest.mark.parametrize(
    ("distances", "radius"),
    [
        ([0.0, 2.0, 2.5, 4.0], 4.1),  # the fourth atom, and a margin
        ([0.0, 1.0, 1.0, 1.5], 3.0),
        ([0.0, 3.0, 5.0, 7.0], 5.0),
        ([0.0, 3.0], 5.0),
    ],
)
def test_a_sphere_holds_its_atoms_within_its_bounds(distances, radius):
    assert Sphere(4, 3.0, 5.0).radius(np.array(distances)) == pytest.approx(radius)


def test_the_spheres_of_nickel_oxide():
    """19 atoms lie within 2.95 A and 33 within 4.17 A; as many as the shared runs tell: 57."""
    (text,) = told(nickel_oxide(), "Ni")
    crystal = crystal_of(nickel_oxide())
    distances = cluster_around(crystal.cell, int(np.argmax(crystal.cell.numbers))).distances
    scf, fms = (float(card(text, name)[0]) for name in ("SCF", "FMS"))
    assert ((distances <= scf).sum(), (distances <= fms).sum()) == (19, 57)
    (text,) = told(nickel_oxide(), "Ni", FULL)
    assert (card(text, "SCF")[0], card(text, "FMS")[0]) == ("4.5000", "7.5000")


def test_light_absorbers_scatter_d_waves_at_most():
    (oxygen,), (nickel,) = (told(nickel_oxide(), each) for each in ("O", "Ni"))
    waves = {name: {line.split()[3] for line in potentials(text)} for name, text in
             (("O", oxygen), ("Ni", nickel))}  # fmt: skip
    assert waves == {"O": {"2"}, "Ni": {"-1"}}


def potentials(text: str) -> list[str]:
    lines = text.splitlines()
    return lines[lines.index("POTENTIALS") + 1 : lines.index("ATOMS") - 1]


def test_the_absorber_has_a_potential_of_its_own():
    (text,) = told(nickel_oxide(), "Ni")
    rows = [line.split() for line in potentials(text)]
    assert [row[1] for row in rows] == ["28", "8", "28"]
    atoms = [line.split() for line in text.splitlines() if len(line.split()) == 6][3:]
    assert [row[3] for row in atoms].count("0") == 1
    counted = {n: sum(row[3] == n for row in atoms) for n in ("1", "2")}
    assert float(rows[1][5]) == counted["1"]
    assert float(rows[2][5]) == counted["2"] + 1  # as in pymatgen, with the absorber


def test_the_cards_are_those_of_pymatgen():
    sets = pytest.importorskip("pymatgen.io.feff.sets")
    tags = sets.MPXANESSet.CONFIG
    ours = dict(line.split(maxsplit=1) for line in CARDS)
    for name, value in ours.items():
        assert np.array_equal(_numbers(value), _numbers(tags[name])), name
    (text,) = told(nickel_oxide(), "Ni", FULL)
    for name in ("SCF", "FMS", "CONTROL", "PRINT"):
        assert np.array_equal(_numbers(" ".join(card(text, name))), _numbers(tags[name])), name


@pytest.mark.parametrize(
    ("crystal", "absorber"), [(nickel_oxide, "Ni"), (nickel_oxide, "O"), (rutile, "O")]
)
def test_full_writes_the_atoms_and_potentials_that_pymatgen_writes(crystal, absorber):
    sets = pytest.importorskip("pymatgen.io.feff.sets")
    structure = crystal()
    site = next(n for n, each in enumerate(structure) if each.specie.symbol == absorber)
    theirs = sets.MPXANESSet(site, structure).all_input()
    rows = [line.split() for line in str(theirs["POTENTIALS"]).splitlines()[3:]]
    (text,) = told(structure, absorber, FULL)
    mine = [line.split() for line in potentials(text)]
    assert sorted(row[1:6] for row in mine) == sorted(row[1:6] for row in rows)
    lines = [line.split() for line in str(theirs["ATOMS"]).splitlines()[3:]]
    kind = {row[0]: row[1] for row in rows}
    atoms = [line.split() for line in text.split("ATOMS\n")[1].splitlines()[:-1]]
    mine_kind = {row[0]: row[1] for row in mine}
    assert sorted(
        (kind[row[3]], round(float(row[5]), 3)) for row in lines if len(row) > 5
    ) == sorted((mine_kind[row[3]], round(float(row[5]), 3)) for row in atoms)


def _numbers(text) -> list[float | str]:
    return [
        float(word) if word.replace(".", "").replace("-", "").isdigit() else word
        for word in str(text).split()
    ]


def test_the_same_crystal_is_the_same_run():
    """Turned, shifted, shuffled, as a supercell: what was computed once is found again."""
    other = rutile()
    other.make_supercell([2, 1, 1])
    other.translate_sites(range(len(other)), [0.1, 0.2, 0.3])
    turned = Structure(
        Lattice.from_parameters(*other.lattice.parameters, vesta=True),
        other.species[::-1],
        other.frac_coords[::-1],
    )
    for absorber in ("Ti", "O"):
        one, two = told(rutile(), absorber), told(turned, absorber)
        assert len(one) == len(two) == 1
        a, b = (np.array([line.split() for line in each[0].split("ATOMS")[1].splitlines()[1:-1]])
                for each in (one, two))  # fmt: skip
        np.testing.assert_allclose(a[:, 5].astype(float), b[:, 5].astype(float), atol=2e-5)
        np.testing.assert_array_equal(a[:, 3], b[:, 3])
        assert one[0].split("ATOMS")[0] == two[0].split("ATOMS")[0]


def test_distinct_sites_are_told_apart():
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    uneven = Structure(Lattice.tetragonal(4.0, 4.4), ["Ni", "Ni", "O", "O", "O"], places)
    found = orbits_of(crystal_of(uneven), "Ni", QUICK)
    assert [each.sites for each in found] == [(0,), (1,)]
    assert found[0].text != found[1].text
    assert [each.sites for each in orbits_of(crystal_of(uneven), "O", QUICK)] == [(2,), (3, 4)]


def test_what_cannot_be_simulated_is_refused():
    with pytest.raises(AbsorberNotInCrystal, match="holds no Fe"):
        orbits_of(crystal_of(nickel_oxide()), "Fe", QUICK)
    with pytest.raises(ConfigError, match="choose quick or full"):
        preset_of("slow")


def test_a_lone_atom_makes_an_input():
    text = feff_input(cluster_around(crystal_of(nickel_oxide()).cell, 0, radius=1.0), QUICK)
    assert len(potentials(text)) == 1
