"""cgxas dataset: import, fetch, info, check, split."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from pymatgen.core.structure import Structure

from cgxas.data.check import REASONS
from cgxas.data.folder import read_records
from cgxas.data.manifest import read_manifest
from cgxas.data.sources import materials_project
from cgxas.data.split import read_split


def document(crystals: Path, site: int | None = 0, **others) -> dict:
    """A plain document of iron."""
    energy = np.linspace(7105.0, 7175.0, 100)
    mu = 0.5 + np.arctan((energy - 7120.0) / 0.8) / np.pi
    mu += 0.4 * np.exp(-((energy - 7125) ** 2) / 8)
    return {
        "structure": Structure.from_file(crystals / "iron.cif").as_dict(),
        "element": "Fe",
        "site": site,
        "energy": energy.tolist(),
        "mu": mu.tolist(),
        "theory": "FEFF 9.9.1",
        "material_id": "iron",
        **others,
    }


@pytest.fixture
def lines(tmp_path, crystals) -> Path:
    """A file of four documents, of which two can be used."""
    rows = [
        document(crystals),
        document(crystals, site=1),
        document(crystals, energy=[7.1 + n / 1000 for n in range(100)]),
        document(crystals, edge="L3"),
    ]
    path = tmp_path / "spectra.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def mine(cgxas, lines, tmp_path) -> Path:
    """A data set."""
    assert cgxas("dataset", "import", lines, "-o", tmp_path / "mine").code == 0
    return tmp_path / "mine"


def test_dataset_alone_shows_help(cgxas):
    answer = cgxas("dataset")
    assert answer.code == 0
    for word in ("import", "fetch", "info", "check", "split"):
        assert f"  {word} " in answer.out


def test_import(cgxas, lines, tmp_path):
    words = ("--name", "irons", "--origin", "doi:10.1/2", "--licence", "CC0")
    answer = cgxas("dataset", "import", lines, "-o", tmp_path / "mine", *words)
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.splitlines() == [
        "left out 2: 1 x energies are in keV; 1 x not a K-edge XANES spectrum",
        f"wrote {tmp_path / 'mine'}: 2 spectra of 1 crystals",
    ]
    manifest = read_manifest(tmp_path / "mine")
    assert (manifest.name, manifest.origin, manifest.licence) == ("irons", "doi:10.1/2", "CC0")
    assert manifest.left_out["not a K-edge XANES spectrum"] == ["spectra:3"]
    keys = [record.key for record in read_records([tmp_path / "mine"]).records]
    assert keys == ["mine/iron-0-XANES-K-Fe", "mine/iron-1-XANES-K-Fe"]


def test_import_tells_what_it_does_not_know(mine, lines):
    manifest = read_manifest(mine)
    assert (manifest.name, manifest.origin) == ("mine", "spectra.jsonl")
    assert manifest.licence == "not stated"


def test_theory_of_documents_that_do_not_state_it(cgxas, crystals, tmp_path):
    silent = document(crystals)
    del silent["theory"]
    (tmp_path / "a.json").write_text(json.dumps(silent))
    words = ("--theory", "FDMNES 2023")
    assert cgxas("dataset", "import", tmp_path / "a.json", "-o", tmp_path / "x", *words).code == 0
    assert read_manifest(tmp_path / "x").fidelities == {"FDMNES2023": 1}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file or folder"),
        (lambda path: path.mkdir(), "neither FEFF runs (xmu.dat) nor JSON documents"),
        (lambda path: path.write_text(""), "1 x file is not readable"),
        (lambda path: path.write_text("{}"), "1 x document holds no spectrum"),
        (lambda path: path.write_bytes(bytes(range(256))), "1 x document is not readable JSON"),
    ],
)
def test_import_of_nothing_is_refused(refused, tmp_path, make, message):
    make(tmp_path / "source")
    assert message in refused("dataset", "import", tmp_path / "source", "-o", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_import_writes_over_nothing(refused, mine, lines):
    before = {path: path.read_bytes() for path in mine.iterdir()}
    assert "is not empty" in refused("dataset", "import", lines, "-o", mine)
    assert {path: path.read_bytes() for path in mine.iterdir()} == before


def test_fetch_without_a_key(refused, tmp_path, monkeypatch):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    line = refused("dataset", "fetch", "--element", "Fe", "-o", tmp_path / "mp")
    assert "set MP_API_KEY to yours" in line
    assert not (tmp_path / "mp").exists()
    assert not (tmp_path / "mp.partial").exists()


def test_fetch_goes_on_after_a_broken_connection(cgxas, crystals, tmp_path, monkeypatch):
    class Server:
        broken = True

        def search(self, *, absorbing_element, chunk_size, _page, **_):
            if _page == 2 and self.broken:
                raise ConnectionError("the line is dead")
            found = document(crystals, site=None, material_id=f"mp-{_page}")
            found["mu"] = [_page * value for value in found["mu"]]
            return [found]

    server = Server()
    monkeypatch.setattr(materials_project, "PAGE", 1)
    monkeypatch.setattr(materials_project, "rester", lambda: server)
    words = ("dataset", "fetch", "-e", "Fe", "-o", tmp_path / "mp")
    answer = cgxas(*words)
    assert answer.code == 2
    assert answer.err.startswith("cgxas: page 2 of Fe did not come: the line is dead; run the same")
    assert (tmp_path / "mp.partial").is_dir()
    assert not (tmp_path / "mp").exists()
    server.broken = False
    full = server.search
    server.search = lambda **words: full(**words) if words["_page"] < 3 else []
    assert cgxas(*words).code == 0
    assert not (tmp_path / "mp.partial").exists()
    manifest = read_manifest(tmp_path / "mp")
    assert (manifest.licence, manifest.counts["spectra"]) == ("CC-BY-4.0", 2)
    assert "materialsproject.org" in manifest.origin


def test_info(cgxas, mine):
    heading, row = cgxas("dataset", "info", mine).out.splitlines()
    assert heading.startswith("Data set  Fidelity  Spectra  Crystals  Formulas  Elements")
    words = ["mine", "FEFF9", "2", "1", "1", "1", "7105", "to", "7175", "yes", "not", "stated"]
    assert row.split() == words


def test_info_per_element(cgxas, mine):
    rows = [line.split() for line in cgxas("dataset", "info", mine, "--elements").out.splitlines()]
    assert rows[1:] == [
        ["mine", "Fe", "FEFF9", "2", "1", "1", "7105", "to", "7175"],
        ["mine", "all", "FEFF9", "2", "1", "1", "7105", "to", "7175"],
    ]


def test_info_of_what_is_no_data_set(refused, tmp_path):
    assert "materials.parquet is missing" in refused("dataset", "info", tmp_path)


def test_info_of_a_changed_data_set(refused, mine):
    content = (mine / "spectra.parquet").read_bytes()
    (mine / "spectra.parquet").write_bytes(content + b"more")
    assert "not the table its manifest tells of" in refused("dataset", "info", mine)


@pytest.fixture
def many(cgxas, tmp_path, crystals) -> Path:
    """A data set of seven spectra of one site, a white line lost in the last."""
    flat = np.clip(document(crystals)["mu"], 0, 0.95).tolist()
    rows = [document(crystals, id=f"s{n}") for n in range(6)]
    rows.append(document(crystals, id="s6", site=1, mu=flat))
    (tmp_path / "many.json").write_text(json.dumps(rows))
    assert cgxas("dataset", "import", tmp_path / "many.json", "-o", tmp_path / "many").code == 0
    return tmp_path / "many"


def test_check(cgxas, mine, many):
    lines = cgxas("dataset", "check", mine, many).out.splitlines()[1:]
    assert len(lines) == 4
    assert lines[0].split() == ["mine", "any", "0", "of", "1", "crystals,", "2", "spectra"]
    assert lines[1].split() == ["many", "no_peak", "1", "maximum", "below", "1", "s6"]
    assert lines[2].split()[:3] == ["many", "duplicate", "5"]
    assert lines[2].rstrip().endswith("s1, s2, s3, … 2 more")
    assert lines[3].split() == ["many", "any", "6", "of", "1", "crystals,", "7", "spectra"]


def test_check_names_a_few_or_all(cgxas, tmp_path, crystals):
    rows = [document(crystals, id=f"s{n}") for n in range(8)]
    (tmp_path / "x.json").write_text(json.dumps(rows))
    cgxas("dataset", "import", tmp_path / "x.json", "-o", tmp_path / "x")
    assert "s1, s2, s3, … 4 more" in cgxas("dataset", "check", tmp_path / "x").out
    assert "s4, s5, s6, s7" in cgxas("dataset", "check", tmp_path / "x", "--ids").out


def test_check_as_json(cgxas, many, tmp_path):
    answer = cgxas("dataset", "check", many, "--json", tmp_path / "found.json")
    assert answer.err == f"wrote {tmp_path / 'found.json'}\n"
    (found,) = json.loads((tmp_path / "found.json").read_text())
    assert (found["name"], found["materials"], found["spectra"]) == ("many", 1, 7)
    assert found["found"] == {"no_peak": ["s6"], "duplicate": ["s1", "s2", "s3", "s4", "s5"]}


def test_another_edge_is_refused_by_name_and_told_by_check(cgxas, refused, mine):
    """No command reads an L3 spectrum as one of the K edge."""
    table = pyarrow.parquet.read_table(mine / "spectra.parquet")
    edges = pyarrow.array(["K", "L3"])
    table = table.set_column(table.schema.names.index("edge"), "edge", edges)
    pyarrow.parquet.write_table(table, mine / "spectra.parquet")
    (mine / "manifest.json").unlink()
    told = "iron-1-XANES-K-Fe is of the L3 edge; cgxas answers for K edges only"
    assert told in refused("dataset", "info", mine)
    assert told in refused("dataset", "split", mine, "-o", mine / "s.json")
    lines = cgxas("dataset", "check", mine).out.splitlines()
    assert lines[1].split()[:3] == ["mine", "other_edge", "1"]


def test_check_of_what_is_no_data_set(refused, mine, tmp_path):
    assert "is missing" in refused("dataset", "check", mine, tmp_path)
    assert ".json" in refused("dataset", "check", mine, "--json", tmp_path / "found.txt")


@pytest.mark.parametrize("by", ["formula", "material", "spectrum"])
def test_split(cgxas, many, tmp_path, by):
    words = ("--by", by, "--fractions", "5:3:2", "--seed", "7")
    answer = cgxas("dataset", "split", many, "-o", tmp_path / "s.json", *words)
    assert answer.code == 0
    values = json.loads((tmp_path / "s.json").read_text())
    assert (values["by"], values["seed"], values["fractions"]) == (by, 7, [0.5, 0.3, 0.2])
    sizes = [len(values[part]) for part in ("train", "validation", "test")]
    assert sizes == ([3, 2, 1] if by == "spectrum" else [0, 7, 0] if not sizes[0] else [7, 0, 0])
    assert f"{sizes[0]} for training, {sizes[1]} for validation, {sizes[2]} for tests" in answer.err
    found = read_split(tmp_path / "s.json", read_records([many]))
    assert len(found.train) == sizes[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--fractions", "6:2"), "three numbers such as 6:2:2"),
        (("--fractions", "a:b:c"), "three numbers such as 6:2:2"),
        (("--fractions", "0:0:0"), "three numbers such as 6:2:2"),
        (("--fractions", "8:2:0"), "must all be positive"),
        (("--fractions", "nan:1:1"), "must all be positive"),
        (("--by", "colour"), "see 'cgxas dataset split --help'"),
        (("--seed", "-1"), "see 'cgxas dataset split --help'"),
    ],
)
def test_impossible_splits_are_refused(refused, mine, tmp_path, words, message):
    assert message in refused("dataset", "split", mine, "-o", tmp_path / "s.json", *words)


def test_split_of_two_folders_of_one_name(refused, mine, tmp_path):
    other = shutil.copytree(mine, tmp_path / "other" / "mine")
    line = refused("dataset", "split", mine, other, "-o", tmp_path / "s.json")
    assert "two data sets are called mine" in line
    assert "no known file type" in refused("dataset", "split", mine, "-o", tmp_path / "s.txt")


def test_example_and_reasons_of_the_documentation(cgxas, tmp_path):
    docs = Path(__file__).parents[2] / "docs"
    pages = (docs / "howto" / "datasets.md", docs / "reference" / "data_sets.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    (tmp_path / "a.json").write_text(text.split("```json")[1].split("```")[0])
    assert cgxas("dataset", "import", tmp_path / "a.json", "-o", tmp_path / "mine").code == 0
    (record,) = read_records([tmp_path / "mine"]).records
    assert (record.key, record.fidelity) == ("mine/my-1", "FDMNES2023")
    told = {word.strip(",") for word in text.split("Its reasons:")[1].split()}
    assert set(REASONS) <= told
