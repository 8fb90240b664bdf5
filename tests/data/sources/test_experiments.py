import numpy as np
import pyarrow.parquet
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.data.folder import Origin, read_records
from cgxas.data.sources.experiments import ingest, read_pairs
from cgxas.errors import DatasetError

pytest.importorskip("larch")


@pytest.fixture
def lab(tmp_path, scanned):
    """Two folders: of spectra a.dat and b.dat, and of crystals: iron and an alloy."""
    spectra, crystals = tmp_path / "spectra", tmp_path / "crystals"
    spectra.mkdir()
    crystals.mkdir()
    for name, e0 in (("a", 7120.0), ("b", 7122.0)):
        np.savetxt(spectra / f"{name}.dat", np.transpose(scanned(e0)), header="energy xmu")
    (spectra / "bad.dat").write_text("no spectrum")
    iron = Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    iron.to(filename=str(crystals / "iron.cif"))
    places = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    alloy = Structure(Lattice.tetragonal(3.6, 3.9), ["Fe", "Fe", "Fe", "Cu"], places)
    alloy.to(filename=str(crystals / "alloy.cif"))
    return tmp_path


def run(lab, text: str, **more):
    (lab / "pairs.csv").write_text(text)
    told = Origin("mine", "beamline", "CC0")
    args = (lab / "spectra", lab / "crystals", lab / "pairs.csv", lab / "out", told)
    return ingest(*args, **more)


def test_spectra_become_records_of_all_sites(lab, scanned):
    manifest = run(
        lab,
        "spectrum,crystal,element,shift,weight,compound\n"
        "a.dat,iron.cif,Fe,1.5,2,metal\nb.dat,iron.cif,Fe,,,\n",
    )
    assert manifest.counts == {"materials": 1, "formulas": 1, "spectra": 2}
    assert manifest.fidelities == {"experiment": 2}
    first, second = read_records([lab / "out"]).records
    assert first.spectrum_id == "iron-a.dat-XANES-K-Fe"
    assert first.sites.tolist() == [0, 1]
    assert first.fidelity == "experiment"
    np.testing.assert_allclose(first.energy, scanned()[0], atol=1e-6)
    assert first.norm[first.energy > 7400].mean() == pytest.approx(1.0, abs=0.02)
    assert second.energy[0] == pytest.approx(7022.0)


def test_shift_and_weight_stand_beside_the_data(lab, scanned):
    run(
        lab, "spectrum,crystal,element,shift,weight\na.dat,iron.cif,Fe,1.5,2\nb.dat,iron.cif,Fe,,\n"
    )
    rows = pyarrow.parquet.read_table(lab / "out" / "spectra.parquet").to_pylist()
    assert [row["energy_shift"] for row in rows] == [1.5, None]
    assert [row["weight"] for row in rows] == [2.0, 1.0]
    assert [row["site_index"] for row in rows] == [None, None]
    assert [row["source_file"] for row in rows] == ["a.dat", "b.dat"]
    assert [row["compound"] for row in rows] == ["iron", "iron"]
    np.testing.assert_allclose(rows[0]["mu_raw"], scanned()[1])
    about = [each.annotation for each in read_records([lab / "out"]).records]
    assert [each.energy_shift for each in about] == [1.5, None]
    assert [each.weight for each in about] == [2.0, 1.0]
    assert rows[0]["e0"] == pytest.approx(7120.0, abs=1.0)


def test_what_cannot_be_used_is_left_out_and_told(lab):
    told: list[str] = []
    manifest = run(
        lab,
        "spectrum,crystal,element\na.dat,iron.cif,Fe\nbad.dat,iron.cif,Fe\nnone.dat,iron.cif,Fe\n"
        "b.dat,none.cif,Fe\nb.dat,alloy.cif,Cu\nb.dat,iron.cif,Xx\nb.dat,iron.cif,Cu\na.dat,iron.cif,Fe\n",
        on_pair=told.append,
    )
    assert manifest.left_out == {
        "spectrum is not readable": ["bad.dat", "none.dat"],
        "crystal is missing": ["b.dat"],
        "edge is not that of the element": ["b.dat"],
        "element is unknown": ["b.dat"],
        "absorber is not in the crystal": ["b.dat"],
        "spectrum given twice": ["a.dat"],
    }
    assert len(told) == 8
    assert told.count("") == 1
    assert told[0] == ""
    assert told[1].startswith("line 3: bad.dat")
    assert told[3] == "line 5: b.dat with none.cif: crystal is missing"
    assert told[7] == "line 9: a.dat with iron.cif: spectrum given twice"


def xdi(energy, mu, edge: str) -> str:
    rows = "\n".join(f"{x:.3f} {y:.6f}" for x, y in zip(energy, mu, strict=True))
    fields = f"# Element.symbol: Fe\n# Element.edge: {edge}\n# Column.1: energy eV\n# Column.2: mu"
    return f"# XDI/1.0\n{fields}\n# ///\n# ---\n# energy mu\n{rows}\n"


def test_other_edges_are_left_out_by_file_and_by_table(lab, scanned):
    """An L3 edge of iron lies at 707 eV."""
    (lab / "spectra" / "l3.xdi").write_text(xdi(*scanned(706.8), "L3"))
    (lab / "spectra" / "k.xdi").write_text(xdi(*scanned(), "K"))
    told: list[str] = []
    manifest = run(
        lab,
        "spectrum,crystal,element,edge\nl3.xdi,iron.cif,Fe,\nk.xdi,iron.cif,Fe,k\n"
        "a.dat,iron.cif,Fe,L3\n",
        on_pair=told.append,
    )
    assert manifest.left_out == {"not a K-edge XANES spectrum": ["l3.xdi", "a.dat"]}
    assert told == [
        "line 2: l3.xdi with iron.cif: not a K-edge XANES spectrum",
        "",
        "line 4: a.dat with iron.cif: not a K-edge XANES spectrum",
    ]
    assert [each.edge for each in read_records([lab / "out"]).records] == ["K"]


def test_what_could_not_be_read_again_is_not_written(lab):
    text = "spectrum,crystal,element,shift,weight\na.dat,iron.cif,Fe,2e4,\nb.dat,iron.cif,Fe,,1e9\n"
    with pytest.raises(DatasetError, match="2 x energy shift or weight is impossible"):
        run(lab, text)


def test_scans_told_apart_by_suffix_group_or_column_are_all_kept(lab, scanned):
    energy, mu = scanned()
    for suffix, noise in (("001", 0.0), ("002", 1e-3)):
        columns = np.transpose([energy, scanned(noise=noise)[1], mu + 0.1])
        np.savetxt(lab / f"spectra/fe.{suffix}", columns, header="energy xmu other")
    run(
        lab,
        "spectrum,crystal,element,mu\n"
        "fe.001,iron.cif,Fe,\nfe.002,iron.cif,Fe,\nfe.001,iron.cif,Fe,other\n",
    )
    names = [each.spectrum_id for each in read_records([lab / "out"]).records]
    assert names == [
        "iron-fe.001-XANES-K-Fe",
        "iron-fe.002-XANES-K-Fe",
        "iron-fe.001-other-XANES-K-Fe",
    ]


def test_each_site_counts_as_often_as_it_stands_in_the_cell(lab):
    """Two distinct kinds of iron, of one and of two atoms: the mean is over all three."""
    run(lab, "spectrum,crystal,element\na.dat,alloy.cif,Fe\n")
    (record,) = read_records([lab / "out"]).records
    assert record.sites.tolist() == [0, 1, 2]
    assert record.site_certain


def test_nothing_usable_is_refused_and_nothing_written(lab):
    with pytest.raises(DatasetError, match=r"nothing of .* can be used"):
        run(lab, "spectrum,crystal,element\nbad.dat,iron.cif,Fe\n")
    assert not (lab / "out").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column 'spectrum'"),
        ("spectrum,crystal\na,b\n", "no column 'element'"),
        ("spectrum,crystal,element\n", "holds no pairs"),
        ("spectrum,crystal,element\na.dat,,Fe\n", "line 2: the field 'crystal' is empty"),
        ("spectrum,crystal,element,shift\na,b,Fe,far\n", "line 2: shift is not a number: 'far'"),
        ("spectrum,crystal,element,weight\na,b,Fe,0\n", "line 2: weight must be above 0"),
    ],
)
def test_bad_tables_are_refused(tmp_path, text, words):
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(DatasetError, match=words):
        read_pairs(tmp_path / "pairs.csv")


def test_spaces_and_a_byte_order_mark_do_no_harm(tmp_path):
    (tmp_path / "pairs.csv").write_text("\ufeffspectrum, crystal ,element\n a.dat , b.cif,Fe \n")
    (pair,) = read_pairs(tmp_path / "pairs.csv")
    assert (pair.spectrum, pair.crystal, pair.element) == ("a.dat", "b.cif", "Fe")
    assert (pair.weight, pair.shift) == (1.0, None)


def test_missing_folders_and_tables_are_refused(lab):
    with pytest.raises(DatasetError, match="not a readable CSV"):
        read_pairs(lab / "none.csv")
    told = Origin("mine")
    with pytest.raises(DatasetError, match="no such folder"):
        ingest(lab / "none", lab / "crystals", lab / "pairs.csv", lab / "out", told)
