"""Spectra and data sets by FEFF: the mean over sites, the cache, what is left out."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

import cgxas
from cgxas.data.folder import read_records
from cgxas.errors import (
    AbsorberNotInCrystal,
    ConfigError,
    DatasetError,
    OutputError,
    SimulationError,
    SimulationWarning,
)
from cgxas.simulation import sites
from cgxas.simulation.log import FeffLog
from cgxas.simulation.process import FeffRun

pytest.importorskip("feff10")


def salt(a: float = 4.2, metal: str = "Mg") -> Structure:
    places = [[0, 0, 0], [0.5, 0.5, 0.5]]
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), [metal, "O"], places)


def uneven() -> Structure:
    """One oxygen between two layers, and two in them."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.tetragonal(4.0, 4.4), ["Ni", "Ni", "O", "O", "O"], places)


def test_sites_are_weighted_and_stand_on_common_energies(feff):
    first: list[str] = []

    def edge(text: str) -> float:
        first.append(text)
        return 530.0 if text == first[0] else 532.0

    feff(edge)
    found = cgxas.simulate(uneven(), "O", workers=1)
    assert [site.multiplicity for site in found.sites] == [1, 2]
    np.testing.assert_allclose(found.norm, (found.sites[0].norm + 2 * found.sites[1].norm) / 3)
    assert (found.energy[0], found.energy[-1]) == (517.0, 570.0)
    assert found.sites[0].half_step == pytest.approx(530.0, abs=0.1)
    assert found.sites[1].half_step == pytest.approx(532.0, abs=0.1)
    assert (found.model, found.trust, found.sigma) == ("FEFF10 (quick)", None, None)


def test_one_site_keeps_the_energies_of_feff(feff):
    feff()
    found = cgxas.simulate(salt(), "O")
    np.testing.assert_allclose(found.energy, 530.0 + np.linspace(-15, 40, 100), atol=1e-6)
    assert found.n_atoms == 4


def test_what_was_computed_is_kept(feff, damage, cache):
    told = feff()
    one, two = (cgxas.simulate(salt(), "O") for _ in range(2))
    assert len(told) == 1
    np.testing.assert_array_equal(one.norm, two.norm)
    cgxas.simulate(salt(), "O", "full")
    cgxas.simulate(salt(4.3), "O")
    assert len(told) == len(list(cache.iterdir())) == 3
    damage()
    cgxas.simulate(salt(), "O")
    assert len(told) == 4


def test_nothing_doubtful_is_answered(feff):
    told = feff(converged=False)
    for _ in range(2):
        with pytest.raises(SimulationError, match=r"site 4: .*self-consistent potentials"):
            cgxas.simulate(salt(), "O")
    assert len(told) == 1  # it would not be another time
    told = feff(lambda text: float("nan"))
    for _ in range(2):
        with pytest.raises(SimulationError, match="site 4: FEFF10 fails: made up"):
            cgxas.simulate(salt(4.3), "O")
    assert len(told) == 2  # it may have been the machine


def test_what_feff_warns_of_is_passed_on_each_time(feff):
    told = feff(says=" WARNING:interstitial level found above Fermi level.\n")
    for _ in range(2):
        with pytest.warns(SimulationWarning, match="O site 4: FEFF10 warns that the interstitial"):
            cgxas.simulate(salt(), "O")
    assert len(told) == 1


def row(e: float, mu: float, k: float = 3.72) -> str:
    return f"{e} 0 {k} {mu} 0 0"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row(530, 0.1), row(531, float("nan"))], "not of numbers"),
        (["530 0 0 ******** 0 0"], "not of numbers"),
        ([], "no spectrum"),
        ([row(530, 0.0), row(540, 1.0, 1.2)], r"part of a spectrum, up to 540\.0 eV"),
        ([row(530, 0.0), row(540, -0.3), row(550, 1.0)], r"absurd spectrum, from -0\.3 to 1"),
        ([row(530, 1.0), row(540, 1.1), row(550, 1.0)], r"absurd spectrum, from 1 to 1\.1"),
        ([row(530, 0.0), row(540, 99.0), row(550, 1.0)], "absurd spectrum, from 0 to 99"),
    ],
)
def test_a_spectrum_that_cannot_be_is_refused(rows, told, monkeypatch):
    log = FeffLog(Path("nowhere"))
    log.text = "Convergence reached in 9 iterations.\n"
    run = FeffRun("\n".join(["# omega e k mu mu0 chi @#", *rows]), log)
    monkeypatch.setattr(sites, "run_feff", lambda *_: run)
    with pytest.raises(SimulationError, match=told):
        cgxas.simulate(salt(), "O")


def test_a_spectrum_that_feff_calls_meaningless_is_refused(feff):
    feff(says="  Failed to match lower component, results are meaningless\n")
    with pytest.raises(SimulationError, match="says that its results are meaningless"):
        cgxas.simulate(salt(), "O")


def test_an_edge_that_the_core_hole_hides_is_told(feff, monkeypatch):
    """As of uranium, whose core hole is 94 eV wide: FEFF begins at half of the step."""
    feff()
    wide = sites.SiteCurve.of

    def raised(run):
        found = wide(run)
        return replace(found, norm=0.5 + 0.4 * found.norm)

    monkeypatch.setattr(sites.SiteCurve, "of", raised)
    with pytest.warns(SimulationWarning, match=r"begins at 0\.\d+ of the edge step"):
        cgxas.simulate(salt(), "O")


@pytest.mark.parametrize("words", [{"preset": "slow"}, {"timeout": -1}, {"timeout": "long"},
                                   {"timeout": float("nan")}, {"workers": 0}])  # fmt: skip
def test_impossible_wishes_are_refused(feff, words):
    told = feff()
    with pytest.raises(ConfigError):
        cgxas.simulate(salt(), "O", **words)
    assert not told


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two oxides, an alloy, and two files that are no good."""
    place = tmp_path / "crystals"
    place.mkdir()
    for metal, a in (("Mg", 4.2), ("Ca", 4.8)):
        salt(a, metal).to(str(place / f"{metal}O.cif"))
    Structure(Lattice.cubic(2.9), ["Ni", "Al"], [[0, 0, 0], [0.5] * 3]).to(str(place / "NiAl.cif"))
    (place / "bad.cif").write_text("data_x\n_cell_length_a 4\n")
    (place / "notes.txt").write_text("nothing")
    return place


def test_a_folder_becomes_a_data_set(feff, folder, tmp_path):
    feff()
    done = []
    found = cgxas.simulate_dataset(folder, "O", tmp_path / "set", on_site=lambda *n: done.append(n))
    assert done == [(0, 2), (1, 2), (2, 2)]
    (left,) = found.left_out
    assert "bad.cif" in left[0]
    assert found.without == 1
    records = read_records([tmp_path / "set"]).records
    assert sorted(record.material.formula for record in records) == ["CaO", "MgO"]
    assert {record.fidelity for record in records} == {"FEFF10"}
    assert {record.annotation.multiplicity for record in records} == {4.0}
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text())
    assert any("bad.cif" in name for names in manifest["left_out"].values() for name in names)


def test_a_data_set_goes_on_where_it_was_stopped(feff, folder, tmp_path):
    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    told = feff()
    with pytest.raises(KeyboardInterrupt):
        cgxas.simulate_dataset(folder, "O", tmp_path / "set", workers=1, on_site=stop)
    assert not (tmp_path / "set").exists()
    cgxas.simulate_dataset(folder, "O", tmp_path / "set", workers=1)
    assert len(told) == len(set(told)) == 2


def test_a_site_that_fails_is_named_and_the_others_are_kept(feff, folder, tmp_path):
    feff(lambda text: float("nan") if " Ca " in text else 530.0)
    found = cgxas.simulate_dataset(folder, ["O"], tmp_path / "set")
    assert ("CaO.cif, O site 4", "FEFF10 fails: made up") in found.left_out
    assert found.manifest.counts["spectra"] == 1
    feff(lambda text: float("nan"))
    with pytest.raises(DatasetError, match=r"not one site of 1 could be simulated; .*made up"):
        cgxas.simulate_dataset(folder / "CaO.cif", "O", tmp_path / "other")


def test_a_data_set_is_refused_before_any_work(feff, folder, tmp_path):
    told = feff()
    with pytest.raises(AbsorberNotInCrystal, match="none of the crystals holds Fe"):
        cgxas.simulate_dataset(folder / "MgO.cif", "Fe", tmp_path / "set")
    with pytest.raises(OutputError, match="is not empty"):
        cgxas.simulate_dataset(folder, "O", folder)
    assert not told


def skip_without_time() -> None:
    if not os.environ.get("CGXAS_FEFF"):
        pytest.skip("runs FEFF for minutes: set CGXAS_FEFF=1")


def test_both_presets_come_to_their_end_and_agree_on_the_edge():
    """KCl, two minutes of one processor."""
    skip_without_time()
    places = [[0, 0, 0], [0.5, 0.5, 0.5]]
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(6.29), ["K", "Cl"], places)
    quick, full = (cgxas.simulate(crystal, "K", preset, workers=1) for preset in ("quick", "full"))
    assert full.model == "FEFF10 (full)"
    assert full.half_step == pytest.approx(3612.46, abs=0.02)
    assert quick.half_step == pytest.approx(full.half_step, abs=0.1)
    assert np.abs(np.interp(full.energy, quick.energy, quick.norm) - full.norm).max() < 0.2


def test_feff10_agrees_with_the_runs_of_the_same_settings(shared):
    """NiO, minutes on one processor: within 1e-3 of the spectrum that was learnt from."""
    skip_without_time()
    records = read_records([shared / "data" / "sim_feff10_references"]).records
    (known,) = (r for r in records if r.spectrum_id == "ref:NiO-0-XANES-K-Ni")
    cell = known.material.cell
    found = cgxas.simulate(Structure(cell.lattice, cell.numbers.tolist(), cell.frac), "Ni")
    np.testing.assert_allclose(found.energy, known.energy, atol=1e-3)
    np.testing.assert_allclose(found.norm, known.norm, atol=1e-3)
