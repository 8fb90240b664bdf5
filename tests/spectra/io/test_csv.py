import dataclasses

import numpy as np
import pytest

from cgxas.spectra.io.read import read_scan


def test_names_stand_above_the_numbers(spectrum, measurement, tmp_path):
    spectrum.save(tmp_path / "A.CSV")
    assert (tmp_path / "A.CSV").read_text().splitlines()[0] == "energy,norm"
    measurement.save(tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text().splitlines()[0] == "energy,mu,norm"


def test_all_columns_read_back(banded, tmp_path):
    banded.save(tmp_path / "a.csv", sites=True)
    table = np.genfromtxt(tmp_path / "a.csv", delimiter=",", names=True)
    assert table.dtype.names == ("energy", "norm", "sigma", "norm_4", "norm_9")
    np.testing.assert_allclose(table["energy"], banded.energy, rtol=0, atol=1e-8)
    np.testing.assert_allclose(table["norm"], banded.norm, rtol=1e-11)
    np.testing.assert_allclose(table["sigma"], banded.sigma, rtol=1e-11)
    np.testing.assert_allclose(table["norm_9"], banded.sites[1].norm, rtol=1e-11)


def test_a_prediction_is_read_as_normalised_for_there_is_no_header(banded, tmp_path):
    pytest.importorskip("larch")
    banded.save(tmp_path / "a.csv", sites=True)
    assert read_scan(tmp_path / "a.csv").kind == "normalised"
    site = read_scan(tmp_path / "a.csv", mu="norm_9")
    np.testing.assert_allclose(site.mu, banded.sites[1].norm, rtol=1e-11)
    assert site.kind == "normalised"


@pytest.fixture(params=["energy,mu", "energy,mu,sigma,mu_4,mu_9"])
def old(request, banded, tmp_path, old_rows):
    """What version 0.1.0 wrote of a prediction."""
    pytest.importorskip("larch")
    curves = (banded.norm, banded.sigma, *(site.norm for site in banded.sites))
    n = request.param.count(",")
    path = tmp_path / "old.csv"
    path.write_text(f"{request.param}\n" + old_rows(",", banded.energy, *curves[:n]))
    return path


def test_the_mu_of_an_old_prediction_is_normalised(old, spectrum):
    scan = read_scan(old)
    assert (scan.kind, scan.format) == ("simulated", "CSV")
    np.testing.assert_allclose(scan.mu, spectrum.norm, rtol=1e-9)


def test_an_old_measurement_is_read_from_its_raw_mu(tmp_path, measurement, old_rows):
    rows = old_rows(",", measurement.energy, measurement.mu, measurement.norm)
    (tmp_path / "old.csv").write_text("energy,mu,norm\n" + rows)
    scan = read_scan(tmp_path / "old.csv")
    assert scan.kind == "mu"
    np.testing.assert_allclose(scan.mu, measurement.mu, rtol=1e-9)


@pytest.mark.parametrize("change", ["another number of digits", "another name"])
def test_a_foreign_csv_is_not_taken_for_an_old_prediction(old, change):
    lines = old.read_text().splitlines()
    if change == "another name":
        lines[0] = lines[0].replace("energy", "Energy")
    else:
        energy, rest = lines[50].split(",", 1)
        lines[50] = f"{energy[:-2]},{rest}"
    old.write_text("\n".join(lines) + "\n")
    assert read_scan(old).kind == "mu"


def test_data_normalised_elsewhere_stay_so(measurement, tmp_path):
    given = dataclasses.replace(measurement, mu=measurement.norm, kind="normalised")
    given.save(tmp_path / "a.csv")
    scan = read_scan(tmp_path / "a.csv")
    assert scan.kind == "normalised"
    np.testing.assert_allclose(scan.mu, measurement.norm, rtol=0, atol=1e-11)
