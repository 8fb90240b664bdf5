import json
from dataclasses import replace

import pytest

from cgxas.data.folder import read_records
from cgxas.data.manifest import Origin, read_manifest
from cgxas.data.sources import recognise
from cgxas.data.sources.documents import read_document
from cgxas.data.sources.item import LeftOut
from cgxas.data.sources.recognise import Source, import_source
from cgxas.errors import DatasetError, OutputError

ORIGIN = Origin("mine", "doi:10.1/2", "CC-BY-4.0")


def test_archive_to_folder_and_back(tmp_path, site_document, rutile):
    source = tmp_path / "xas.json"
    documents = [site_document(0), site_document(2), site_document(1, edge="L3"), {"a": 1}]
    source.write_text("".join(json.dumps(each) + "\n" for each in documents))
    told = []
    manifest = import_source(source, tmp_path / "mine", ORIGIN, on_item=lambda: told.append(1))
    assert len(told) == 4
    assert manifest == read_manifest(tmp_path / "mine")
    assert (manifest.name, manifest.origin, manifest.licence) == ("mine", "doi:10.1/2", "CC-BY-4.0")
    assert manifest.counts == {"materials": 1, "formulas": 1, "spectra": 2}
    assert manifest.elements == {"O": 1, "Ti": 1}
    assert manifest.left_out == {
        "not a K-edge XANES spectrum": ["xas:2"],
        "document holds no spectrum": ["xas:3"],
    }
    records = read_records([tmp_path / "mine"]).records
    assert [record.key for record in records] == [
        "mine/mp-2657-0-XANES-K-Ti",
        "mine/mp-2657-2-XANES-K-O",
    ]
    assert records[0].material.cell.lattice == pytest.approx(rutile.lattice.matrix)
    assert records[0].energy.tolist() == [row[0] for row in documents[0]["spectrum"]]
    assert records[0].norm.tolist() == [row[3] for row in documents[0]["spectrum"]]


def test_runs_to_folder(runs, make_run, rutile, tmp_path):
    make_run("mp-2657/a", rutile, 0)
    make_run("mp-2657/b", rutile, 2, "10")
    (make_run("mp-2657/c", rutile, 1) / "feff.inp").unlink()
    manifest = import_source(runs, tmp_path / "mine", ORIGIN)
    assert manifest.counts == {"materials": 1, "formulas": 1, "spectra": 2}
    assert manifest.fidelities == {"FEFF10": 1, "FEFF9": 1}
    assert manifest.left_out == {"run has no feff.inp": ["mp-2657/c"]}


def test_source_that_holds_nothing(tmp_path, site_document):
    with pytest.raises(DatasetError, match="no such file or folder"):
        import_source(tmp_path / "none", tmp_path / "mine", ORIGIN)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"neither FEFF runs \(xmu.dat\) nor JSON documents"):
        import_source(tmp_path / "empty", tmp_path / "mine", ORIGIN)
    (tmp_path / "bad.json").write_text(json.dumps(site_document(edge="L3")))
    with pytest.raises(DatasetError, match="can be used: 1 x not a K-edge XANES spectrum"):
        import_source(tmp_path / "bad.json", tmp_path / "mine", ORIGIN)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.json", "empty"]


def test_data_set_is_no_source(tmp_path, site_document):
    (tmp_path / "a.json").write_text(json.dumps(site_document()))
    import_source(tmp_path / "a.json", tmp_path / "mine", ORIGIN)
    with pytest.raises(DatasetError, match="is a data set already"):
        import_source(tmp_path / "mine", tmp_path / "again", ORIGIN)
    with pytest.raises(OutputError, match="not empty"):
        import_source(tmp_path / "a.json", tmp_path / "mine", ORIGIN)


def test_a_source_of_another_kind_is_one_entry(tmp_path, monkeypatch, site_document):
    """As docs/howto/add-a-data-source.md tells."""

    def read(path, theory):
        for n, place in enumerate(path.read_text().split()):
            yield replace(read_document(("", site_document())), theory=theory, site=int(place))
            yield LeftOut(f"line {n}", "every second one")

    mine = Source("place files (.plc)", lambda path: path.suffix == ".plc", read)
    monkeypatch.setattr(recognise, "SOURCES", (mine, *recognise.SOURCES))
    (tmp_path / "a.plc").write_text("0 1")
    manifest = import_source(tmp_path / "a.plc", tmp_path / "mine", ORIGIN, "by hand")
    assert manifest.theories == {"by hand": 2}
    assert manifest.left_out == {"every second one": ["line 0", "line 1"]}
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"holds neither place files \(.plc\) nor FEFF runs"):
        import_source(tmp_path / "empty", tmp_path / "other", ORIGIN)
