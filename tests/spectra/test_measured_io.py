"""What cgxas writes of measurements, Larch reads to 1e-6; real spectra make the round trip."""

import numpy as np
import pyarrow.parquet
import pytest

from cgxas.errors import OutputError
from cgxas.spectra.files.scan import Scan
from cgxas.spectra.measured import normalise, read_measurement
from cgxas.spectra.measured_io import MEASUREMENT_SUFFIXES, write_athena, write_measurement

pytest.importorskip("larch")

SOURCES = ("XASLIB", "BMM", "LISA", "larch", "xasref", "ParSeq", "ALS", "LUCIA", "xafsfun", "SSRL")


@pytest.fixture
def measurement(scanned):
    return normalise(
        Scan(*scanned(noise=1e-3), "transmission", "columns", "a.dat", "hematite", "Fe", "K", 0.75)
    )


@pytest.mark.parametrize("suffix", MEASUREMENT_SUFFIXES)
def test_round_trip(measurement, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_measurement(measurement, path)
    again = read_measurement(path, "Fe")
    np.testing.assert_allclose(again.energy, measurement.energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(again.mu, measurement.mu, rtol=0, atol=1e-9)
    np.testing.assert_allclose(again.norm, measurement.norm, rtol=0, atol=1e-6)
    if suffix != ".csv":
        assert (again.element, again.edge, again.label) == ("Fe", "K", "hematite")
        assert again.energy_shift == 0.75


@pytest.mark.parametrize("in_python", [True, False], ids=["python", "libxdifile"])
def test_larch_reads_our_xdi(measurement, tmp_path, in_python):
    from larch.io import read_xdi

    write_measurement(measurement, tmp_path / "a.xdi")
    group = read_xdi(str(tmp_path / "a.xdi"), use_pyxdi=in_python)
    assert group.array_labels == ["energy", "mu", "norm"]
    np.testing.assert_allclose(group.energy, measurement.energy, rtol=0, atol=1e-6)
    np.testing.assert_allclose(group.norm, measurement.norm, rtol=0, atol=1e-6)
    assert group.attrs["sample"]["name"] == "hematite"


def test_larch_reads_and_normalises_our_project_alike(measurement, spectrum, tmp_path):
    from larch.io import read_athena

    write_athena([measurement, spectrum], tmp_path / "a.prj")
    project = read_athena(str(tmp_path / "a.prj"))
    measured, predicted = project.groups.values()
    np.testing.assert_allclose(measured.mu, measurement.mu, rtol=0, atol=1e-6)
    np.testing.assert_allclose(measured.norm, measurement.norm, rtol=0, atol=0.02)
    assert measured.e0 == pytest.approx(measurement.e0)
    np.testing.assert_allclose(predicted.mu, spectrum.mu, rtol=0, atol=1e-6)


def test_a_project_is_the_same_every_time_but_for_its_date(measurement, tmp_path):
    import gzip

    texts = []
    for name in ("a.prj", "b.prj"):
        write_measurement(measurement, tmp_path / name)
        lines = gzip.decompress((tmp_path / name).read_bytes()).decode().splitlines()
        texts.append([line for line in lines if "created at" not in line])
    assert texts[0] == texts[1]


def test_other_files_are_refused_and_nothing_is_written(measurement, tmp_path):
    with pytest.raises(OutputError, match=r"\.xdi"):
        write_measurement(measurement, tmp_path / "a.docx")
    assert list(tmp_path.iterdir()) == []


def test_ten_real_spectra_of_different_sources(shared, tmp_path):
    """Written as their sources do, in three kinds of files, and normalised as they were."""
    names = ["source", "element", "energy", "mu_raw", "mu", "edge_step", "as_provided", "sample"]
    table = pyarrow.parquet.read_table(shared / "data/exp/spectra.parquet", columns=names)
    rows = [row for row in table.to_pylist() if not row["as_provided"]]
    tested = 0
    for n, source in enumerate(SOURCES):
        row = next((each for each in rows if each["source"].startswith(source)), None)
        if row is None:
            continue
        energy, mu = np.array(row["energy"]), np.array(row["mu_raw"])
        path = tmp_path / f"{n}.{('dat', 'xdi', 'prj')[n % 3]}"
        if path.suffix == ".dat":
            i0 = np.full(mu.size, 1e5)
            columns = np.transpose([energy / 1000, i0, i0 * np.exp(-mu)])
            np.savetxt(path, columns, fmt="%.9g", header="Energy (keV)  I0  It")
        else:
            scan = Scan(energy, mu, "mu", "columns", "x", row["sample"] or "", row["element"], "K")
            write_measurement(normalise(scan), path)
        found = read_measurement(path, row["element"], flatten=True)
        np.testing.assert_allclose(found.energy, energy, rtol=0, atol=1e-3)
        np.testing.assert_allclose(found.mu, mu, rtol=0, atol=1e-5)
        near = np.abs(found.energy - found.e0) < 60.0
        rms = np.sqrt(np.mean((found.norm - np.array(row["mu"]))[near] ** 2))
        if found.kind == "normalised":  # begins at 0 and ends at 1: left as it is
            assert rms < 0.1, source
        else:
            assert rms < 0.05, source
            assert found.edge_step == pytest.approx(row["edge_step"], rel=0.08), source
        tested += 1
    assert tested >= 8
