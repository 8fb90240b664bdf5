"""cgxas spectrum: facts on stdout, files and figure, refusals."""

import json
import subprocess
import sys

import numpy as np
import pytest

from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.write import write_spectra
from cgxas.spectra.normalise import normalise, renormalised
from cgxas.spectra.ranges import Ranges

pytest.importorskip("larch")


@pytest.fixture
def measured(tmp_path, scanned):
    """Columns of a scan, and a project of two groups."""
    energy, mu = scanned()
    np.savetxt(tmp_path / "a.dat", np.transpose([energy / 1000, mu]), header="energy_keV  xmu")
    scans = [
        Scan(energy, mu, "mu", "columns", "x", name, "Fe", "K", 1.5) for name in ("one", "two")
    ]
    write_spectra([normalise(scan) for scan in scans], tmp_path / "a.prj")
    return tmp_path


def facts(answer) -> dict[str, str]:
    assert answer.code == 0, answer.err
    return dict(line.split("  ", 1) for line in answer.out.splitlines())


def test_what_was_understood_is_shown_as_aligned_facts(cgxas, measured):
    answer = cgxas("spectrum", measured / "a.dat")
    found = {name: value.strip() for name, value in facts(answer).items()}
    assert found["format"] == "columns"
    assert found["edge"].startswith("Fe K (guessed: likeliest tabulated edge, 8.0 eV away; Nd L1")
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
    assert (again["format"], again["edge"].split(" (")[0]) == ("XDI", "Fe K")


def test_a_group_of_a_project_is_chosen_and_its_shift_told(cgxas, measured):
    answer = cgxas("spectrum", measured / "a.prj", "--group", "two")
    found = {name: value.strip() for name, value in facts(answer).items()}
    assert found["sample"] == "two"
    assert found["energy shift"] == "+1.50 eV, not applied"


BEFORE_AND_ABOVE = {
    "energy in keV": (lambda e, mu: (e / 1000, mu), "converted from keV"),
    "descending": (lambda e, mu: (e[::-1], mu[::-1]), "turned round"),
    "duplicates": (lambda e, mu: (np.insert(e, 9, e[9]), np.insert(mu, 9, mu[9])), "averaged"),
    "negative": (lambda e, mu: (e, mu - 0.5), "mu is column mu"),
}


@pytest.mark.parametrize("case", BEFORE_AND_ABOVE)
def test_odd_measurements_are_accepted_and_told(cgxas, tmp_path, scanned, case):
    change, told = BEFORE_AND_ABOVE[case]
    np.savetxt(tmp_path / "a.dat", np.transpose(change(*scanned(noise=0.01))), header="energy mu")
    answer = cgxas("spectrum", tmp_path / "a.dat")
    assert (answer.code, answer.err) == (0, "")
    assert told in answer.out
    assert "Fe K" in answer.out


BAD = {
    "nan": (lambda e, mu: (e, np.where(e > 7300, np.nan, mu)), "not finite at "),
    "five points": (lambda e, mu: (e[:5], mu[:5]), "only 5 points"),
    "no pre-edge": (lambda e, mu: (e[e > 7118], mu[e > 7118]), "no pre-edge"),
    "no post-edge": (lambda e, mu: (e[e < 7130], mu[e < 7130]), "no post-edge"),
    "saturated": (lambda e, mu: (e, np.minimum(mu, 1.2)), "saturated"),
    "upside down": (lambda e, mu: (e, -mu), "mu falls"),
    "several scans": (lambda e, mu: (np.tile(e, 2), np.tile(mu, 2)), "split the file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_measurements_are_refused_in_one_line_and_nothing_is_written(
    refused, tmp_path, scanned, case
):
    change, told = BAD[case]
    np.savetxt(tmp_path / "a.dat", np.transpose(change(*scanned())), header="energy mu")
    out = tmp_path / "out.xdi"
    assert told in refused("spectrum", tmp_path / "a.dat", "-e", "Fe", "-o", out)
    assert not out.exists()


def test_bad_files_are_refused_in_one_line(refused, measured):
    for name, content, told in (
        ("empty.dat", b"", "is empty"),
        ("noise.dat", bytes(range(256)) * 9, "no columns of numbers"),
        ("cut.prj", (measured / "a.prj").read_bytes()[:900], "packed, and cut short"),
        ("comma.csv", b"energy,mu\n" + b"7112,5,0,34\n" * 30, "commas"),
    ):
        (measured / name).write_bytes(content)
        assert told in refused("spectrum", measured / name)
    assert "is a folder" in refused("spectrum", measured)


def test_nothing_is_shown_if_it_cannot_be_written(refused, measured, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "out.xdi")

    monkeypatch.setattr("cgxas.spectra.io.write.write_spectrum", full)
    said = refused("spectrum", measured / "a.dat", "-o", measured / "out.xdi")
    assert "No space left" in said


def test_bad_wishes_are_refused_in_one_line(refused, measured):
    assert "one, two" in refused("spectrum", measured / "a.prj")
    assert "Cu K edge" in refused("spectrum", measured / "a.dat", "--element", "Cu")
    assert "no such file" in refused("spectrum", measured / "none.dat")
    assert "no column" in refused("spectrum", measured / "a.dat", "--mu", "i0")
    assert "file type" in refused("spectrum", measured / "a.dat", "-o", "a.docx")


def test_a_guess_is_called_one_and_an_edge_can_be_asked_for(cgxas, refused, tmp_path, scanned):
    path = tmp_path / "a.dat"
    np.savetxt(path, np.transpose(scanned(5486.5)), header="energy mu")
    edge = facts(cgxas("spectrum", path))["edge"].strip()
    assert edge.startswith("La L3 (guessed: nearest tabulated edge, ")
    assert "V K is 2" in edge
    out = tmp_path / "a.json"
    asked = facts(cgxas("spectrum", path, "-e", "V", "--edge", "K", "-o", out))
    assert asked["edge"].strip() == "V K"
    assert json.loads(out.read_text())["edge_source"] == "asked"
    figure = tmp_path / "a.svg"
    named = facts(cgxas("spectrum", path, "--element", "La", "-o", out, "--plot", figure))
    assert named["edge"].strip() == "La L3"
    assert json.loads(out.read_text())["edge"] == "L3"
    assert "one of K, L1, L2, L3" in refused("spectrum", path, "--edge", "M5")


def test_the_first_warning_is_heard_although_larch_silences_them(tmp_path, scanned):
    energy, mu = scanned()
    rows = [energy, 1e6 + 0 * mu, 1e6 * np.exp(-0.01 * mu), 1e4 * mu]
    np.savetxt(tmp_path / "thin.dat", np.transpose(rows), header="energy  i0  it  if")
    words = (sys.executable, "-m", "cgxas", "spectrum", tmp_path / "thin.dat")
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "its fluorescence shows a clear edge" in done.stderr


RANGES = ("--ranges", -80, -40, 60, 200)


def test_ranges_and_degrees_are_those_that_are_wanted(cgxas, refused, measured):
    chosen = read_spectrum(measured / "a.dat")
    found = facts(cgxas("spectrum", measured / "a.dat", *RANGES, "--degrees", 0, 1))
    expected = renormalised(chosen, Ranges(-80, -40, 0, 60, 200, 1))
    assert expected.edge_step != pytest.approx(chosen.edge_step, rel=1e-3)
    assert float(found["edge step"]) == pytest.approx(expected.edge_step, rel=1e-3)
    assert found["pre-edge"].strip() == "-80.0 to -40.0 eV from E0, degree 0"
    assert found["post-edge"].strip() == "60.0 to 200.0 eV from E0, degree 1"
    kept = facts(cgxas("spectrum", measured / "a.dat", *RANGES))["post-edge"].strip()
    assert kept == f"60.0 to 200.0 eV from E0, degree {chosen.ranges.nnorm}"
    assert "must end before the edge" in refused(
        "spectrum", measured / "a.dat", "--ranges", 5, 9, 20, 90
    )
    assert "of degree 0 or 1" in refused("spectrum", measured / "a.dat", "--degrees", 2, 1)


def test_what_is_normalised_has_no_ranges(refused, measured, tmp_path):
    found = read_spectrum(measured / "a.dat")
    columns = np.transpose([found.energy, found.norm])
    np.savetxt(tmp_path / "b.dat", columns, header="energy norm")
    assert "no ranges to change" in refused("spectrum", tmp_path / "b.dat", *RANGES)
