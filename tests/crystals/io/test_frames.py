"""Every format of trajectories gives all its frames, in order, in `average` and `screen`."""

import gzip
from pathlib import Path

import ase.db
import ase.io
import numpy as np
import pytest
from ase.build import bulk

from cgxas.crystals.io.read import read_crystal
from cgxas.data.collection import Collection
from cgxas.errors import ReadingWarning, UnreadableCrystal

EDGES = [4.0, 4.1, 4.2]


def salt(a: float):
    """Nickel oxide, its atoms sorted by elements as VASP has them, the first oxygen displaced."""
    atoms = bulk("NiO", "rocksalt", a=a, cubic=True)
    atoms = atoms[np.argsort(atoms.numbers)]
    atoms.positions[0, 0] += (a - 4.0) / 2
    return atoms


def outcar(path: Path) -> None:
    lines = [
        *(
            " vasp.6.4.1 24May23",
            " POTCAR:    PAW_PBE O 08Apr2002",
            " POTCAR:    PAW_PBE Ni 02Aug2007",
        ),
        *(" POTCAR:    PAW_PBE O 08Apr2002", " POTCAR:    PAW_PBE Ni 02Aug2007"),
        "   ions per type =               4   4",
        "   ISPIN  =      1    spin polarized calculation?",
    ]
    for n, a in enumerate(EDGES, start=1):
        atoms = salt(a)
        lines.append(f"--------- Iteration      {n}(   1)  ---------")
        lines.append("      direct lattice vectors                 reciprocal lattice vectors")
        for row in atoms.cell.array:
            lines.append("".join(f"{x:13.9f}" for x in row) + "   0.25 0.0 0.0")
        lines += [" POSITION                                       TOTAL-FORCE (eV/Angst)", " ---"]
        for place in atoms.positions:
            lines.append("".join(f"{x:13.5f}" for x in (*place, 0.0, 0.0, 0.0)))
        lines += [
            " ---",
            "  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)",
            " ---",
            "  free  energy   TOTEN  =  -1.0 eV",
        ]
        lines += ["", "  energy  without entropy=  -1.0  energy(sigma->0) =  -1.0"]
    path.write_text("\n".join([*lines, "--------- Iteration      4(   1)  ---------", ""]))


def vasprun(path: Path) -> None:
    def rows(name, values):
        inner = "".join("<v>" + " ".join(f"{x:.8f}" for x in row) + "</v>" for row in values)
        return f'<varray name="{name}">{inner}</varray>'

    def structure(atoms, name=""):
        return (
            f"<structure{name}><crystal>{rows('basis', atoms.cell.array)}</crystal>"
            f"{rows('positions', atoms.get_scaled_positions())}</structure>"
        )

    kinds = "".join(f"<rc><c>{s} </c><c>1</c></rc>" for s in salt(4.0).get_chemical_symbols())
    energy = '<energy><i name="e_fr_energy">-1.0</i><i name="e_0_energy">-1.0</i></energy>'
    steps = "".join(
        f"<calculation><scstep>{energy}</scstep>{structure(salt(a))}{energy}</calculation>"
        for a in EDGES
    )
    first = structure(salt(EDGES[0]), ' name="initialpos"')
    path.write_text(
        '<?xml version="1.0"?>\n<modeling>\n<parameters></parameters><kpoints>'
        f"{rows('kpointlist', [[0, 0, 0]])}{rows('weights', [[1]])}</kpoints>"
        '<atominfo><array name="atoms">'
        f"<set>{kinds}</set></array></atominfo>{first}{steps}</modeling>\n"
    )


def dump(path: Path, names: str = "element") -> None:
    lines = ["ITEM: UNITS", "metal"]
    for n, a in enumerate(EDGES):
        atoms = salt(a)
        lines += ["ITEM: TIMESTEP", str(n), "ITEM: NUMBER OF ATOMS", str(len(atoms))]
        lines += ["ITEM: BOX BOUNDS pp pp pp", *[f"0.0 {a}"] * 3, f"ITEM: ATOMS id {names} x y z"]
        for at, (each, (x, y, z)) in enumerate(zip(atoms.symbols, atoms.positions, strict=True)):
            named = each if names == "element" else {"O": 1, "Ni": 2}[each]
            lines.append(f"{at + 1} {named} {x:.8f} {y:.8f} {z:.8f}")
    path.write_text("\n".join([*lines, ""]))


def database(path: Path) -> None:
    with ase.db.connect(path) as rows:
        for a in EDGES:
            rows.write(salt(a))


def of_ase(kind: str):
    return lambda path: ase.io.write(path, [salt(a) for a in EDGES], format=kind)


WRITERS = {
    "XDATCAR": of_ase("vasp-xdatcar"),
    "OUTCAR": outcar,
    "vasprun.xml": vasprun,
    "md.lammpstrj": dump,
    "md.xyz": of_ase("extxyz"),
    "md.traj": of_ase("traj"),
    "found.db": database,
    "md.axsf": of_ase("xsf"),
    "md.pdb": of_ase("proteindatabank"),
}


@pytest.fixture(params=WRITERS)
def trajectory(request, tmp_path) -> Path:
    path = tmp_path / request.param
    WRITERS[request.param](path)
    return path


def frames(path: Path) -> list:
    return [read_crystal(each.crystal) for each in Collection(path, frames=True)]


def assert_all(found) -> None:
    """Assert that cells, elements and places are those of `salt`."""
    assert [round(each.volume ** (1 / 3), 3) for each in found] == EDGES
    for each, a in zip(found, EDGES, strict=True):
        true = salt(a)
        assert [site.specie.Z for site in each] == true.numbers.tolist()
        apart = each.frac_coords - true.get_scaled_positions(wrap=False)
        np.testing.assert_allclose(apart - np.round(apart), 0, atol=2e-4)


def test_all_frames_are_given_in_order(trajectory):
    assert_all(frames(trajectory))
    named = list(Collection(trajectory, frames=True))
    start = 1 if trajectory.suffix == ".db" else 0
    assert [each.id for each in named] == [f"{trajectory.as_posix()}:{start + n}" for n in range(3)]
    shares = [each.done for each in named]
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1.0


@pytest.mark.parametrize("name", [each for each in WRITERS if each != "found.db"])
def test_one_crystal_is_the_last_frame_and_that_is_told(name, tmp_path):
    WRITERS[name](tmp_path / name)
    with pytest.warns(ReadingWarning, match="the last of its 3"):
        found = read_crystal(tmp_path / name)
    assert found.volume ** (1 / 3) == pytest.approx(4.2, abs=1e-3)


def test_a_cell_that_stays_is_written_once(tmp_path):
    """VASP writes the header of an XDATCAR above the first arrangement alone."""
    head = "salt\n1.0\n4.0 0 0\n0 4.0 0\n0 0 4.0\n O Ni\n 1 1\n"
    steps = [f"Direct configuration= {n + 1:5d}\n0.0 0.0 0.0{n}\n0.5 0.5 0.5\n" for n in range(3)]
    (tmp_path / "XDATCAR").write_text(head + "".join(steps))
    found = frames(tmp_path / "XDATCAR")
    assert [round(each.frac_coords[0, 2], 2) for each in found] == [0.0, 0.01, 0.02]
    assert {each.formula for each in found} == {"Ni1 O1"}


@pytest.mark.parametrize("name", ["XDATCAR", "OUTCAR", "vasprun.xml", "md.lammpstrj", "md.xyz"])
def test_packed_ones_are_unpacked(name, tmp_path):
    WRITERS[name](tmp_path / name)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert_all(frames(packed))


@pytest.mark.parametrize("name", ["XDATCAR", "vasprun.xml", "md.lammpstrj", "md.xyz"])
def test_a_trajectory_that_breaks_off_says_so_behind_its_whole_frames(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](path)
    path.write_bytes(path.read_bytes()[:-90])
    *whole, last = list(Collection(path, frames=True))
    assert len(whole) == 2
    with pytest.raises(UnreadableCrystal, match=r"cut short|not a readable step"):
        if isinstance(last.crystal, Exception):
            raise last.crystal
        read_crystal(last.crystal)


def test_a_step_of_vasp_that_is_not_finished_is_none(tmp_path):
    outcar(tmp_path / "OUTCAR")
    text = (tmp_path / "OUTCAR").read_text()
    (tmp_path / "OUTCAR").write_text(text[: text.rindex("POSITION") + 200])
    assert len(frames(tmp_path / "OUTCAR")) == 2


def test_a_dump_that_names_no_elements_is_refused_with_the_cure(tmp_path):
    dump(tmp_path / "md.lammpstrj", names="type")
    for each in Collection(tmp_path / "md.lammpstrj", frames=True):
        with pytest.raises(UnreadableCrystal, match="dump_modify element Fe O"):
            read_crystal(each.crystal)


def test_units_that_stand_above_the_first_step_hold_for_all(tmp_path):
    path = tmp_path / "md.lammpstrj"
    dump(path)
    path.write_text(path.read_text().replace("metal", "electron"))
    for each in Collection(path, frames=True):
        with pytest.raises(UnreadableCrystal, match="units electron"):
            read_crystal(each.crystal)


def test_entities_of_xml_are_refused_wherever_they_stand(tmp_path):
    path = tmp_path / "vasprun.xml"
    vasprun(path)
    bad = '<!DOCTYPE a [<!ENTITY b "c">]>'
    path.write_text(path.read_text().replace("<modeling>", f"{bad}\n<modeling>"))
    (only,) = Collection(path, frames=True)
    assert "XML entities" in str(only.crystal)
