"""An installation without extras: it predicts and draws; what needs more is refused in a line."""

import subprocess
import sys

import pytest

RUN = """
import sys
sys.modules.update(dict.fromkeys(("pyarrow", "larch", "xraydb", "sklearn", "mp_api")))
from cgxas.cli import main
main()
"""


@pytest.fixture
def bare(tmp_path):
    """Run the command line where no extra is installed."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", RUN, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    return run


def test_it_predicts_draws_and_writes(bare, crystals, random_model, tmp_path):
    words = [crystals / "iron.cif", "-a", "Fe", "-m", random_model, "--plot", "fe.png"]
    for suffix in (".csv", ".json", ".xdi"):
        done = bare("predict", *words, "-o", f"fe{suffix}")
        assert done.returncode == 0, done.stderr
    names = {path.name for path in tmp_path.iterdir()}
    assert {"fe.csv", "fe.json", "fe.xdi", "fe.png"} <= names


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("data", ["predict", "IRON", "-a", "Fe", "-m", "MODEL", "-o", "fe.parquet"]),
        ("data", ["evaluate", "MODEL", "nowhere"]),
        ("data", ["dataset", "info", "nowhere"]),
        ("data", ["embed", "MODEL", "IRON", "-o", "sites.parquet"]),
        ("larch", ["predict", "IRON", "-a", "Fe", "-m", "MODEL", "-o", "fe.prj"]),
        ("larch", ["spectrum", "SCAN"]),
    ],
)
def test_what_needs_more_says_what(bare, crystals, random_model, tmp_path, extra, words):
    scan = tmp_path / "scan.dat"
    scan.write_text("# energy mu\n" + "\n".join(f"{7000 + n} {n}" for n in range(100)))
    names = {"IRON": crystals / "iron.cif", "MODEL": random_model, "SCAN": scan}
    done = bare(*(names.get(word, word) for word in words))
    assert done.returncode == 2, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and f"the extra {extra} brings it" in lines[0], done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["scan.dat"]
