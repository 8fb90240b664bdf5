"""The interface of the server: answers are the library's, refusals are its sentences."""

import gzip
import io
import json
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

import cgxas

EXAMPLES = Path(__file__).parents[2] / "examples"
SCAN = Path(cgxas.__file__).parent / "serve" / "page" / "examples" / "Fe2O3_made_up.xdi"


def crystal(name: str, field: str = "crystals") -> tuple[str, tuple[str, bytes]]:
    return field, (name, (EXAMPLES / name).read_bytes())


def predicted(client, *names: str, **fields: object):
    return client.post("/api/predict", files=[crystal(each) for each in names], data=fields)


@pytest.fixture(scope="module")
def spectrum():
    return cgxas.load().predict(EXAMPLES / "Fe2O3.cif", "Fe")


def test_the_answer_is_that_of_the_library(client, spectrum):
    answer = predicted(client, "Fe2O3.cif", absorber="Fe").raise_for_status().json()
    (found,) = answer["spectra"]
    np.testing.assert_allclose(found["energy"], spectrum.energy, atol=1e-4)
    np.testing.assert_allclose(found["norm"], spectrum.norm, atol=2e-5)
    np.testing.assert_allclose(found["sigma"], spectrum.sigma, atol=2e-5)
    assert found["trust"]["text"] == spectrum.trust.text
    assert found["half_step"] == pytest.approx(spectrum.half_step, abs=1e-3)
    assert found["sites"][0]["sites"] == list(spectrum.sites[0].sites)
    assert answer["failures"] == []


def test_json_and_form_are_answered_alike(client):
    text = (EXAMPLES / "Fe2O3.cif").read_text(encoding="utf-8")
    body = {"crystals": [{"text": text, "format": "cif"}], "absorber": ["Fe", "O"]}
    found = client.post("/api/predict", json=body).raise_for_status().json()["spectra"]
    form = predicted(client, "Fe2O3.cif", absorber=["Fe", "O"]).json()["spectra"]
    assert [each["absorber"] for each in found] == ["Fe", "O"]
    assert [each["norm"] for each in found] == [each["norm"] for each in form]
    one = client.post("/api/predict", json={"text": text, "format": "cif", "absorber": "O"})
    assert [each["norm"] for each in one.raise_for_status().json()["spectra"]] == [form[1]["norm"]]
    odd = client.post("/api/predict", json={"text": text, "format": "cif", "absorber": "O", "x": 1})
    assert (odd.status_code, odd.json()["detail"]) == (422, "x: extra inputs are not permitted")


def test_what_fails_is_named_and_the_rest_is_answered(client):
    files = [crystal("LiFePO4.cif"), ("crystals", ("../../etc/<b>bad.cif", b"data_bad\n"))]
    answer = client.post("/api/predict", files=files, data={"absorber": "Fe"}).json()
    assert [each["formula"] for each in answer["spectra"]] == ["LiFePO4"]
    (failure,) = answer["failures"]
    assert failure["crystal"] == "<b>bad.cif"
    assert failure["error"] == "UnreadableCrystal"
    assert failure["detail"].startswith("<b>bad.cif ")
    assert "/dev/shm" not in json.dumps(answer) and "/tmp" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"absorber": "Xx"}, "UnknownElement", "not a chemical element"),
        ({"absorber": "Cu"}, "AbsorberNotInCrystal", "holds no Cu"),
        ({"absorber": "U"}, "UnsupportedAbsorber", "no calibration for U"),
        ({"absorber": "Fe", "disorder": "guess"}, "ConfigError", "guess"),
        ({"absorbr": "Fe"}, "BadRequest", "absorbr"),
        ({"absorber": "Fe", "seed": "-1"}, "BadRequest", "seed"),
        ({"absorber": "Fe", "format": "exe"}, "BadRequest", "format"),
    ],
)
def test_a_refusal_of_the_library_is_a_422_with_its_sentence(client, fields, error, words):
    answer = predicted(client, "Fe2O3.cif", **fields)
    assert answer.status_code == 422
    told = answer.json()
    assert told["error"] == error
    assert words in told["detail"] and "\n" not in told["detail"]


@pytest.mark.parametrize("suffix", ["xdi", "csv", "nxs", "prj"])
def test_a_file_is_what_the_library_writes(client, spectrum, suffix, tmp_path):
    pytest.importorskip("larch")
    answer = predicted(client, "Fe2O3.cif", absorber="Fe", format=suffix).raise_for_status()
    path = tmp_path / f"found.{suffix}"
    path.write_bytes(answer.content)
    assert f'filename="Fe2O3_Fe.{suffix}"' in answer.headers["content-disposition"]
    group = {"group": "1"} if suffix == "prj" else {}
    read = cgxas.read_spectrum(path, "Fe", **group)
    assert read.half_step == pytest.approx(spectrum.half_step, abs=0.02)
    assert b"/dev/shm" not in answer.content and b"cgxas-serve-" not in answer.content


def test_a_zip_holds_every_format(client):
    pytest.importorskip("larch")
    answer = predicted(client, "Fe2O3.cif", absorber="Fe", format="zip").raise_for_status()
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    suffixes = ("xdi", "csv", "json", "svg", "png")
    assert names == [*(f"Fe2O3_Fe.{each}" for each in suffixes), "all.prj"]


def test_a_scan_is_normalised_and_normalised_again(client):
    pytest.importorskip("larch")
    files = {"scan": (SCAN.name, SCAN.read_bytes())}
    found = client.post("/api/measure", files=files).raise_for_status().json()
    own = cgxas.read_spectrum(SCAN)
    np.testing.assert_allclose(found["norm"], own.norm, atol=1e-6)
    assert (found["absorber"], found["scan"]) == ("Fe", SCAN.name)
    ranges = {**found["ranges"], "norm1": 60, "norm2": 200, "nnorm": 1}
    again = client.post("/api/measure", files=files, data={"ranges": json.dumps(ranges)}).json()
    wanted = cgxas.Ranges(ranges["pre1"], ranges["pre2"], ranges["npre"], 60, 200, 1)
    np.testing.assert_allclose(again["norm"], cgxas.renormalised(own, wanted).norm, atol=1e-6)
    assert again["edge_step"] != found["edge_step"]
    wrong = client.post("/api/measure", files=files, data={"ranges": '{"pre1": 1}'})
    assert wrong.status_code == 422
    ranges["pre2"] = 20
    wrong = client.post("/api/measure", files=files, data={"ranges": json.dumps(ranges)})
    assert "must end before the edge" in wrong.json()["detail"]


def test_a_comparison_by_files_and_by_curves_is_that_of_the_library(client, spectrum):
    pytest.importorskip("larch")
    files = [crystal("Fe2O3.cif", "crystal"), ("scan", (SCAN.name, SCAN.read_bytes()))]
    wish = {"shift": 0.5, "broaden": 0.8}
    found = client.post("/api/compare", files=files, data=wish).raise_for_status().json()
    own = cgxas.compare(spectrum, cgxas.read_spectrum(SCAN), **wish)
    assert found["after"]["rse"] == pytest.approx(own.after.rse, abs=2e-5)
    assert found["before"]["half_step_difference"] == pytest.approx(
        own.before.half_step_error, abs=2e-3
    )
    curve = ("absorber", "edge", "energy", "norm")
    body = {
        "predicted": {name: found["predicted"][name] for name in curve},
        "measured": {name: found["measured"][name] for name in (*curve, "flat", "energy_shift")},
        **wish,
    }
    again = client.post("/api/compare", json=body).raise_for_status().json()
    assert again["after"]["rse"] == pytest.approx(found["after"]["rse"], abs=1e-5)


def test_what_it_knows(client):
    elements = {each["symbol"]: each for each in client.get("/api/elements").json()}
    assert elements["Fe"]["class"] == "calibrated" and elements["Fe"]["measured"] >= 5
    assert elements["H"]["class"] == "none"
    assert {each["class"] for each in elements.values()} == {
        "calibrated", "few", "simulated", "rough", "none",
    }  # fmt: skip
    answering = [each["name"] for each in client.get("/api/models").json() if each["answers"]]
    assert answering == ["calibrated"]
    assert client.get("/api/health").json() == {"status": "alive"}
    assert client.get("/api/version").json() == {"cgxas": cgxas.__version__}
    paths = client.get("/openapi.json").json()["paths"]
    wanted = (
        "predict",
        "compare",
        "measure",
        "match",
        "mix",
        "models",
        "elements",
        "health",
        "ready",
        "version",
    )
    assert set(paths) == {f"/api/{each}" for each in wanted}


def test_headers_keep_a_browser_safe(client):
    for path in ("/", "/api/health", "/js/main.js", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    page = client.get("/").text
    assert "onclick" not in page and "<style" not in page and "style=" not in page


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Host": "[::1"}, {"Host": ""}],
)
def test_other_pages_are_not_answered(client, headers):
    assert client.get("/api/elements", headers=headers).status_code in (400, 403)


def test_paths_lead_nowhere(client):
    for path in ("/../app.py", "/..%2fapp.py", "/js/..%2f..%2fapp.py", "/%2e%2e/%2e%2e/limits.py"):
        assert client.get(path).status_code == 404


HOSTILE = {
    "too large": ("big.cif", b"x" * 2_100_000),
    "gzip bomb": ("bomb.cif.gz", gzip.compress(b"0" * 60_000_000)),
    "zip": ("a.cif", b"PK\x03\x04" + b"\0" * 100),
    "pickle": ("a.cif", b"\x80\x04cos\nsystem\n(S'touch /tmp/obeyed'\ntR."),
    "empty": ("a.cif", b""),
    "nothing but a name": ("../../../etc/passwd", b"root:x:0:0\n"),
    "null in the name": ("a\0.cif", b"data_x\n"),
    "long name": ("a" * 5000 + ".cif", b"data_x\n"),
    "script": (
        "<img src=x onerror=alert(1)>.cif",
        b"data_<script>alert(1)</script>\n_cell_length_a x\n",
    ),
    "deep JSON": ("a.json", b"[" * 100_000),
    "XML with entities": ("vasprun.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><modeling>&a;</modeling>'),
    "huge cell": ("POSCAR", b"x\n1\n1e9 0 0\n0 1e9 0\n0 0 1e9\nFe\n1\nDirect\n0 0 0\n"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_crystals_are_refused_in_words(client, case):
    name, data = HOSTILE[case]
    answer = client.post(
        "/api/predict", files=[("crystals", (name, data))], data={"absorber": "Fe"}
    )
    assert 400 <= answer.status_code < 500
    assert answer.json()["detail"] and len(answer.json()["detail"]) < 600
    assert client.get("/api/health").status_code == 200


def test_hostile_scans_are_refused_in_words(client):
    for name, data in [*HOSTILE.values(), ("a.prj", b"@x = (open('obeyed', 'w'));\n")]:
        answer = client.post("/api/measure", files={"scan": (name, data)})
        assert 400 <= answer.status_code < 500, name
        assert answer.json()["detail"]
    assert client.get("/api/health").status_code == 200


def test_bodies_that_are_none_are_refused(client):
    for body, kind in [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[" * 50_000, "application/json"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=y"),
        (b"x", "text/plain"),
    ]:
        for path in ("predict", "measure", "compare"):
            answer = client.post(f"/api/{path}", content=body, headers={"Content-Type": kind})
            assert 400 <= answer.status_code < 500, (path, body[:9], kind)
            assert answer.json()["detail"]


def test_too_many_at_once_are_asked_to_come_back_and_the_server_recovers(start):
    import httpx

    statuses: list[int] = []
    after: list[str | None] = []

    with start(CGXAS_MAX_WAITING="8") as address, httpx.Client(timeout=600.0) as client:

        def ask() -> None:
            answer = predicted(client, *["LiFePO4.cif"] * 10)  # some work, for a fast machine
            statuses.append(answer.status_code)
            after.append(answer.headers.get("retry-after"))

        client.base_url = address
        threads = [threading.Thread(target=ask) for _ in range(60)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert len(statuses) == 60
        assert set(statuses) == {200, 503}
        assert all(wait for status, wait in zip(statuses, after, strict=True) if status == 503)
        assert predicted(client, "LiFePO4.cif", absorber="Fe").status_code == 200


def test_a_token_is_needed_where_one_is_set(start):
    import httpx

    token = "a-token-of-more-than-16"
    with start(CGXAS_TOKEN=token) as address, httpx.Client(timeout=600.0) as client:
        assert client.get(f"{address}/api/health").status_code == 200
        assert client.get(f"{address}/").status_code == 200
        assert client.get(f"{address}/api/elements").status_code == 401
        for wrong in ("Bearer wrong", f"Bearer {token}x", token[:-1]):
            found = client.get(f"{address}/api/elements", headers={"Authorization": wrong})
            assert found.status_code == 401
        right = {"Authorization": f"Bearer {token}", "Host": "beamline.example"}
        assert client.get(f"{address}/api/elements", headers=right).status_code == 200


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_the_interface_keeps_what_it_describes(address, mode):
    """Requests that are made as described, and such as break that, bring no 5xx."""
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, given, settings

    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    wanted = schemathesis.GenerationMode[mode]
    asked = set()

    for operation in schema.get_all_operations():
        made = operation.ok()
        if mode == "NEGATIVE" and not made.body:  # nothing can be wrong
            continue

        @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=made.as_strategy(generation_mode=wanted))
        def check(case) -> None:
            answer = case.call()
            assert answer.status_code < 500, answer.text

        check()
        asked.add(made.path)
    assert {f"/api/{each}" for each in ("predict", "measure", "compare", "match", "mix")} <= asked
