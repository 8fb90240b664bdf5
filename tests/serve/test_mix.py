"""Match and mix through the interface: the library's answers, by the names of the senders."""

import json
from pathlib import Path

import numpy as np
import pytest

import cgxas

pytest.importorskip("larch")
EXAMPLES = Path(__file__).parents[2] / "examples"
CRYSTALS = ("Fe2O3.cif", "LiFePO4.cif", "FeS2_pyrite.cif", "TiO2_rutile.cif")
FRACTIONS = (0.0, 0.25, 0.6, 1.0)


@pytest.fixture(scope="module")
def spectra():
    found = cgxas.load().predict([EXAMPLES / each for each in CRYSTALS[:2]], "Fe")
    return dict(zip(CRYSTALS[:2], found, strict=True))


def scan_text(energy, norm, seed: int = 0) -> str:
    """Write a scan that was never measured, with a little noise."""
    noise = np.random.default_rng(seed).normal(0.0, 0.002, norm.size)
    rows = [f"{x:.3f} {y:.6f}" for x, y in zip(energy, norm + noise, strict=True)]
    head = "# XDI/1.0\n# Element.symbol: Fe\n# Element.edge: K\n# Column.1: energy eV\n"
    return head + "# Column.2: norm\n#----\n# energy norm\n" + "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def folder(spectra, tmp_path_factory) -> Path:
    """Of made-up scans: a Fe2O3, a LiFePO4, and a series from one to the other."""
    found = tmp_path_factory.mktemp("scans")
    one, other = spectra.values()
    energy = one.energy
    second = np.interp(energy, other.energy, other.norm)
    (found / "hematite.xdi").write_text(scan_text(energy, one.norm, 1))
    (found / "phosphate.xdi").write_text(scan_text(energy, second, 2))
    for n, part in enumerate(FRACTIONS):
        norm = (1 - part) * one.norm + part * second
        (found / f"charge {n}.xdi").write_text(scan_text(energy, norm, 10 + n))
    return found


def series(folder: Path) -> list[Path]:
    return [folder / f"charge {n}.xdi" for n in range(len(FRACTIONS))]


def sent(field: str, *paths: Path) -> list[tuple[str, tuple[str, bytes]]]:
    return [(field, (path.name, path.read_bytes())) for path in paths]


def no_path_in(text: str) -> bool:
    return not any(word in text for word in ("/dev/shm", "/tmp", "cgxas-serve-", "shm:"))


def test_a_match_is_that_of_the_library(client, folder):
    scan, crystals = folder / "hematite.xdi", [EXAMPLES / each for each in CRYSTALS]
    files = [*sent("scan", scan), *sent("crystals", *crystals)]
    files += [("crystals", ("../../broken.cif", b"data_x\n"))]
    answer = client.post("/api/match", files=files).raise_for_status()
    found, own = answer.json(), cgxas.match(scan, crystals)
    assert [each["crystal"] for each in found["matches"]] == [Path(m.crystal).name for m in own]
    assert found["matches"][0]["crystal"] == "Fe2O3.cif" and not found["none_fits"]
    for one, match in zip(found["matches"], own, strict=True):
        assert one["score"] == pytest.approx(match.score, abs=1e-6)
        assert one["shift_ev"] == pytest.approx(match.fit.shift, abs=1e-6)
        assert one["on_bound"] == match.fit.on_bound
        assert set(one["bounds_ev"]) == {"least_shift", "largest_shift", "largest_broadening"}
        np.testing.assert_allclose(one["predicted"], match.fit.predicted, atol=1e-5)
    assert found["none"] == pytest.approx(own.none, abs=1e-6)
    np.testing.assert_allclose(found["norm"], own.norm, atol=1e-6)
    assert found["absent"] == ["TiO2_rutile.cif"]
    (failure,) = found["failures"]
    assert failure["crystal"] == "broken.cif" and failure["detail"].startswith("broken.cif")
    assert found["measured"]["scan"] == scan.name
    assert no_path_in(answer.text)


def test_a_curve_and_crystals_as_text_are_matched_alike(client, folder):
    files = [
        *sent("scan", folder / "phosphate.xdi"),
        *sent("crystals", *(EXAMPLES / each for each in CRYSTALS[:3])),
    ]
    by_file = client.post("/api/match", files=files).raise_for_status().json()
    names = ("absorber", "edge", "energy", "norm", "flat", "energy_shift")
    body = {
        "measured": {name: by_file["measured"][name] for name in names},
        "crystals": [
            {"name": each, "text": (EXAMPLES / each).read_text(encoding="utf-8")}
            for each in CRYSTALS[:3]
        ],
    }
    by_curve = client.post("/api/match", json=body).raise_for_status().json()
    assert by_curve["matches"][0]["crystal"] == "LiFePO4.cif"
    assert "measured" not in by_curve
    for one, other in zip(by_file["matches"], by_curve["matches"], strict=True):
        assert one["crystal"] == other["crystal"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-3)
    body["absorber"] = "Cu"
    refused = client.post("/api/match", json=body)
    assert refused.status_code == 422 and "not of Cu" in refused.json()["detail"]


def test_crystals_of_one_name_are_told_apart(client, folder):
    crystals = [("crystals", ("a/x.cif", (EXAMPLES / each).read_bytes())) for each in CRYSTALS[:2]]
    files = [*sent("scan", folder / "hematite.xdi"), *crystals]
    found = client.post("/api/match", files=files).raise_for_status().json()
    assert [(m["crystal"], m["formula"]) for m in found["matches"]] == [
        ("x.cif", "Fe2O3"), ("x.cif (2)", "LiFePO4"),
    ]  # fmt: skip


@pytest.mark.parametrize("wanted", ["csv", "parquet", "png", "svg"])
def test_matches_and_fractions_come_as_files(client, folder, wanted):
    files = [*sent("scan", folder / "hematite.xdi"), *sent("crystals", EXAMPLES / CRYSTALS[0])]
    match = client.post("/api/match", files=files, data={"format": wanted}).raise_for_status()
    assert f'filename="hematite_match.{wanted}"' in match.headers["content-disposition"]
    files = [*sent("scans", *series(folder)), *sent("references", EXAMPLES / CRYSTALS[0])]
    mix = client.post("/api/mix", files=files, data={"format": wanted}).raise_for_status()
    assert f'filename="Fe_mix.{wanted}"' in mix.headers["content-disposition"]
    heads = {"csv": (b"crys", b"scan"), "parquet": (b"PAR1",)}
    heads |= {"png": (b"\x89PNG",), "svg": (b"<?xm",)}
    for answer in (match, mix):
        assert answer.content[:4] in heads[wanted]
        assert b"/dev/shm" not in answer.content and b"cgxas-serve-" not in answer.content


def test_nothing_matches_where_no_crystal_holds_the_absorber(client, folder):
    files = [*sent("scan", folder / "hematite.xdi"), *sent("crystals", EXAMPLES / CRYSTALS[3])]
    answer = client.post("/api/match", files=files)
    assert answer.status_code == 422
    assert answer.json()["error"] == "AbsorberNotInCrystal"
    assert answer.json()["detail"].startswith("hematite.xdi is of Fe")


@pytest.mark.parametrize("kind", ["scans", "crystals"])
def test_fractions_are_those_that_were_mixed(client, folder, kind):
    references = [folder / "hematite.xdi", folder / "phosphate.xdi"]
    if kind == "crystals":
        references = [EXAMPLES / each for each in CRYSTALS[:2]]
    files = [*sent("scans", *series(folder)), *sent("references", *references)]
    answer = client.post("/api/mix", files=files).raise_for_status()
    found, own = answer.json(), cgxas.mix(series(folder), references)
    names = [path.stem for path in references]
    assert [each["name"] for each in found["references"]] == names
    assert [each["scan"] for each in found["scans"]] == [f"charge {n}" for n in range(4)]
    for name, truth in zip(names, (1 - np.array(FRACTIONS), FRACTIONS), strict=True):
        np.testing.assert_allclose([row[name] for row in found["scans"]], truth, atol=0.03)
    table = own.table()
    for name in (*names, *(f"{each}_err" for each in names), "rse", "shift_ev"):
        np.testing.assert_allclose([row[name] for row in found["scans"]], table[name], atol=1e-5)
    np.testing.assert_allclose(found["fitted"], own.fitted, atol=1e-5)
    assert found["shown"] == [0, 1, 2, 3]
    assert no_path_in(answer.text)


def test_a_series_without_references_has_components_of_its_own(client, folder):
    pytest.importorskip("pymcr")
    files = sent("scans", *series(folder))
    found = client.post("/api/mix", files=files, data={"components": 2}).raise_for_status().json()
    assert [each["name"] for each in found["references"]] == ["component_1", "component_2"]
    assert found["components"]["count"] == 2


def test_an_axis_is_a_table_that_was_sent_and_no_file_of_the_server(client, folder, tmp_path):
    table = "scan,charge\n" + "".join(f"charge {n}.xdi,{10 * n}\n" for n in (3, 2, 1, 0))
    files = [*sent("scans", *series(folder)), *sent("references", folder / "hematite.xdi")]
    with_table = [*files, ("axis_table", ("times.csv", table.encode()))]
    for fields in ({}, {"axis": "charge"}):
        found = client.post("/api/mix", files=with_table, data=fields).raise_for_status().json()
        assert found["axis"] == "charge"
        assert [row["charge"] for row in found["scans"]] == [0, 10, 20, 30]
    wrong = client.post("/api/mix", files=with_table, data={"axis": "voltage"})
    assert wrong.status_code == 422
    assert wrong.json()["detail"].startswith("times.csv has the columns")
    (tmp_path / "own.csv").write_text(table)
    for word in (f"{tmp_path}/own.csv", f"{tmp_path}/own.csv:charge"):
        answer = client.post("/api/mix", files=files, data={"axis": word})
        assert answer.status_code == 422 and "axis_table" in answer.json()["detail"]


def test_a_table_of_the_axis_is_bounded(client, folder):
    files = [*sent("scans", *series(folder)), *sent("references", folder / "hematite.xdi")]
    for table in (b"," * 1_000_000 + b"\n1\n" * 1000, b"scan,x\n" + b"a" * 200_000, b"\xff\xfe,"):
        wide = [*files, ("axis_table", ("wide.csv", table))]
        answer = client.post("/api/mix", files=wide)
        assert answer.status_code == 422
        assert "wide.csv" in answer.json()["detail"] and len(answer.json()["detail"]) < 2000


def test_what_is_no_scan_is_left_out_by_the_name_of_its_sender(client, folder):
    flat = scan_text(np.arange(7050.0, 7250.0), np.ones(200)).encode()
    files = [
        *sent("scans", *series(folder)),
        ("scans", ("C:\\data\\<b>empty.dat", b"")),
        ("scans", ("flat.xdi", flat)),
        *sent("references", folder / "hematite.xdi"),
    ]
    answer = client.post("/api/mix", files=files).raise_for_status()
    assert [each["scan"] for each in answer.json()["left_out"]] == ["<b>empty", "flat"]
    assert len(answer.json()["scans"]) == 4
    assert no_path_in(answer.text)
    for bad in (b"", b"data_x\n", b"[" * 100_000):
        broken = [*sent("scans", *series(folder)), ("references", ("bad.cif", bad))]
        answer = client.post("/api/mix", files=broken)
        assert answer.status_code == 422 and "bad.cif" in answer.json()["detail"]
        assert no_path_in(answer.text)


def test_names_that_are_given_twice_are_told_apart(client, folder):
    scans = [("scans", ("x.xdi", path.read_bytes())) for path in series(folder)]
    references = [
        ("references", ("r.xdi", (folder / f"{each}.xdi").read_bytes()))
        for each in ("hematite", "phosphate")
    ]
    found = client.post("/api/mix", files=[*scans, *references]).raise_for_status().json()
    assert [row["scan"] for row in found["scans"]] == ["x", "x (2)", "x (3)", "x (4)"]
    assert [each["name"] for each in found["references"]] == ["r", "r (2)"]


def test_columns_of_one_file_are_scans(client, folder):
    curves = [np.loadtxt(path) for path in series(folder)]
    rows = np.column_stack([curves[0][:, 0], *(each[:, 1] for each in curves)])
    head = "# energy " + " ".join(f"mu_{n}" for n in range(4)) + "\n"
    text = head + "\n".join(" ".join(f"{x:.6f}" for x in row) for row in rows) + "\n"
    files = [("scans", ("all.dat", text.encode())), *sent("references", folder / "hematite.xdi")]
    fields = {"absorber": "Fe", "edge": "K", "columns": "mu_*"}
    found = client.post("/api/mix", files=files, data=fields).raise_for_status().json()
    assert [row["scan"] for row in found["scans"]] == ["mu_0", "mu_1", "mu_2", "mu_3"]


def test_a_long_series_shows_some_of_its_curves(client, folder):
    one = (folder / "hematite.xdi").read_bytes()
    scans = [("scans", (f"{n}.xdi", one)) for n in range(30)]
    answer = client.post("/api/mix", files=[*scans, *sent("references", folder / "hematite.xdi")])
    found = answer.raise_for_status().json()
    assert len(found["scans"]) == 30 and len(found["norm"]) == len(found["shown"]) == 30
    assert any("the same numbers" in row["note"] for row in found["scans"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"shift": "far"}, "shift"),
        ({"shift": "500"}, "shift"),
        ({"first": "80", "last": "-20"}, "range"),
        ({"most": "0"}, "most"),
        ({"components": "1"}, "components"),
        ({"absorber": "Xx"}, "Xx"),
        ({"references": "x"}, "references"),
        ({"axis": "voltage"}, "voltage"),
        ({"axis": "mtime"}, "axis_table"),
        ({"columns": "mu*"}, "no columns of scans"),
        ({"energy": "2", "mu": "1"}, "neither eV nor keV"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused_in_words(client, folder, fields, words):
    files = [*sent("scans", *series(folder)), *sent("references", folder / "hematite.xdi")]
    answer = client.post("/api/mix", files=files, data=fields)
    assert answer.status_code == 422
    assert words in answer.json()["detail"] and no_path_in(json.dumps(answer.json()))
