from dataclasses import replace

import numpy as np
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.data.folder import read_records
from cgxas.data.manifest import Origin
from cgxas.data.record import Annotation
from cgxas.data.sources.collect import collect, summary, usable_curve, write_collected
from cgxas.data.sources.item import ImportedSpectrum, LeftOut, Unusable
from cgxas.errors import DatasetError

ENERGY = np.linspace(7105.0, 7175.0, 50)
IRON = Cell(2.87 * np.eye(3), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.array([26, 26]))


@pytest.fixture
def item() -> ImportedSpectrum:
    return ImportedSpectrum(
        "", "mp-13", "Fe", IRON, "Fe", 1, True, ENERGY, ENERGY * 0 + 1, "FEFF 9.9.1", "FEFF9"
    )


def test_records_are_made(item):
    (record,) = collect([item], "mine").records
    assert record.key == "mine/mp-13-1-XANES-K-Fe"
    assert record.sites.tolist() == [1]
    assert (record.material.formula, record.fidelity) == ("Fe", "FEFF9")
    (mean,) = collect([replace(item, site=None)], "mine").records
    assert mean.spectrum_id == "mp-13-XANES-Fe-K"
    assert mean.sites.tolist() == [0, 1]


def test_identical_crystals_become_one(item):
    again = replace(item, material_id="elsewhere", site=0)
    first, second = collect([item, again], "mine").records
    assert first.material is second.material
    assert second.spectrum_id == "mp-13-0-XANES-K-Fe"


def test_other_crystal_of_one_name_gets_its_own(item):
    other = replace(item, cell=Cell(2.9 * np.eye(3), IRON.frac, IRON.numbers))
    names = [record.spectrum_id for record in collect([item, other], "mine").records]
    assert names == ["mp-13-1-XANES-K-Fe", "mp-13_v2-1-XANES-K-Fe"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"element": "O"}, "energies are not around the K edge"),
        ({"element": "Xe"}, "absorber is not one of the 48 elements"),
        ({"site": 2}, "site is not in the crystal"),
        ({"site": -1}, "site is not in the crystal"),
        (
            {"cell": replace(IRON, numbers=np.array([26, 22]))},
            "atom at the site is not the absorber",
        ),
        ({"cell": replace(IRON, numbers=np.array([22, 22]))}, "absorber is not in the crystal"),
        ({"energy": ENERGY / 1000}, "energies are in keV"),
        ({"energy": ENERGY - 7112}, "energies are not around the K edge"),
        ({"energy": ENERGY[::-1]}, "energies do not increase"),
        ({"energy": ENERGY[:10]}, "spectrum is not two rows of numbers"),
        ({"energy": ENERGY[:0], "norm": ENERGY[:0]}, "spectrum is empty"),
        ({"norm": ENERGY * np.nan}, "spectrum is not finite"),
        ({"edge": "L3"}, "not a K-edge XANES spectrum"),
    ],
)
def test_unusable_spectra_are_left_out(item, change, reason):
    found = collect([replace(item, **change), item, LeftOut("z", "because")], "mine")
    assert [record.spectrum_id for record in found.records] == ["mp-13-1-XANES-K-Fe"]
    assert found.left_out == {reason: ["mp-13"], "because": ["z"]}
    assert reason in found.left_out
    assert len(found) == 3


def test_copies_are_left_out(item):
    found = collect([item, item], "mine")
    assert len(found.records) == 1
    assert found.left_out == {"spectrum given twice": ["mp-13"]}


def test_equal_names_of_different_spectra(item):
    other = replace(item, norm=2 * item.norm)
    names = [record.spectrum_id for record in collect([item, other, other], "mine").records]
    assert names == ["mp-13-1-XANES-K-Fe", "mp-13-1-XANES-K-Fe_v2"]
    found = collect([replace(each, name="x") for each in (item, other)], "mine")
    assert len(found.records) == 1
    assert found.left_out == {"name given twice": ["x"]}


def test_rounded_energies_are_taken_once():
    energy = np.insert(ENERGY, 10, ENERGY[10])
    x, y = usable_curve(energy, np.arange(51.0), "Fe")
    np.testing.assert_array_equal(x, ENERGY)
    assert y[9:13].tolist() == [9, 10, 12, 13]
    with pytest.raises(Unusable):
        usable_curve([[1.0]], [[1.0]], "Fe")


def test_what_the_source_tells_beside_is_kept(item):
    about = Annotation(compound="metal", weight=2.0)
    (record,) = collect([replace(item, edge="k", annotation=about)], "mine").records
    assert (record.edge, record.annotation) == ("K", about)


def test_summary_counts_reasons():
    assert summary({"a": ["x"], "b": ["y", "z"]}) == "2 x b; 1 x a"


def test_folder_is_written_or_the_source_refused(item, tmp_path):
    def write(items):
        return write_collected(items, "here", tmp_path / "mine", Origin("mine"))

    with pytest.raises(DatasetError, match="nothing of here can be used: 1 x because"):
        write([LeftOut("z", "because")])
    with pytest.raises(DatasetError, match="here holds no spectrum"):
        write([])
    assert not (tmp_path / "mine").exists()
    manifest = write([item, LeftOut("z", "because")])
    assert manifest.left_out == {"because": ["z"]}
    assert len(read_records([tmp_path / "mine"])) == 1
