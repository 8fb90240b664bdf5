"""Matching: the truth is found, bounds are told, and a stranger is no match."""

import csv
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Lattice, Structure

import cgxas as package
from cgxas.data.folder import read_records
from cgxas.errors import AbsorberNotInCrystal, OutputError, SpectrumError, WrongEdge
from cgxas.matching.errors import learnt_curves
from cgxas.matching.fit import CALIBRATED, SIMULATED, fit_of
from cgxas.matching.points import Points
from cgxas.matching.rank import ranked
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.resample import broadened
from cgxas.spectra.spectrum import Spectrum

ENERGY = np.arange(7080.0, 7190.0, 0.5)


def curve(
    edge: float, white: float = 0.6, wave: float = 0.1, energy: np.ndarray = ENERGY
) -> np.ndarray:
    """A step with a white line and a wave above it, both of which tell compounds apart."""
    x = energy - edge
    step = 0.5 + np.arctan(x / 1.2) / np.pi
    line = white * np.exp(-((x - 5) ** 2) / 12)
    return step + line + wave * np.sin((x - 8) / (3 + 40 * wave)) * np.exp(-x / 60) * (x > 8)


def predicted(edge: float, white: float = 0.6, wave: float = 0.1, **about) -> Spectrum:
    about = {"sigma": np.full(ENERGY.size, 0.05), "edge_sigma": 0.8, "model": "m1"} | about
    return Spectrum(ENERGY, curve(edge, white, wave), "Fe", **about)


def measured(
    norm: np.ndarray, energy: np.ndarray = ENERGY, noise: float = 0.0, **about
) -> Measurement:
    norm = norm + noise * np.random.default_rng(64).normal(size=norm.size)
    told = {"element": "Fe", "edge": "K", "kind": "normalised", "format": "", "source": "scan.dat"}
    return Measurement(energy, norm, norm, **{**told, "label": "", "edge_step": 1.0, **about})


CANDIDATES = [
    predicted(7120.0, white, wave, formula=f"{white} {wave}")
    for white in (0.2, 0.6, 1.0)
    for wave in (0.05, 0.1, 0.2)
]

TRUE = 4
"""Number of the candidate that `curve` draws."""


@pytest.mark.parametrize("shift", [-2.0, 0.0, 1.5])
def test_the_true_one_is_found_with_its_shift(shift):
    scan = measured(curve(7120.0 + shift), noise=0.01)
    found = ranked(scan, CANDIDATES)
    best = found.order[0]
    assert CANDIDATES[best].formula == "0.6 0.1"
    assert found.score[best] > 0.5
    assert found.none < 0.1
    assert found.fits[best].shift == pytest.approx(shift, abs=0.2)
    assert found.score.sum() + found.none == pytest.approx(1.0)
    assert not found.fits[best].on_bound


def test_a_broadening_is_found():
    wide = broadened(ENERGY, curve(7120.0), 2.5)
    (fit,) = ranked(measured(wide), [predicted(7120.0)]).fits
    assert fit.gaussian == pytest.approx(2.5, abs=0.6)
    assert fit.rse < 1e-3


def test_none_fits_where_the_scan_is_of_something_else():
    strange = measured(curve(7120.0, white=2.5, wave=0.6))
    found = ranked(strange, CANDIDATES)
    assert found.none > 0.5
    assert found.score.max() < 0.5


def test_the_scores_know_nothing_of_the_order():
    scan = measured(curve(7121.0), noise=0.02)
    found, turned = ranked(scan, CANDIDATES), ranked(scan, CANDIDATES[::-1])
    np.testing.assert_allclose(found.score, turned.score[::-1], atol=1e-12)


def test_a_scan_is_the_same_on_finer_points():
    coarse = ranked(measured(curve(7120.5)), CANDIDATES)
    fine = np.arange(7080.0, 7190.0, 0.1)
    finer = ranked(measured(curve(7120.5, energy=fine), fine), CANDIDATES)
    np.testing.assert_allclose(coarse.score, finer.score, atol=0.02)


@pytest.mark.parametrize("away", [-12.0, 12.0])
def test_a_shift_beyond_the_bounds_is_told(away):
    (fit,) = ranked(measured(curve(7120.0 + away)), [predicted(7120.0)]).fits
    assert fit.on_bound
    least, most, _ = fit.bounds
    assert fit.shift == pytest.approx(least if away < 0 else most, abs=0.1)
    assert abs(least) < abs(away)


def test_a_broadening_beyond_the_bounds_is_told():
    wide = broadened(ENERGY, curve(7120.0), 9.0)
    (fit,) = ranked(measured(wide), [predicted(7120.0)]).fits
    assert fit.on_bound
    assert fit.gaussian == CALIBRATED.widest


def test_bounds_are_as_wide_as_the_model_is_unsure():
    points = Points.of(measured(curve(7120.0)))
    sure, unsure = (
        fit_of(points, predicted(7120.0, edge_sigma=s), CALIBRATED).bounds[1] for s in (0.5, 3.0)
    )
    simulated = fit_of(points, predicted(7120.0, edge_sigma=None), SIMULATED).bounds[1]
    assert sure < unsure < simulated


def test_a_wide_band_is_counted_as_noise():
    """Beside a scan that is a little off, a narrow band is wrong and a wide one is not."""
    points = Points.of(measured(curve(7120.0, white=0.75, wave=0.15)))
    narrow, wide = (
        fit_of(points, predicted(7120.0, sigma=np.full(ENERGY.size, s)), CALIBRATED)
        for s in (0.01, 0.2)
    )
    assert wide.misfit < narrow.misfit / 2


def test_an_energy_shift_of_the_file_is_heeded():
    scan = measured(curve(7110.0), energy_shift=10.0)
    (fit,) = ranked(scan, [predicted(7120.0)]).fits
    assert fit.shift == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(("first", "last"), [(7118.0, 7190.0), (7080.0, 7135.0)])
def test_scans_that_are_too_short_are_refused(first, last):
    energy = np.arange(first, last, 0.5)
    with pytest.raises(SpectrumError, match="are needed for a match"):
        ranked(measured(curve(7120.0, energy=energy), energy), CANDIDATES)


def test_a_crystal_given_twice_shares_its_score():
    scan = measured(curve(7120.5), noise=0.01)
    once, twice = ranked(scan, CANDIDATES), ranked(scan, [*CANDIDATES, CANDIDATES[TRUE]])
    assert twice.score[TRUE] == pytest.approx(twice.score[-1])
    assert twice.score[TRUE] + twice.score[-1] == pytest.approx(once.score[TRUE])
    assert twice.none == pytest.approx(once.none)


def test_one_candidate_alone_is_told_from_a_stranger():
    right, wrong = CANDIDATES[TRUE], predicted(7120.0, white=1.6, wave=0.3)
    scan = measured(curve(7120.0), noise=0.01)
    assert ranked(scan, [right]).none < 0.2
    assert ranked(scan, [wrong]).none > 0.5


def test_the_best_of_many_is_believed_less_than_one_alone():
    scan = measured(curve(7120.0, white=0.68, wave=0.12))
    alone, many = ranked(scan, [CANDIDATES[TRUE]]), ranked(scan, CANDIDATES)
    assert many.order[0] == TRUE
    assert many.none > alone.none


def test_an_energy_scale_that_is_off_by_more_than_the_bounds_is_told_and_moves_all():
    """All candidates end there alike, so that the right one can still come first."""
    found = ranked(measured(curve(7126.0)), CANDIDATES)
    assert all(fit.on_bound for fit in found.fits)
    assert found.none > 0.5


@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_noise_costs_certainty_first(noise):
    scan = measured(curve(7120.0), noise=noise)
    found = ranked(scan, CANDIDATES)
    assert TRUE in found.order[:3]
    assert found.none < 0.5
    assert found.score.max() < ranked(measured(curve(7120.0)), CANDIDATES).score.max() + 1e-9


@pytest.mark.parametrize("damping", [0.1, 0.3])
def test_a_white_line_damped_by_fluorescence_is_no_stranger(damping):
    norm = curve(7120.0)
    found = ranked(measured(norm * (1 + damping) / (1 + damping * norm)), CANDIDATES)
    assert TRUE in found.order[:2]
    assert found.none < 0.5


def test_a_mixture_of_far_phases_is_none_of_them():
    half = (curve(7116.0, white=0.1, wave=0.3) + curve(7124.0, white=1.5, wave=0.05)) / 2
    ends = [predicted(7116.0, white=0.1, wave=0.3), predicted(7124.0, white=1.5, wave=0.05)]
    assert ranked(measured(half), ends).none > 0.5


@pytest.mark.parametrize("unit", [1.0, 1e-3])
def test_a_scan_in_kev_is_one_in_ev(tmp_path, unit):
    scan = tmp_path / "scan.dat"
    norm = curve(7120.0)
    rows = [f"{e * unit:.6f} {m:.6f}" for e, m in zip(ENERGY, norm, strict=True)]
    scan.write_text("\n".join(["# energy xmu", *rows]) + "\n")
    found = ranked(read_spectrum(scan, "Fe", edge="K"), CANDIDATES)
    assert found.order[0] == TRUE
    assert found.fits[TRUE].shift == pytest.approx(0.0, abs=0.3)


@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
@pytest.mark.parametrize("name", ["calibrated", "universal"])
def test_a_prediction_finds_itself(tmp_path, name):
    model = package.load(name)
    for size in (4.1, 4.5, 5.2):
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(size), ["Fe", "O"], [[0, 0, 0], [0.5] * 3]
        ).to(filename=str(tmp_path / f"{size}.cif"))
    truth = model.predict(tmp_path / "4.5.cif", "Fe")
    found = package.match(measured(truth.norm, truth.energy), tmp_path, model=model)
    assert found.best.crystal == str(tmp_path / "4.5.cif")
    assert found.best.fit.shift == pytest.approx(0.0, abs=0.05)
    assert found.none_fits is False
    assert found.none < 0.05


@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
def test_a_measured_compound_is_found_among_all_that_were_measured(shared):
    """The bundled model has learnt from all of them."""
    folder = shared / "data" / "exp"
    records = read_records([folder]).records
    hedenbergite = next(
        r for r in records if r.element == "Fe" and r.material.formula == "CaFe(SiO3)2"
    )
    shift = hedenbergite.annotation.shift
    found = package.match(
        measured(hedenbergite.norm, hedenbergite.energy, energy_shift=shift), folder
    )
    assert len(found) > 15
    assert found.best.spectrum.formula == "CaFe(SiO3)2"
    assert not found.none_fits
    assert not found.best.fit.on_bound


def test_errors_that_were_learnt_are_smooth_and_of_the_size_of_bands():
    """More of them than of anything else would mean that bands say nothing."""
    relative, curves = learnt_curves("calibrated")
    assert curves.shape == (10, len(relative))
    total = CALIBRATED.learnt * np.sqrt((curves**2).sum(axis=0))
    assert 0.2 < total.max() < 2.0
    assert total[relative < -20.0].max() < total.max() / 3  # far below an edge nothing is absorbed


@pytest.fixture
def rocks(tmp_path, calibrated_model):
    """A folder of iron rock salts of several sizes, of manganese, and a broken file."""
    folder = tmp_path / "rocks"
    folder.mkdir()
    for name, metal, a in (("small", "Fe", 4.1), ("middle", "Fe", 4.5), ("large", "Fe", 5.2)):
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(a), [metal, "O"], [[0, 0, 0], [0.5] * 3]
        ).to(filename=str(folder / f"{name}.cif"))
    Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.4), ["Ti", "O"], [[0, 0, 0], [0.5] * 3]).to(
        filename=str(folder / "titanium.cif")
    )
    (folder / "broken.cif").write_text("data_broken\n")
    return folder


@pytest.fixture
def found(rocks, calibrated_model):
    truth = package.load(calibrated_model).predict(rocks / "large.cif", "Fe")
    scan = measured(truth.norm, truth.energy)
    return package.match(scan, rocks, model=calibrated_model)


@pytest.mark.filterwarnings("ignore::cgxas.errors.CgxasWarning")
class TestFiles:
    def test_what_was_found(self, found, rocks):
        assert len(found) == 3
        assert found.best.crystal == str(rocks / "large.cif")
        assert found.absent == (str(rocks / "titanium.cif"),)
        (failure,) = found.failures
        assert failure.crystal == str(rocks / "broken.cif")
        scores = [each.score for each in found]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) + found.none == pytest.approx(1.0)

    def test_json(self, found, tmp_path):
        found.save(tmp_path / "m.json")
        told = json.loads((tmp_path / "m.json").read_text())
        assert told["none_fits"] is found.none_fits
        assert [each["crystal"] for each in told["matches"]] == [m.crystal for m in found]
        first = told["matches"][0]
        wanted = ("formula", "score", "rse", "shift_ev", "broadening_ev", "on_bound")
        assert {name: first[name] for name in wanted} == {n: found.best.row[n] for n in wanted}
        assert told["left_out"][0]["crystal"].endswith("broken.cif")

    def test_tables(self, found, tmp_path):
        found.save(tmp_path / "m.parquet")
        found.save(tmp_path / "m.csv")
        rows = pq.read_table(tmp_path / "m.parquet").to_pylist()
        assert rows == [each.row for each in found]
        with (tmp_path / "m.csv").open() as file:
            assert [row["crystal"] for row in csv.DictReader(file)] == [m.crystal for m in found]
        with pytest.raises(OutputError, match=r"\.json, \.csv, \.parquet"):
            found.save(tmp_path / "m.txt")

    def test_figure(self, found, tmp_path):
        found.save_figure(tmp_path / "m.png")
        assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")

    def test_refusals(self, rocks, calibrated_model):
        scan = measured(curve(7120.0))
        with pytest.raises(AbsorberNotInCrystal, match="none of the crystals holds it"):
            package.match(scan, rocks / "titanium.cif", model=calibrated_model)
        with pytest.raises(WrongEdge, match="is of Fe, not of Ti"):
            package.match(scan, rocks, "Ti", calibrated_model)
        with pytest.raises(WrongEdge, match="K edges only"):
            package.match(measured(curve(7120.0), edge="L3"), rocks, model=calibrated_model)
