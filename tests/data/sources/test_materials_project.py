import inspect
import json
import sys

import pytest

from cgxas.data.folder import Origin, read_records
from cgxas.data.sources import materials_project
from cgxas.data.sources.documents import read_document
from cgxas.data.sources.materials_project import PAGE, fetch, partial_folder, rester
from cgxas.data.sources.recognise import import_source
from cgxas.errors import ConfigError, DatasetError, MissingExtra, OutputError, UnsupportedAbsorber

ORIGIN = Origin("mp")


@pytest.fixture
def xas_document(rutile, plain_document):
    """Make a document as the Materials Project serves it (emmet's XASDoc as JSON)."""

    def make(number: int = 0, element: str = "O") -> dict:
        moved = rutile.copy()
        moved.scale_lattice(rutile.volume * (1 + number / 1000))
        plain = plain_document(element)
        return {
            "builder_meta": {"emmet_version": "0.87.3", "license": None},
            "nsites": 6,
            "formula_pretty": "TiO2",
            "spectrum_name": "XAS",
            "task_id": f"mp-{number}",
            "last_updated": "2024-01-01T00:00:00Z",
            "spectrum": {
                "@module": "pymatgen.analysis.xas.spectrum",
                "@class": "XAS",
                "x": plain["energy"],
                "y": plain["mu"],
                "structure": moved.as_dict(),
                "absorbing_element": {"@class": "Element", "element": element},
                "edge": "K",
                "spectrum_type": "XANES",
                "absorbing_index": 3,
            },
            "absorbing_element": element,
            "spectrum_type": "XANES",
            "edge": "K",
        }

    return make


class Server:
    """Stands for mp-api's client; the connection breaks at one of the requests."""

    def __init__(self, documents: dict[str, list[dict]], breaks_at: int = 0):
        self.documents = documents
        self.asked: list[tuple[str, int]] = []
        self.breaks_at = breaks_at

    def search(self, *, edge, spectrum_type, absorbing_element, chunk_size, _page):
        assert (edge, spectrum_type) == ("K", "XANES")
        self.asked.append((absorbing_element, _page))
        if len(self.asked) == self.breaks_at:
            raise ConnectionError("the line is dead")
        found = self.documents[absorbing_element]
        return found[(_page - 1) * chunk_size : _page * chunk_size]


def test_document_is_the_mean_over_its_own_crystal(xas_document):
    found = read_document(("a", xas_document(7)))
    assert (found.element, found.site, found.material_id) == ("O", None, "mp-7")
    assert (found.theory, found.fidelity) == ("FEFF9 (Materials Project)", "FEFF9")
    assert found.cell.volume == pytest.approx(62.449 * 1.007, rel=1e-4)


def test_pages_of_all_elements_are_fetched(tmp_path, xas_document):
    one = xas_document()
    server = Server({"O": [one] * (PAGE + 5), "Ti": []})
    told = []
    partial = fetch(["O", "Ti", "O"], tmp_path / "mp", server, lambda *page: told.append(page))
    assert server.asked == told == [("O", 1), ("O", 2), ("Ti", 1)]
    assert sorted(path.name for path in partial.iterdir()) == [
        "O-00001.json.gz",
        "O-00002.json.gz",
        "Ti-00001.json.gz",
    ]


def test_last_page_may_be_full(tmp_path, xas_document):
    server = Server({"O": [xas_document()] * PAGE})
    fetch(["O"], tmp_path / "mp", server)
    assert server.asked == [("O", 1), ("O", 2)]


def test_broken_connection_and_going_on_give_the_same(tmp_path, xas_document, monkeypatch):
    monkeypatch.setattr(materials_project, "PAGE", 2)
    documents = {"O": [xas_document(n) for n in range(5)], "Ti": [xas_document(9, "Ti")]}
    whole = import_source(
        fetch(["O", "Ti"], tmp_path / "a", Server(documents)), tmp_path / "a", ORIGIN
    )
    breaking = Server(documents, breaks_at=3)
    with pytest.raises(
        DatasetError, match=r"page 3 of O did not come: the line is dead; run the same"
    ):
        fetch(["O", "Ti"], tmp_path / "b", breaking)
    assert len(list(partial_folder(tmp_path / "b").iterdir())) == 2
    server = Server(documents)
    resumed = import_source(fetch(["O", "Ti"], tmp_path / "b", server), tmp_path / "b", ORIGIN)
    assert server.asked == [("O", 3), ("Ti", 1)]
    assert resumed == whole
    for name in ("materials.parquet", "spectra.parquet", "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    keys = [record.spectrum_id for record in read_records([tmp_path / "b"]).records]
    assert keys == [*(f"mp-{n}-XANES-O-K" for n in range(5)), "mp-9-XANES-Ti-K"]


def test_answers_for_other_elements_are_not_mixed_in(tmp_path, xas_document):
    fetch(["O"], tmp_path / "mp", Server({"O": [xas_document()]}))
    with pytest.raises(OutputError, match="answers for O from another call"):
        fetch(["Ti"], tmp_path / "mp", Server({"Ti": []}))


def test_document_that_emmet_writes(rutile, plain_document):
    xas = pytest.importorskip("emmet.core.xas")
    spectra = pytest.importorskip("pymatgen.analysis.xas.spectrum")
    periodic = pytest.importorskip("pymatgen.core.periodic_table")
    plain = plain_document("O")
    spectrum = spectra.XAS(plain["energy"], plain["mu"], rutile, periodic.Element("O"))
    written = xas.XASDoc.from_spectrum(spectrum, task_id="mp-13", last_updated="2024-01-01T00:00")
    found = read_document(("a", json.loads(written.model_dump_json())))
    assert (found.element, found.site, found.formula) == ("O", None, "TiO2")
    assert found.material_id.startswith("mp-")
    assert found.energy.tolist() == plain["energy"]
    assert found.norm.tolist() == plain["mu"]


def test_damaged_page_is_asked_for_again(tmp_path, xas_document):
    server = Server({"O": [xas_document()]})
    partial = fetch(["O"], tmp_path / "mp", server)
    (partial / "O-00001.json.gz").write_bytes(b"half a")
    fetch(["O"], tmp_path / "mp", server)
    assert server.asked == [("O", 1), ("O", 1)]


def test_models_of_emmet_are_taken_as_well(tmp_path, xas_document):
    class Document:
        def model_dump_json(self) -> str:
            return json.dumps(xas_document(3))

    partial = fetch(["O"], tmp_path / "mp", Server({"O": [Document()]}))
    manifest = import_source(partial, tmp_path / "mp", ORIGIN)
    assert manifest.counts["spectra"] == 1


def test_element_without_a_window_is_refused(tmp_path):
    with pytest.raises(UnsupportedAbsorber, match="U is not one of the 48"):
        fetch(["U"], tmp_path / "mp", Server({}))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", [None, " "])
def test_missing_key(monkeypatch, key):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    if key:
        monkeypatch.setenv("MP_API_KEY", key)
    with pytest.raises(ConfigError, match="set MP_API_KEY to yours"):
        rester()


def test_missing_mp_api(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", "x" * 32)
    monkeypatch.setitem(sys.modules, "mp_api.client", None)
    with pytest.raises(MissingExtra, match=r"\.\[mp\]"):
        rester()


def test_client_of_mp_api_is_asked_for_plain_documents(monkeypatch):
    class Client:
        class MPRester:
            def __init__(self, key, use_document_model, mute_progress_bars):
                if key == "refused":
                    raise ValueError("the key is\nnot valid")
                self.materials = type("Materials", (), {"xas": (key, use_document_model)})

    monkeypatch.setitem(sys.modules, "mp_api.client", Client)
    monkeypatch.setenv("MP_API_KEY", "abc")
    assert rester() == ("abc", False)
    monkeypatch.setenv("MP_API_KEY", "refused")
    with pytest.raises(DatasetError, match="did not answer: the key is not valid"):
        rester()


def test_search_has_the_parameters_that_are_used():
    """Of the installed mp-api, if it is."""
    xas = pytest.importorskip("mp_api.client.routes.materials.xas")
    known = inspect.signature(xas.XASRester.search).parameters
    assert {"edge", "spectrum_type", "absorbing_element", "chunk_size", "_page"} <= set(known)
