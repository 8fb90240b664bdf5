import dataclasses
import json

import numpy as np
import pytest

from cgxas.errors import SpectrumError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.read import read_scan


def test_a_prediction_is_held_exactly_and_with_all_its_sites(spectrum, tmp_path, half_step):
    spectrum.save(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert data["energy"] == spectrum.energy.tolist()
    assert data["norm"] == spectrum.norm.tolist()
    assert "mu" not in data
    names = ("absorber", "edge", "formula", "model", "source", "kind")
    assert [data[name] for name in names] == ["Fe", "K", "Fe2O3", "m1", "a.cif", "simulated"]
    assert (data["e0"], data["half_step"]) == (spectrum.e0, half_step)
    assert tuple(data["white_line"].values()) == spectrum.white_line
    assert [site["sites"] for site in data["sites"]] == [[4, 5, 6, 7], [9]]
    assert [site["multiplicity"] for site in data["sites"]] == [4, 1]
    assert data["sites"][1]["norm"] == spectrum.sites[1].norm.tolist()
    assert (data["sites"][1]["e0"], data["sites"][1]["half_step"]) == (
        spectrum.sites[1].e0,
        half_step,
    )


def test_the_band_is_held_exactly(banded, spectrum, tmp_path):
    for curve, expected in ((banded, banded.sigma.tolist()), (spectrum, None)):
        curve.save(tmp_path / "a.json")
        assert json.loads((tmp_path / "a.json").read_text())["sigma"] == expected


def test_a_measurement_is_held_raw_and_normalised(measurement, tmp_path, half_step):
    measurement.save(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["mu"] == measurement.mu.tolist()
    assert data["norm"] == measurement.norm.tolist()
    assert (data["e0"], data["half_step"]) == (measurement.e0, half_step)
    assert (data["edge_step"], data["energy_shift"]) == (measurement.edge_step, 0.75)
    assert "sites" not in data


def test_without_an_edge_it_is_null(flat, tmp_path):
    flat.save(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    assert [data[name] for name in ("e0", "half_step", "white_line")] == [None, None, None]


def test_it_is_read_without_larch(spectrum, tmp_path, monkeypatch):
    spectrum.save(tmp_path / "a.json")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    scan = read_scan(tmp_path / "a.json")
    np.testing.assert_array_equal(scan.mu, spectrum.norm)
    assert (scan.element, scan.edge, scan.label, scan.kind) == ("Fe", "K", "Fe2O3", "simulated")


@pytest.mark.parametrize("kind", ["normalised", "simulated"])
def test_data_normalised_elsewhere_stay_so(measurement, tmp_path, kind):
    dataclasses.replace(measurement, mu=measurement.norm, kind=kind).save(tmp_path / "a.json")
    scan = read_scan(tmp_path / "a.json")
    assert scan.kind == kind
    np.testing.assert_array_equal(scan.mu, measurement.norm)


OLD = """{{
 "program": "cgxas/0.1.0",
 "formula": "Fe2O3",
 "absorber": "Fe",
 "edge": "K",
 "model": "universal",
 "source": "a.cif",
 "e0": 7120.188531041893,
 "white_line": null,
 "energy": {energy},
 "mu": {mu},
 "sigma": null,
 "sites": []
}}
"""


def test_the_mu_of_version_0_1_0_is_normalised(spectrum, tmp_path):
    text = OLD.format(energy=spectrum.energy.tolist(), mu=spectrum.norm.tolist())
    (tmp_path / "old.json").write_text(text)
    scan = read_scan(tmp_path / "old.json")
    np.testing.assert_array_equal(scan.mu, spectrum.norm)
    assert (scan.kind, scan.element, scan.label) == ("simulated", "Fe", "Fe2O3")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "not json",
        '{"energy": [1], "norm": "a"}',
        '{"energy": [1, 2], "norm": [1, 2], "energy_shift": "a lot"}',
        '{"energy": [1, 2], "norm": [1, 2], "kind": "guessed"}',
        '{"energy": [1, 2], "norm": [1, 2], "kind": ["mu"]}',
        '{"energy": [1, 2], "norm": [1, 2], "kind": Infinity}',
        '{"energy": [1, 2], "norm": [1, 2], "energy_shift": NaN}',
        '{"energy": [1, 2], "norm": [1, 2], "energy_shift": "1"}',
        '{"energy": [1, 2], "norm": [1, 2], "absorber": {"Fe": 1}}',
        '{"energy": [1, 2], "norm": [1, 2], "energy": [1, 2]}',
        '{"energy": [1, 2], "norm": [1, true]}',
        '{"energy": [1, 2], "norm": [1, null]}',
        '{"energy": [1, 2], "norm": [1, NaN]}',
        '{"energy": [1, 2], "norm": [1, 1e400]}',
        '{"energy": [1, 2], "norm": ["1", "2"]}',
        '{"energy": [1, 2], "norm": [[1], [2]]}',
        '{"energy": [1, 2], "norm": {"0": 1}}',
        '{"energy": [1, 2], "norm": [1, 1' + "0" * 400 + "]}",
        '{"energy": [1, 2], "norm": [1, 1' + "0" * 5000 + "]}",
        '{"energy": [1, 2], "norm": ' + "[" * 100_000,
        '{"a":' * 100_000,
        '{"__class__": "os.system", "@module": "os", "@class": "system"}',
    ],
    ids=lambda text: text[:60],
)
def test_foreign_json_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UnreadableSpectrum, match=r"a\.json"):
        read_scan(tmp_path / "a.json")


@pytest.mark.parametrize("norm", [[0, 1], [0, 1, 2], [[0, 1]]])
def test_json_that_is_no_curve_is_refused(tmp_path, norm):
    (tmp_path / "a.json").write_text(json.dumps({"energy": [2, 1], "norm": norm}))
    with pytest.raises(SpectrumError):
        read_scan(tmp_path / "a.json")


def test_numbers_of_json_are_bounded(spectrum, tmp_path, monkeypatch):
    spectrum.save(tmp_path / "a.json")
    for variable in ("CGXAS_MAX_POINTS", "CGXAS_MAX_JSON_VALUES", "CGXAS_MAX_FILE_BYTES"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, "10")
            with pytest.raises(UnreadableSpectrum, match=rf"a\.json.* holds? .* {variable}"):
                read_scan(tmp_path / "a.json")


def test_there_is_nothing_to_choose(spectrum, tmp_path):
    spectrum.save(tmp_path / "a.json")
    with pytest.raises(UnclearSpectrum, match="no groups"):
        read_scan(tmp_path / "a.json", group="a")
    with pytest.raises(UnclearSpectrum, match="no columns"):
        read_scan(tmp_path / "a.json", mu="mu")
