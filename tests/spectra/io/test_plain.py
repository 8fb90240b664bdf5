import numpy as np
import pytest

from cgxas.spectra.io.read import read_scan

HEADERS = {
    "none": ("", " ", "mu"),
    "hash": ("# made up\n# energy mu", " ", "mu"),
    "units": ("# Energy (eV)  mu", " ", "mu"),
    "tabs": ("# Energy (eV)\tmy mu", "\t", "mu"),
    "plain words": ("energy mu", " ", "mu"),
    "spec": ("#S 1 ascan\n#L energy  mu", "  ", "mu"),
    "ruled": ("# energy mu\n#--------", " ", "mu"),
    "commas": ("energy,mu", ",", "mu"),
    "normalised": ("energy,norm", ",", "normalised"),
    "semicolons": ("energy;xmu", ";", "mu"),
    "fio": ("!\n%c\nuser p65\n%d\n Col 1 ENERGY DOUBLE\n Col 2 MU DOUBLE", " ", "mu"),
}


@pytest.mark.parametrize(("suffix", "name"), [(".dat", "columns"), (".csv", "CSV")])
@pytest.mark.parametrize("case", HEADERS)
def test_columns_with_all_sorts_of_headers(tmp_path, scanned, write, case, suffix, name):
    header, separator, kind = HEADERS[case]
    energy, mu = scanned()
    scan = read_scan(write(tmp_path / f"a{suffix}", header, energy, mu, separator=separator))
    np.testing.assert_allclose(scan.energy, energy, atol=1e-6)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-9)
    assert (scan.kind, scan.format, scan.source) == (kind, name, f"a{suffix}")


def test_counters_in_kev(tmp_path, scanned, write):
    energy, mu = scanned()
    i0 = np.full(energy.size, 5e4)
    path = write(tmp_path / "a.dat", "# Energy (keV)  I0  It", energy / 1000, i0, i0 * np.exp(-mu))
    scan = read_scan(path)
    np.testing.assert_allclose(scan.energy, energy, atol=1e-4)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-6)
    assert scan.kind == "transmission"
    assert "energies converted from keV" in scan.done


def test_columns_can_be_asked_for(tmp_path, scanned, write):
    energy, mu = scanned()
    path = write(tmp_path / "a.dat", "# a b c", mu, energy, 2 * mu)
    np.testing.assert_allclose(read_scan(path, energy="b", mu="3").mu, 2 * mu, atol=1e-9)


def test_xmu_dat_of_feff_is_a_simulation(tmp_path, scanned, write):
    energy, mu = scanned()
    names = "# hematite                   Feff8L (EXAFS)  0.1\n#  omega    e    k    mu"
    columns = (energy, energy - 7112, np.zeros(energy.size), mu)
    assert read_scan(write(tmp_path / "xmu.dat", names, *columns)).kind == "simulated"
    unsigned = names.replace("Feff8L", "somebody")
    assert read_scan(write(tmp_path / "xmu.dat", unsigned, *columns)).kind == "mu"
