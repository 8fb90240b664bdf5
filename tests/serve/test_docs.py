"""What docs/howto/serve.md tells to type works, against the server of the tests."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("larch")
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "serve.md").read_text(encoding="utf-8")
MADE_UP = ROOT / "src" / "cgxas" / "serve" / "page" / "examples" / "Fe2O3_made_up.xdi"
USUAL = "http://127.0.0.1:8000"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_calls_of_curl_work(address, folder):
    calls = [line for code in blocks("sh") for line in code.splitlines() if line.startswith("curl")]
    assert len(calls) == 5
    for each in calls:
        subprocess.run(["bash", "-c", each.replace(USUAL, address)], check=True)
    assert json.loads((folder / "hematite.json").read_text())["spectra"][0]["formula"] == "Fe2O3"
    assert json.loads((folder / "compared.json").read_text())["before"]["rse"] < 1e-6
    matched = json.loads((folder / "matched.json").read_text())
    assert [each["crystal"] for each in matched["matches"]] == ["Fe2O3.cif", "LiFePO4.cif"]
    (row,) = json.loads((folder / "mixed.json").read_text())["scans"]
    assert row["Fe2O3"] > 0.95


def test_the_python_works(address, folder, capsys):
    (folder / "hematite.xdi").write_bytes(MADE_UP.read_bytes())
    for code in blocks("python"):
        exec(code.replace(USUAL, address), {})
    told = capsys.readouterr().out
    assert "LiFePO4" in told
    assert "without the absorber: ['LiCoO2.cif', 'TiO2_anatase.cif', 'TiO2_rutile.cif']" in told
    assert told.splitlines()[-1].startswith("hematite {")
