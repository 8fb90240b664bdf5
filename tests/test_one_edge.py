"""The same curve has the same e0 and the same half step wherever it is asked for.

Ten curves, made up of functions, so that both energies are known: e0 is where the function is
steepest within the rise that is the edge by construction, the half step where it is one half.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from rich.console import Console
from scipy.optimize import brentq

from cgxas.cli import main
from cgxas.cli.tables import spectra_table
from cgxas.crystals.canonical import Cell
from cgxas.data.record import Material, Record
from cgxas.evaluation.scores import Answers, scored
from cgxas.spectra.edge import e0, half_step
from cgxas.spectra.io.read import read_prediction, read_spectrum
from cgxas.spectra.io.write import write_spectrum
from cgxas.spectra.spectrum import EnergyGrid, SiteSpectrum, Spectrum

pytest.importorskip("larch")

SAME = 1e-6
"""eV; files hold 1e-8 eV and ten digits."""


def arc(x: np.ndarray, centre: float, width: float) -> np.ndarray:
    return 0.5 + np.arctan((x - centre) / width) / np.pi


def peak(x: np.ndarray, centre: float, height: float, sigma: float) -> np.ndarray:
    return height * np.exp(-0.5 * ((x - centre) / sigma) ** 2)


@dataclass(frozen=True)
class Curve:
    """A curve as a function of the energy in eV, where its edge is, and how it is sampled."""

    norm: Callable[[np.ndarray], np.ndarray]
    edge: tuple[float, float]  # eV: the rise that is the edge
    step: float = 0.25  # eV
    near: float = 0.1  # eV: how well both are to be found
    noise: float = 0.0
    level: float = 0.5

    @property
    def grid(self) -> EnergyGrid:
        return EnergyGrid(7085.0, 7085.0 + self.step * round(85 / self.step), self.n_points)

    @property
    def n_points(self) -> int:
        return round(85 / self.step) + 1

    @property
    def spectrum(self) -> Spectrum:
        energy = self.grid.energies
        noise = self.noise * np.random.default_rng(8).normal(size=energy.size)
        norm = self.norm(energy) + noise
        site = SiteSpectrum((0,), norm, energy)
        return Spectrum(energy, norm, "Fe", sites=(site,), formula="Fe2O3")

    @property
    def steepest(self) -> float:
        x = np.linspace(*self.edge, 200_001)
        return float(x[np.argmax(np.gradient(self.norm(x), x))])

    @property
    def half(self) -> float:
        return float(brentq(lambda x: float(self.norm(np.array(x))) - self.level, *self.edge))


CURVES = {
    "metal foil": Curve(
        lambda x: 0.4 * arc(x, 7112.0, 0.7) + 0.6 * arc(x, 7120.0, 2.5), (7105.0, 7125.0)
    ),
    "oxide with a pre-edge": Curve(
        lambda x: peak(x, 7113.5, 0.12, 0.9) + arc(x, 7124.0, 1.5) + peak(x, 7130.0, 0.4, 3.0),
        (7118.0, 7130.0),
    ),
    "chromate": Curve(lambda x: peak(x, 7109.0, 0.85, 0.8) + arc(x, 7124.0, 1.5), (7114.0, 7130.0)),
    "narrow white line with a deep dip": Curve(
        lambda x: arc(x, 7112.0, 0.6) + peak(x, 7114.0, 2.0, 1.0) - peak(x, 7118.0, 0.8, 1.5),
        (7105.0, 7114.0),
        near=0.15,
    ),
    "damped white line": Curve(
        lambda x: 0.45 * arc(x, 7120.0, 1.5) + peak(x, 7126.0, 0.02, 3.0),
        (7110.0, 7126.0),
        level=0.5 * float(np.mean(0.45 * arc(np.linspace(7167.75, 7170.0, 10), 7120.0, 1.5))),
    ),
    "noisy scan": Curve(
        lambda x: arc(x, 7120.0, 1.2) + peak(x, 7125.0, 0.5, 2.0),
        (7110.0, 7124.0),
        noise=0.02,
        near=0.6,
    ),
    "coarse energies": Curve(
        lambda x: arc(x, 7120.3, 1.5) + peak(x, 7126.0, 0.4, 2.5),
        (7110.0, 7126.0),
        step=1.0,
        near=0.25,
    ),
    "fine energies": Curve(
        lambda x: arc(x, 7120.3, 1.0) + peak(x, 7125.0, 0.4, 2.5), (7110.0, 7124.0), step=0.05
    ),
    "shoulder": Curve(
        lambda x: 0.7 * arc(x, 7117.0, 1.2) + 0.3 * arc(x, 7126.0, 1.5), (7105.0, 7126.0)
    ),
    "rising post-edge": Curve(
        lambda x: arc(x, 7120.0, 1.5) * (1.0 + 0.006 * (x - 7120.0)), (7110.0, 7130.0)
    ),
}


@pytest.fixture(params=CURVES)
def curve(request) -> Curve:
    return CURVES[request.param]


@pytest.fixture
def told(capsys) -> Callable[..., str]:
    """Run ``cgxas`` with these words and return what it prints."""

    def run(*words: object) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        captured = capsys.readouterr()
        assert end.value.code == 0, captured.err
        return captured.out

    return run


def test_both_are_where_they_are_by_construction(curve):
    spectrum = curve.spectrum
    assert spectrum.e0 == pytest.approx(curve.steepest, abs=curve.near)
    assert spectrum.half_step == pytest.approx(curve.half, abs=curve.near / 2)


def test_the_ten_curves_tell_the_two_apart():
    apart = [abs(each.steepest - each.half) for each in CURVES.values()]
    assert len(apart) == 10
    assert sum(each > 0.2 for each in apart) >= 4


def test_every_kind_of_curve_has_them_and_so_has_the_table(curve):
    spectrum = curve.spectrum
    expected = e0(spectrum.energy, spectrum.norm), half_step(spectrum.energy, spectrum.norm)
    for each in (spectrum, *spectrum.sites):
        assert (each.e0, each.half_step) == expected
        assert (each.e0_or_none(), each.half_step_or_none()) == expected
    text = io.StringIO()
    Console(file=text, width=200).print(spectra_table([spectrum], True, False))
    for row in text.getvalue().splitlines()[1:]:
        assert row.split()[-4:-2] == [f"{each:.2f}" for each in expected]


@pytest.mark.parametrize("suffix", [".csv", ".xdi", ".json", ".prj"])
def test_they_go_through_a_file(curve, suffix, tmp_path, told):
    spectrum, path = curve.spectrum, tmp_path / f"a{suffix}"
    expected = pytest.approx((spectrum.e0, spectrum.half_step), abs=SAME)
    write_spectrum(spectrum, path)
    energy, norm = read_prediction(path, "Fe")
    assert (e0(energy, norm), half_step(energy, norm)) == expected
    measured = read_spectrum(path, "Fe")
    assert (measured.e0, measured.half_step) == expected
    facts = dict(line.split("  ", 1) for line in told("spectrum", path, "-e", "Fe").splitlines())
    assert facts["E0"].split() == [f"{spectrum.e0:.2f}", "eV"]
    assert facts["half step"].split() == [f"{spectrum.half_step:.2f}", "eV"]


@pytest.mark.parametrize("suffix", [".csv", ".xdi", ".json", ".prj"])
def test_a_curve_beside_itself_is_at_no_distance(curve, suffix, tmp_path, told):
    spectrum, path, out = curve.spectrum, tmp_path / f"a{suffix}", tmp_path / "out.json"
    write_spectrum(spectrum, path)
    line = told("compare", path, path, "-a", "Fe", "--broaden", 0, "--json", out)
    assert "half step difference +0.00 -> +0.00 eV; shift +0.00 eV" in line
    found = json.loads(out.read_text())
    for side in ("predicted_edge", "measured_edge"):
        assert found[side]["e0"] == pytest.approx(spectrum.e0, abs=SAME)
        assert found[side]["half_step"] == pytest.approx(spectrum.half_step, abs=SAME)
    assert found["before"]["half_step_error"] == found["after"]["half_step_error"] == 0.0


def test_a_raw_scan_of_the_curve_has_nearly_the_same_and_tells_them_everywhere(
    curve, tmp_path, told
):
    """Normalised, its step is not quite 1; so its two numbers are its own, but the same ones."""
    spectrum = curve.spectrum
    raw, again = tmp_path / "raw.dat", tmp_path / "again.xdi"
    below = np.arange(6960.0, 7085.0, 1.0)
    scale = 0.7 / spectrum.norm[-10:].mean()
    mu = np.append(scale * curve.norm(below), scale * spectrum.norm)
    energy = np.append(below, spectrum.energy)
    np.savetxt(raw, np.transpose([energy, 0.3 + 1e-4 * (energy - 7100.0) + mu]), header="energy mu")
    measured = read_spectrum(raw, "Fe")
    assert measured.ranges is not None
    assert measured.e0 == e0(measured.energy, measured.norm)
    assert measured.half_step == half_step(measured.energy, measured.norm)
    assert measured.e0 == pytest.approx(spectrum.e0, abs=0.5)
    text = told("spectrum", raw, "-e", "Fe", "-o", again)
    for shown in (text, told("spectrum", again)):
        facts = dict(line.split("  ", 1) for line in shown.splitlines())
        assert facts["E0"].split()[0] == f"{measured.e0:.2f}"
        assert facts["half step"].split()[0] == f"{measured.half_step:.2f}"


def test_errors_of_an_evaluation_are_differences_of_the_same_half_steps(curve):
    spectrum = curve.spectrum
    answer = np.interp(spectrum.energy - 1.25, spectrum.energy, spectrum.norm)
    moved = half_step(spectrum.energy, answer)
    crystal = Material("a", "Fe", Cell(np.eye(3), np.zeros((1, 3)), np.array([26])))
    place = (np.array([0]), True, spectrum.energy, spectrum.norm, "FEFF 9", "FEFF9", "made")
    records = [Record(name, crystal, "Fe", *place) for name in ("same", "moved")]
    energy, norm = (np.array([each] * 2) for each in (spectrum.energy, spectrum.norm))
    answers = Answers(records, energy, norm, np.array([spectrum.norm, answer]))
    found = scored(answers, [], np.zeros((0, curve.n_points)))
    assert found.tested.half_step_error.tolist() == [0.0, abs(moved - spectrum.half_step)]
    assert moved - spectrum.half_step == pytest.approx(1.25, abs=0.3)
