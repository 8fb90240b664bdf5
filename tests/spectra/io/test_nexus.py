from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.read import read_scan

pytest.importorskip("larch")
h5py = pytest.importorskip("h5py")


def nexus(path: Path, energy: np.ndarray, mu: np.ndarray, *entries: str) -> Path:
    with h5py.File(path, "w") as root:
        for name in entries:
            entry = root.create_group(name)
            entry.attrs["NX_class"] = "NXentry"
            entry["definition"] = "NXxas"
            entry["title"] = f"title of {name}"
            entry["scan/xrayedge/element"] = "Fe"
            entry["scan/xrayedge/edge"] = "K"
            entry["instrument/monochromator/energy"] = energy
            entry["instrument/monochromator/energy"].attrs["units"] = np.array([b"eV"])
            entry["instrument/i0/data"] = np.ones(energy.size)
            entry["data/absorbed_beam"] = np.exp(-mu)
            entry["data/mode"] = "Transmission"
            entry["data/energy"] = h5py.SoftLink(f"/{name}/instrument/monochromator/energy")
    return path


def test_nexus(tmp_path, scanned):
    energy, mu = scanned()
    scan = read_scan(nexus(tmp_path / "a.nxs", energy, mu, "entry"))
    np.testing.assert_allclose(scan.energy, energy)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-12)
    assert (scan.element, scan.edge, scan.kind) == ("Fe", "K", "transmission")
    assert scan.label == "title of entry"


def test_nexus_of_several_entries_needs_a_choice(tmp_path, scanned):
    path = nexus(tmp_path / "a.nxs", *scanned(), "first", "second")
    with pytest.raises(UnclearSpectrum, match=r"first, second.*--group"):
        read_scan(path)
    with pytest.raises(UnclearSpectrum, match="first, second"):
        read_scan(path, group="third")
    assert read_scan(path, group="second").label == "title of second"


def test_damaged_and_foreign_hdf5_is_refused(tmp_path, scanned):
    whole = nexus(tmp_path / "a.nxs", *scanned(), "entry").read_bytes()
    (tmp_path / "cut.nxs").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableSpectrum, match="damaged"):
        read_scan(tmp_path / "cut.nxs")
    with h5py.File(tmp_path / "other.h5", "w") as root:
        root["numbers"] = np.ones(3)
    with pytest.raises(UnreadableSpectrum, match="NXxas"):
        read_scan(tmp_path / "other.h5")


def test_a_file_whose_name_says_nexus_must_be_hdf5(tmp_path):
    (tmp_path / "a.nxs").write_text("1 2\n3 4\n")
    with pytest.raises(UnreadableSpectrum, match="damaged HDF5"):
        read_scan(tmp_path / "a.nxs")
