import dataclasses

import numpy as np
import pytest

from cgxas.errors import OutputError
from cgxas.spectra.io.read import read_scan, read_spectrum
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum

XDI = """# XDI/1.0 GSE/1.0
# Column.1: energy eV
# Column.2: i0
# Column.3: itrans
# Element.symbol: Fe
# Element.edge: K
# Sample.name: hematite
# Mono.d_spacing: 3.13555
# ///
# made up, and long enough for the reader of Larch, which takes no file of less than 256 bytes
# -----
# energy i0 itrans"""

BMM = """# XDI/1.0 BlueSky/1.13 BMM/2024-2.0
# Beamline.name: BMM (06BM) -- Beamline for Materials Measurement
# Element.edge: K
# Element.symbol: Fe
# Mono.d_spacing: 3.1355285 A
# Column.1: energy eV
# Column.2: requested_energy eV
# Column.3: xmu
# Column.4: I0 nA
# Column.5: Itrans nA
# Column.6: Irefer nA
# ///
# ...
# ---
# energy requested_energy xmu I0 It Ir"""


def test_a_scan_is_read_with_its_header(tmp_path, scanned, write):
    pytest.importorskip("larch")
    energy, mu = scanned()
    scan = read_scan(write(tmp_path / "a.xdi", XDI, energy, np.ones(energy.size), np.exp(-mu)))
    np.testing.assert_allclose(scan.energy, energy, atol=1e-6)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-8)
    assert (scan.element, scan.edge, scan.label) == ("Fe", "K", "hematite")
    assert (scan.format, scan.kind) == ("XDI", "transmission")


def test_xmu_of_bmm_has_the_wrong_sign_and_its_spacing_a_unit(tmp_path, scanned, write):
    pytest.importorskip("larch")
    energy, mu = scanned()
    i0 = np.full(energy.size, 60.0)
    rows = (energy, energy.round(), -mu, i0, i0 * np.exp(-mu), i0)
    scan = read_scan(write(tmp_path / "a.xdi", BMM, *rows))
    np.testing.assert_allclose(scan.mu, mu, atol=1e-8)
    assert (scan.element, scan.edge, scan.kind) == ("Fe", "K", "transmission")
    assert scan.done == (
        "energy is column 1, energy (a set point column 2, requested_energy, stands beside it)",
        "mu is ln(I0/Itrans)",
    )


def test_energies_are_computed_from_angles(tmp_path, scanned, write):
    pytest.importorskip("larch")
    energy, mu = scanned()
    header = XDI.replace("energy eV", "angle degrees").replace("3.13555", "3.13551")
    angle = np.degrees(np.arcsin(12398.419843 / (2 * 3.13551 * energy)))
    path = write(tmp_path / "a.xdi", header, angle, np.ones(energy.size), np.exp(-mu))
    np.testing.assert_allclose(read_scan(path).energy, energy, atol=1e-3)


def test_the_header_follows_the_specification(spectrum, tmp_path, half_step):
    spectrum.save(tmp_path / "a.xdi", sites=True)
    lines = (tmp_path / "a.xdi").read_text().splitlines()
    assert lines[0].startswith("# XDI/1.0 cgxas/")
    end = next(n for n, line in enumerate(lines) if line.startswith("# ---"))
    assert lines[1:end] == [
        "# Element.symbol: Fe",
        "# Element.edge: K",
        "# Sample.name: Fe2O3",
        "# Mono.name: none",
        "# Column.1: energy eV",
        "# Column.2: norm",
        "# Column.3: norm_4",
        "# Column.4: norm_9",
        "# Cgxas.kind: simulated",
        "# Cgxas.model: m1",
        "# Cgxas.source: a.cif",
        f"# Cgxas.e0: {spectrum.e0:.6f} eV",
        f"# Cgxas.half_step: {half_step:.6f} eV",
        "# Cgxas.multiplicity_4: 4",
        "# Cgxas.multiplicity_9: 1",
        "# ///",
    ]
    assert lines[end + 1] == "# energy norm norm_4 norm_9"
    assert len(lines) == end + 2 + 100


def test_the_header_of_a_measurement(measurement, tmp_path, half_step):
    measurement.save(tmp_path / "a.xdi")
    text = (tmp_path / "a.xdi").read_text()
    assert "# Sample.name: hematite\n" in text
    assert "# Cgxas.kind: transmission\n" in text
    assert f"# Cgxas.e0: {measurement.e0:.6f} eV\n" in text
    assert f"# Cgxas.half_step: {half_step:.6f} eV\n" in text
    assert "# Cgxas.energy_shift: 0.750000 eV\n" in text
    assert f"# Cgxas.edge_step: {measurement.edge_step:.10g}\n" in text
    assert f"# Cgxas.pre_edge: {measurement.ranges.pre1:.2f} to " in text
    assert "# energy mu norm\n" in text


@pytest.mark.parametrize("in_python", [True, False], ids=["python", "libxdifile"])
def test_larch_reads_a_prediction_without_warning(banded, tmp_path, in_python):
    xdi = pytest.importorskip("larch.io.xdi")
    banded.save(tmp_path / "a.xdi", sites=True)
    group = xdi.read_xdi(str(tmp_path / "a.xdi"), use_pyxdi=in_python)
    assert group.status == 0
    assert group.error_message.strip() == ""
    assert (group.element, group.edge) == ("Fe", "K")
    assert group.array_labels == ["energy", "norm", "sigma", "norm_4", "norm_9"]
    assert group.attrs["cgxas"]["model"] == "m1"
    np.testing.assert_allclose(group.energy, banded.energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(group.norm, banded.norm, rtol=0, atol=1e-6)
    np.testing.assert_allclose(group.sigma, banded.sigma, rtol=0, atol=1e-9)
    np.testing.assert_allclose(group.norm_9, banded.sites[1].norm, rtol=0, atol=1e-6)


@pytest.mark.parametrize("in_python", [True, False], ids=["python", "libxdifile"])
def test_larch_reads_a_measurement(measurement, tmp_path, in_python):
    xdi = pytest.importorskip("larch.io.xdi")
    measurement.save(tmp_path / "a.xdi")
    group = xdi.read_xdi(str(tmp_path / "a.xdi"), use_pyxdi=in_python)
    assert group.array_labels == ["energy", "mu", "norm"]
    np.testing.assert_allclose(group.energy, measurement.energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(group.norm, measurement.norm, rtol=0, atol=1e-6)
    assert group.attrs["sample"]["name"] == "hematite"


def many_sites(n: int) -> Spectrum:
    energy, norm = np.arange(20.0), np.arange(20.0)
    sites = tuple(SiteSpectrum((site,), norm, energy) for site in range(n))
    return Spectrum(energy, norm, "Fe", sites=sites)


def test_larch_reads_as_many_columns_as_we_write(tmp_path):
    xdi = pytest.importorskip("larch.io.xdi")
    many_sites(126).save(tmp_path / "a.xdi", sites=True)
    assert xdi.read_xdi(str(tmp_path / "a.xdi"), use_pyxdi=False).narrays == 128
    with pytest.raises(OutputError, match="cannot hold 127 sites"):
        many_sites(127).save(tmp_path / "a.xdi", sites=True)


def test_a_line_break_in_a_name_stays_in_its_line(spectrum, tmp_path):
    dataclasses.replace(spectrum, source="a\n# ///\nb").save(tmp_path / "a.xdi")
    assert "# Cgxas.source: a # /// b\n" in (tmp_path / "a.xdi").read_text()


def test_without_an_edge_nothing_is_told_of_it(flat, tmp_path):
    flat.save(tmp_path / "a.xdi")
    assert "Cgxas.e0" not in (tmp_path / "a.xdi").read_text()
    assert "Cgxas.half_step" not in (tmp_path / "a.xdi").read_text()


def test_a_site_of_a_prediction_is_chosen_by_its_column(banded, tmp_path):
    pytest.importorskip("larch")
    banded.save(tmp_path / "a.xdi", sites=True)
    found = read_spectrum(tmp_path / "a.xdi", mu="norm_9")
    np.testing.assert_allclose(found.norm, banded.sites[1].norm, rtol=0, atol=1e-9)
    assert found.kind == "simulated"


def test_the_stated_kind_is_that_of_the_raw_column(measurement, tmp_path):
    measurement.save(tmp_path / "a.xdi")
    assert read_scan(tmp_path / "a.xdi").kind == "transmission"
    assert read_scan(tmp_path / "a.xdi", mu="norm").kind == "normalised"
    text = (tmp_path / "a.xdi").read_text().replace("kind: transmission", "kind: guessed")
    (tmp_path / "a.xdi").write_text(text)
    assert read_scan(tmp_path / "a.xdi").kind == "mu"


OLD_PREDICTION = """# XDI/1.0 cgxas/0.1.0
# Element.symbol: Fe
# Element.edge: K
# Sample.name: Fe2O3
# Column.1: energy eV
# Column.2: norm
# Column.3: mu_4
# Cgxas.model: universal
# Cgxas.source: a.cif
# Cgxas.e0: 7120.188531 eV
# Cgxas.multiplicity_4: 4
# ///
# ------------------------------
# energy norm mu_4
"""

OLD_MEASUREMENT = """# XDI/1.0 cgxas/0.1.0
# Element.symbol: Fe
# Element.edge: K
# Sample.name: hematite
# Column.1: energy eV
# Column.2: mu
# Column.3: norm
# Cgxas.kind: {kind}
# Cgxas.source: a.dat
# Cgxas.e0: 7120.000000 eV
# Cgxas.edge_step: 0.8
# Cgxas.energy_shift: 0.750000 eV
# ///
# ------------------------------
# energy mu norm
"""


def test_a_prediction_of_version_0_1_0(spectrum, tmp_path, old_rows):
    pytest.importorskip("larch")
    rows = old_rows(" ", spectrum.energy, spectrum.norm, spectrum.sites[0].norm)
    (tmp_path / "old.xdi").write_text(OLD_PREDICTION + rows)
    found = read_spectrum(tmp_path / "old.xdi")
    np.testing.assert_allclose(found.norm, spectrum.norm, rtol=1e-9)
    assert (found.kind, found.element, found.label) == ("simulated", "Fe", "Fe2O3")


@pytest.mark.parametrize("kind", ["transmission", "normalised", "simulated"])
def test_a_measurement_of_version_0_1_0(measurement, tmp_path, old_rows, kind):
    mu = measurement.mu if kind == "transmission" else measurement.norm
    rows = old_rows(" ", measurement.energy, mu, measurement.norm)
    (tmp_path / "old.xdi").write_text(OLD_MEASUREMENT.format(kind=kind) + rows)
    found = read_spectrum(tmp_path / "old.xdi")
    assert (found.kind, found.energy_shift) == (kind, 0.75)
    np.testing.assert_allclose(found.mu, mu, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.norm, measurement.norm, rtol=0, atol=1e-6)
