"""cgxas spectrum: facts on stdout, files and figure, refusals."""

import numpy as np
import pytest

from cgxas.spectra.files.scan import Scan
from cgxas.spectra.measured import normalise
from cgxas.spectra.measured_io import write_athena

pytest.importorskip("larch")


@pytest.fixture
def measured(tmp_path, scanned):
    """Columns of a scan, and a project of two groups."""
    energy, mu = scanned()
    np.savetxt(tmp_path / "a.dat", np.transpose([energy / 1000, mu]), header="energy_keV  xmu")
    scans = [
        Scan(energy, mu, "mu", "columns", "x", name, "Fe", "K", 1.5) for name in ("one", "two")
    ]
    write_athena([normalise(scan) for scan in scans], tmp_path / "a.prj")
    return tmp_path


def facts(answer) -> dict[str, str]:
    assert answer.code == 0, answer.err
    return dict(line.split("  ", 1) for line in answer.out.splitlines())


def test_what_was_understood_is_shown_as_aligned_facts(cgxas, measured):
    answer = cgxas("spectrum", measured / "a.dat")
    found = {name: value.strip() for name, value in facts(answer).items()}
    assert found["format"] == "columns"
    assert found["edge"] == "Fe K"
    assert found["energy step"] == "0.50 eV near the edge"
    assert float(found["E0"].split()[0]) == pytest.approx(7120, abs=1)
    assert float(found["edge step"]) == pytest.approx(0.8, rel=0.03)
    assert found["pre-edge"].startswith("-100")
    assert "keV" in answer.out
    starts = {len(line) - len(line.split("  ", 1)[1].lstrip()) for line in answer.out.splitlines()}
    assert len(starts) == 1


def test_files_and_figure_are_written(cgxas, measured):
    out, figure = measured / "out.xdi", measured / "fig.png"
    answer = cgxas("spectrum", measured / "a.dat", "--flatten", "-o", out, "--plot", figure)
    assert answer.code == 0
    assert "wrote" in answer.err
    assert figure.stat().st_size > 10_000
    again = {k: v.strip() for k, v in facts(cgxas("spectrum", out)).items()}
    assert (again["format"], again["edge"]) == ("XDI", "Fe K")


def test_a_group_of_a_project_is_chosen_and_its_shift_told(cgxas, measured):
    answer = cgxas("spectrum", measured / "a.prj", "--group", "two")
    found = {name: value.strip() for name, value in facts(answer).items()}
    assert found["sample"] == "two"
    assert found["energy shift"] == "+1.50 eV, not applied"


def test_bad_wishes_are_refused_in_one_line(refused, measured):
    assert "one, two" in refused("spectrum", measured / "a.prj")
    assert "Cu K edge" in refused("spectrum", measured / "a.dat", "--element", "Cu")
    assert "no such file" in refused("spectrum", measured / "none.dat")
    assert "no column" in refused("spectrum", measured / "a.dat", "--mu", "i0")
    assert "file type" in refused("spectrum", measured / "a.dat", "-o", "a.docx")
