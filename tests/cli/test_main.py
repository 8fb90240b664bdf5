"""The frame of the command line: light imports, one-line messages, exit codes."""

import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from cgxas.cli.messages import exit_code, one_line
from cgxas.errors import CgxasWarning, CrystalError

HEAVY = ("ase", "larch", "matplotlib", "numpy", "pyarrow", "pymatgen", "scipy", "spglib", "torch")
SCRIPT = Path(sys.executable).with_name("cgxas")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


LIGHT = {
    "import": "import cgxas",
    "help": "from cgxas.cli import main; main(['--help'])",
    "version": "from cgxas.cli import main; main(['--version'])",
    "help of predict": "from cgxas.cli import main; main(['predict', '--help'])",
    "usage": "from cgxas.cli import main; main(['predict'])",
}


@pytest.mark.parametrize("case", LIGHT)
def test_nothing_heavy_is_imported_before_it_is_needed(case):
    done = python(
        f"import sys\ntry:\n    {LIGHT[case]}\nfinally:\n"
        f"    sys.stderr.write('heavy:' + ','.join(m for m in {HEAVY} if m in sys.modules))"
    )
    assert done.stderr.endswith("heavy:"), done.stderr


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help(cgxas, words):
    answer = cgxas(*words)
    assert answer.code == 0
    assert "Crystal structure in, K-edge XANES out." in answer.out
    assert "predict" in answer.out
    assert answer.err == ""


def test_version(cgxas):
    assert cgxas("--version").out == f"cgxas {version('cgxas')}\n"


def test_error_is_one_line(capsys):
    def command() -> None:
        raise CrystalError("the [bold]cell\nis\x1b[31m bad\udcff")

    assert exit_code(command) == 2
    assert capsys.readouterr().err == "cgxas: the [bold]cell is\\x1b[31m bad\\udcff\n"


def test_errors_of_the_system_are_one_line(capsys):
    assert exit_code(Path("/no/such/file").read_bytes) == 2
    assert capsys.readouterr().err == "cgxas: /no/such/file: No such file or directory\n"


def test_own_warnings_are_shown_once_and_others_not_at_all(capsys):
    def command() -> None:
        for _ in range(2):
            warnings.warn("few\nspectra", CgxasWarning, stacklevel=1)
            warnings.warn("rounded coordinates", UserWarning, stacklevel=1)

    assert exit_code(command) == 0
    assert capsys.readouterr().err == "cgxas: warning: few spectra\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, typer.Abort])
def test_interrupt_is_quiet(capsys, error):
    def command() -> None:
        raise error

    assert exit_code(command) == 130
    assert capsys.readouterr() == ("", "")


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        exit_code(lambda: 1 / 0)


def test_long_texts_are_not_cut():
    assert one_line("Fe " * 200) == " ".join(["Fe"] * 200)


def test_script_refuses_with_exit_2(tmp_path):
    done = subprocess.run(
        [SCRIPT, "predict", "[a].cif", "-a", "Fe", "-o", "nowhere/a.csv"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cgxas: The folder nowhere does not exist: create it first.\n"


def test_closed_pipe_is_quiet(random_model):
    command = f"set -o pipefail; {SCRIPT} models info {random_model} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.startswith("name")
    assert done.stderr == ""


def test_loading_a_model_leaves_the_compiler_alone(random_model):
    """Its import takes longer than everything else together."""
    done = python(
        f"import sys, cgxas\ncgxas.load({str(random_model)!r})\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr
