"""cgxas compare: one line, one figure, refusals."""

import dataclasses
import json

import numpy as np
import pytest

from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.write import write_spectra
from cgxas.spectra.normalise import normalise
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import Spectrum

pytest.importorskip("larch")


@pytest.fixture
def pair(tmp_path, spectrum, scanned):
    """A predicted spectrum and a measured one, whose edge lies a little lower."""
    spectrum.save(tmp_path / "predicted.json")
    np.savetxt(tmp_path / "measured.dat", np.transpose(scanned(7117.0)), header="energy xmu")
    return tmp_path / "predicted.json", tmp_path / "measured.dat"


def test_one_line_before_and_after(cgxas, pair):
    answer = cgxas("compare", *pair)
    assert answer.code == 0, answer.err
    (line,) = answer.out.splitlines()
    assert line.startswith("predicted.json / measured.dat, Fe K: RSE 0.")
    assert "shift -3." in line or "shift -4." in line


def test_figures_and_numbers_are_written(cgxas, pair, tmp_path):
    out, figure = tmp_path / "out.json", tmp_path / "fig.svg"
    answer = cgxas("compare", *pair, "--json", out, "--plot", figure, "--broaden", 0)
    assert answer.code == 0, answer.err
    data = json.loads(out.read_text())
    assert data["after"]["rse"] < data["before"]["rse"]
    assert abs(data["after"]["half_step_error"]) < abs(data["before"]["half_step_error"])
    assert data["after"]["gaussian_fwhm"] == 0
    assert len(data["after"]["energy"]) == 100
    assert "<svg" in figure.read_text()


def test_a_crystal_is_predicted_first(cgxas, pair, crystals, random_model):
    answer = cgxas("compare", crystals / "iron.cif", pair[1], "--model", random_model)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("iron.cif / measured.dat, Fe K: RSE")


def test_given_shift_and_broadening_are_taken(cgxas, pair):
    line = cgxas("compare", *pair, "--shift", "-2", "--broaden", "1.5").out
    assert "shift -2.00 eV, Gaussian 1.50 eV" in line


def test_groups_of_projects_are_chosen_even_if_they_hold_a_colon(
    cgxas, refused, pair, tmp_path, scanned, spectrum
):
    scans = [Scan(*scanned(e0), "mu", "x", "a", n, "Fe") for n, e0 in (("a: b", 7117), ("c", 7115))]
    write_spectra([*map(normalise, scans), spectrum], tmp_path / "a.prj")
    chosen = cgxas("compare", f"{tmp_path}/a.prj:{spectrum.label}", f"{tmp_path}/a.prj:a: b")
    assert chosen.out.split(": RSE")[1] == cgxas("compare", *pair).out.split(": RSE")[1]
    assert "in compare: FILE:GROUP" in refused("compare", pair[0], tmp_path / "a.prj")


def test_a_known_shift_and_broadening_are_recovered(cgxas, tmp_path, spectrum):
    """3.2 eV and 1.5 eV; the 0.55 eV between predicted points count as a little broadening."""
    spectrum.save(tmp_path / "a.csv")
    wide = np.arange(7000.0, 7500.0, 0.25)
    end = spectrum.norm[-5:].mean()
    mu = np.interp(wide, spectrum.energy, spectrum.norm, left=0.0, right=end)
    columns = np.transpose([wide + 3.2, 0.4 + 1.3 * broadened(wide, mu, 1.5)])
    np.savetxt(tmp_path / "b.dat", columns, header="energy xmu")
    cgxas("compare", tmp_path / "a.csv", tmp_path / "b.dat", "--json", tmp_path / "o.json")
    after = json.loads((tmp_path / "o.json").read_text(), parse_constant=pytest.fail)["after"]
    assert after["shift"] == pytest.approx(3.2, abs=0.05)
    assert after["gaussian_fwhm"] == pytest.approx(1.5, abs=0.25)
    assert after["rse"] < 1e-3


def test_the_measured_file_is_normalised_as_wanted(cgxas, pair):
    chosen, wanted = (
        cgxas("compare", *pair, "--shift", 0, "--broaden", 0, *words).out
        for words in ((), ("--ranges", -100, -40, 150, 300, "--degrees", 0, 0))
    )
    assert chosen != wanted


def test_bad_wishes_are_refused_in_one_line(refused, pair):
    predicted, measured = pair
    assert "--shift" in refused("compare", predicted, measured, "--shift", "much")
    assert "--broaden" in refused("compare", predicted, measured, "--broaden", "-1")
    assert "Cu K edge" in refused("compare", predicted, measured, "--absorber", "Cu")
    assert "no such file" in refused("compare", predicted, "none.dat")


def test_an_l_edge_is_not_compared_with_a_k_prediction(refused, cgxas, pair, tmp_path, crystals):
    measured, figures = tmp_path / "la.dat", tmp_path / "out.json"
    energy = 5487.0 + np.linspace(-100.0, 300.0, 801)
    norm = 0.5 + np.arctan((energy - 5487.0) / 0.7) / np.pi
    np.savetxt(measured, np.transpose([energy, 0.3 + 0.8 * norm]), header="energy xmu")
    vanadium = Spectrum(energy[150:300], norm[150:300], "V", formula="V", model="m1")
    vanadium.save(tmp_path / "v.xdi")
    said = refused("compare", crystals / "iron.cif", measured)
    assert "La L3" in said
    assert "K edges only" in said
    assert "of V, the measured spectrum of La" in refused("compare", tmp_path / "v.xdi", measured)
    words = ("--absorber", "V", "--edge", "K", "--json", figures)
    assert cgxas("compare", tmp_path / "v.xdi", measured, *words).code == 0
    told = json.loads(figures.read_text())
    assert (told["absorber"], told["edge"], told["edge_source"]) == ("V", "K", "asked")
    lanthanum = dataclasses.replace(vanadium, absorber="La", edge="L3")
    lanthanum.save(tmp_path / "la.xdi")
    answer = cgxas("compare", tmp_path / "la.xdi", measured)
    assert answer.code == 0
    assert "the edge of la.dat is guessed: nearest" in answer.err
    said = refused("compare", tmp_path / "la.xdi", measured, "--absorber", "V")
    assert "of La, the measured spectrum of V" in said


@pytest.mark.parametrize("mu", ["(if1+if2)/i0", "sum(if*)/i0", "fluorescence"])
def test_columns_of_the_measured_file_are_chosen(cgxas, refused, pair, tmp_path, scanned, mu):
    energy, curve = scanned(7117.0)
    rows = [curve, energy, 0 * curve + 2.0, curve * 0.8, curve * 1.2]
    np.savetxt(tmp_path / "b.dat", np.transpose(rows), header="energy angle i0 if1 if2")
    assert "choose" in refused("compare", pair[0], tmp_path / "b.dat", "--mu", "if9/i0")
    out = tmp_path / "out.json"
    words = ("--energy", "2", "--mu", "(4+5)/3" if mu != "fluorescence" else "4")
    answer = cgxas("compare", pair[0], tmp_path / "b.dat", *words, "--json", out)
    assert answer.code == 0, answer.err
    assert "energy is column 2" in json.loads(out.read_text())["done"][0]
    np.savetxt(tmp_path / "c.dat", np.transpose(rows[1:]), header="energy i0 if1 if2")
    answer = cgxas("compare", pair[0], tmp_path / "c.dat", "--mu", mu, "--json", out)
    assert answer.code == 0, answer.err
    assert any(
        words.startswith("mu is (if1") or mu in words
        for words in json.loads(out.read_text())["done"]
    )
