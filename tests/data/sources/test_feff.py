import numpy as np
import pytest
from pymatgen.core.structure import Structure

from cgxas.data.sources.feff import read_runs, read_xmu
from cgxas.data.sources.item import ImportedSpectrum, LeftOut, Unusable


def only(runs) -> ImportedSpectrum | LeftOut:
    (item,) = read_runs(runs)
    return item


@pytest.mark.parametrize(
    ("version", "theory", "fidelity"),
    [
        ("9", "FEFF 9.9.1 (COREHOLE FSR, SCF 4.5 0 30 .2 1, FMS 7.5 0)", "FEFF9"),
        ("10", "FEFF 10.0.0 (COREHOLE FSR, SCF 4.5 0 30 .2 1, FMS 7.5 0)", "FEFF10"),
    ],
)
def test_run_of_pymatgen(runs, make_run, rutile, version, theory, fidelity):
    make_run("mp-2657/FEFF-XANES/000_Ti", rutile, 0, version)
    found = only(runs)
    assert (found.name, found.material_id) == ("mp-2657/FEFF-XANES/000_Ti", "mp-2657")
    assert (found.formula, found.element, found.site) == ("TiO2", "Ti", 0)
    assert found.site_certain
    assert (found.theory, found.fidelity) == (theory, fidelity)
    assert found.cell.numbers.tolist() == [22, 22, 8, 8, 8, 8]
    assert found.energy[0] == 4966.0
    assert found.norm[-1] == pytest.approx(0.9958, abs=1e-4)
    assert len(found.energy) == len(found.norm) == 120


def test_crystal_above_the_runs_goes_before_the_comments(runs, make_run, rutile):
    doubled = rutile * (1, 1, 2)
    for site in (0, 2):
        make_run(f"mp-2657/runs/{site}", rutile, site)
    doubled.to(filename=str(runs / "mp-2657" / "POSCAR"), fmt="poscar")
    first, second = read_runs(runs)
    assert len(first.cell.numbers) == len(second.cell.numbers) == 12
    assert (first.element, second.element) == ("Ti", "O")
    assert first.cell.numbers[first.site] == 22
    assert second.cell.numbers[second.site] == 8
    assert first.material_id == second.material_id == "mp-2657"


@pytest.mark.parametrize("name", ["POSCAR", "CONTCAR", "my_crystal.cif"])
def test_crystal_in_a_file_beside_the_run(runs, make_run, rutile, name):
    run = make_run("one", rutile, 1, header=False)
    rutile.to(filename=str(run / name), fmt="cif" if name.endswith("cif") else "poscar")
    found = only(runs)
    assert (found.formula, found.element, found.material_id) == ("TiO2", "Ti", "one")


def test_crystal_that_does_not_fit_is_passed_over(runs, make_run, rutile, two_sites):
    make_run("mp-1/a", rutile, 0)
    two_sites.to(filename=str(runs / "POSCAR"), fmt="poscar")
    assert only(runs).formula == "TiO2"


@pytest.mark.parametrize("site", [1, 3])
def test_site_is_found_by_its_surroundings(runs, make_run, two_sites, site):
    run = make_run("a", two_sites, site, header=False)
    shuffled = Structure.from_sites([two_sites[n] for n in (4, 3, 2, 1, 0)])
    shuffled.translate_sites(range(5), [0.13, 0.21, 0.34])
    shuffled.to(filename=str(run / "POSCAR"), fmt="poscar")
    found = only(runs)
    assert found.site == 4 - site
    assert found.site_certain


def test_slightly_changed_crystal_still_fits(runs, make_run, two_sites):
    run = make_run("a", two_sites, 3, header=False)
    changed = two_sites.copy()
    changed.scale_lattice(two_sites.volume * 1.005)
    changed.to(filename=str(run / "POSCAR"), fmt="poscar")
    assert only(runs).site == 3


def test_site_among_inequivalent_ones_of_equal_distances_is_uncertain(runs, make_run, two_sites):
    """Where the cluster ends before the surroundings differ."""
    run = make_run("a", two_sites, 1, header=False)
    lines = (run / "feff.inp").read_text().splitlines()
    start = lines.index("ATOMS")
    atoms = [line for line in lines[start + 3 :] if line.split()[:1] != ["END"]]
    nearest = [line for line in atoms if float(line.split()[5]) < 0.1]
    (run / "feff.inp").write_text("\n".join([*lines[: start + 3], *nearest, "END"]))
    two_sites.to(filename=str(run / "POSCAR"), fmt="poscar")
    found = only(runs)
    assert found.site == 1
    assert not found.site_certain


def test_source_may_be_a_run_itself(make_run, rutile):
    run = make_run("mp-7", rutile, 0)
    found = only(run)
    assert (found.name, found.material_id) == ("mp-7", "mp-7")


def test_reciprocal_run_of_pymatgen(runs, make_run, two_sites):
    make_run("a", two_sites, 3, tags={"RECIPROCAL": "", "KMESH": "100"})
    found = only(runs)
    assert (found.element, found.site, found.site_certain) == ("Ti", 3, True)


GRAPHITE = """\
TITLE graphite, after FEFF's manual
EDGE K
XANES 4.0
RECIPROCAL
KMESH 1000 0
TARGET 1
POTENTIALS
0 22 Ti
1 22 Ti
2 8  O
LATTICE P 2.456
0.86603 -0.5000 0.00000
0.00000 1.00000 0.00000
0.00000 0.00000 2.72638
{units}
ATOMS
{atoms}
END
"""
LENGTHS = "0 0 0.68160 1\n0 0 2.04479 1\n0.57735 0 0.68160 2\n0.28868 0.5 2.04479 2"


@pytest.mark.parametrize(
    ("units", "atoms"),
    [
        ("", LENGTHS),
        ("COORDINATES 3", LENGTHS),
        (
            "COORDINATES 1",
            "0 0 1.67401 1\n0 0 5.02200 1\n1.41797 0 1.67401 2\n0.70900 1.228 5.02200 2",
        ),
        (
            "COORDINATES 4",
            "0 0 0.25 1\n0 0 0.75 1\n0.66667 0.33333 0.25 2\n0.33333 0.66667 0.75 2",
        ),
    ],
)
def test_lattice_in_feff_inp(runs, units, atoms, feff_text):
    (runs / "feff.inp").write_text(GRAPHITE.format(units=units, atoms=atoms))
    (runs / "xmu.dat").write_text(feff_text("Ti"))
    found = only(runs)
    assert (found.formula, found.site) == ("TiO", 0)
    np.testing.assert_allclose(
        np.linalg.norm(found.cell.lattice, axis=1), [2.456, 2.456, 6.696], atol=1e-3
    )
    frac = found.cell.frac - np.floor(found.cell.frac + 1e-3)
    expected = [[0, 0, 0.25], [0, 0, 0.75], [2 / 3, 1 / 3, 0.25], [1 / 3, 2 / 3, 0.75]]
    np.testing.assert_allclose(frac, expected, atol=1e-3)


def test_absolute_run_is_normalised_as_feff_would(runs, make_run, rutile, feff_text):
    run = make_run("a", rutile, 0, tags={"ABSOLUTE": ""})
    table, _ = read_xmu(run / "xmu.dat")
    header = [line for line in feff_text("Ti").splitlines() if line.startswith("#")]
    table[:, 3:] *= 0.00024
    rows = [" ".join(f"{x:.6E}" if n > 2 else f"{x:.3f}" for n, x in enumerate(r)) for r in table]
    (run / "xmu.dat").write_text("\n".join([*header, *rows]))
    np.testing.assert_allclose(only(runs).norm, table[:, 3] / 0.00024, rtol=1e-4)
    (run / "xmu.dat").write_text("\n".join([*header, *rows[:60]]))
    assert only(runs).reason == "ABSOLUTE run ends before the background that normalises it"


def damaged(run, reason):
    """Spoil a run for each reason."""
    xmu, inp = run / "xmu.dat", run / "feff.inp"
    text = inp.read_text()
    match reason:
        case "xmu.dat is not readable":
            xmu.write_text(xmu.read_text() + "9036.0 ******* 1.0 1.0 1.0 0.0")
        case "xmu.dat is empty":
            xmu.write_text("# nothing\n")
        case "xmu.dat has other columns than omega e k mu mu0 chi":
            xmu.write_text(xmu.read_text().replace("mu    mu0     chi", "S(qw)  S^0(qw)  chi"))
        case "run has no feff.inp":
            inp.unlink()
        case "feff.inp is not readable":
            inp.write_text(text.replace("POTENTIALS", "CONTROL"))
        case "feff.inp has not exactly one absorber":
            lines = text.splitlines()
            lines[lines.index("ATOMS") + 3] = ""
            inp.write_text("\n".join(lines))
        case "not a K-edge XANES run":
            inp.write_text(text.replace("EDGE K", "EDGE L3"))
        case "no crystal beside the run or in feff.inp":
            inp.write_text(text[text.index("CONTROL") :])
        case "no atom of the crystal has the absorber's surroundings":
            inp.write_text(text.replace("  4.594000   4.594000", "  5.594000   4.594000"))
        case "crystal is not readable":
            inp.write_text(text[text.index("CONTROL") :])
            (run / "POSCAR").write_text("nothing")


REASONS = [
    "xmu.dat is not readable",
    "xmu.dat is empty",
    "xmu.dat has other columns than omega e k mu mu0 chi",
    "run has no feff.inp",
    "feff.inp is not readable",
    "feff.inp has not exactly one absorber",
    "not a K-edge XANES run",
    "no crystal beside the run or in feff.inp",
    "no atom of the crystal has the absorber's surroundings",
    "crystal is not readable",
]


@pytest.mark.parametrize("reason", REASONS)
def test_runs_are_left_out_with_a_reason(runs, make_run, rutile, reason):
    make_run("good", rutile, 0)
    damaged(make_run("bad", rutile, 0), reason)
    bad, good = read_runs(runs)
    assert bad == LeftOut("bad", reason)
    assert good.name == "good"


@pytest.mark.parametrize("cards", ["EDGE 1", "HOLE 1 1.0", ""])
def test_names_of_the_k_edge(runs, make_run, rutile, cards):
    run = make_run("a", rutile, 0)
    (run / "feff.inp").write_text((run / "feff.inp").read_text().replace("EDGE K", cards))
    assert only(runs).element == "Ti"


def test_exafs_run_is_left_out(runs, make_run, rutile):
    run = make_run("a", rutile, 0)
    (run / "feff.inp").write_text((run / "feff.inp").read_text().replace("XANES 3.7", "EXAFS 20 *"))
    assert only(runs) == LeftOut("a", "not a K-edge XANES run")


def test_table_without_header(tmp_path, feff_text):
    lines = feff_text("Ti").splitlines()
    (tmp_path / "xmu.dat").write_text("\n".join(line for line in lines if line[0] != "#"))
    table, version = read_xmu(tmp_path / "xmu.dat")
    assert table.shape == (120, 6)
    assert version == ""
    with pytest.raises(Unusable, match="not readable"):
        read_xmu(tmp_path / "none.dat")
