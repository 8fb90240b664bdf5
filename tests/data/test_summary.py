from cgxas.data.folder import Origin, read_records, write_dataset
from cgxas.data.summary import Counts, summarise


def test_counts(folder):
    found = summarise(folder)
    assert found.name == folder.name
    assert found.all == Counts(4, 2, 2, ("made",), (526.0, 7171.0))
    assert list(found.elements) == ["O", "Ti", "Fe"]
    assert found.elements["Fe"] == Counts(2, 1, 1, ("made",), (7112.0, 7171.0))
    assert found.licences == ("not stated",)
    assert not found.has_manifest


def test_licence_of_rows_and_of_the_manifest(write, materials, spectra, tmp_path_factory):
    for row, licence in zip(spectra, ["MIT", "CC0", "MIT", None], strict=True):
        row["license"] = licence
    folder = write(materials, spectra)
    assert summarise(folder).licences == ("CC0", "MIT", "not stated")
    written = tmp_path_factory.mktemp("out") / "mine"
    write_dataset(written, read_records([folder]).records, Origin("x", licence="CC-BY-4.0"))
    assert summarise(written).licences == ("CC-BY-4.0",)
    assert summarise(written).has_manifest


def test_no_spectra(folder, tmp_path_factory):
    written = tmp_path_factory.mktemp("out") / "mine"
    write_dataset(written, [], Origin("x"))
    assert summarise(written).all == Counts(0, 0, 0, (), None)
