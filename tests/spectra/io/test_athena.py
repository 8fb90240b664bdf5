import gzip

import numpy as np
import pytest

from cgxas.errors import OutputError, UnclearSpectrum
from cgxas.spectra.io.athena import read_athena_file, write_athena_file
from cgxas.spectra.io.measurements import write_athena
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.normalise import normalise

pytest.importorskip("larch")


@pytest.fixture
def project(tmp_path, scanned):
    """A project of two groups, the second shifted in Athena by 1.5 eV."""
    measured = [
        normalise(Scan(*scanned(e0), "mu", "columns", "a.dat", name, "Fe", "K", shift))
        for name, e0, shift in (("hematite, 10 K", 7120.0, 0.0), ("it's FeO", 7118.0, 1.5))
    ]
    write_athena(measured, tmp_path / "two.prj")
    return tmp_path / "two.prj"


def test_a_group_is_read_by_name_and_its_shift_kept_beside(project, scanned):
    scan = read_athena_file(project, "it_s FeO")
    energy, mu = scanned(7118.0)
    np.testing.assert_allclose(scan.energy, energy, atol=1e-6)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-6)
    assert (scan.element, scan.edge, scan.energy_shift) == ("Fe", "K", 1.5)


def test_several_groups_and_none_chosen_is_refused_with_their_names(project):
    with pytest.raises(UnclearSpectrum, match="holds 2 groups: hematite, 10 K, it_s FeO; choose"):
        read_athena_file(project)
    with pytest.raises(UnclearSpectrum, match="no group 'FeO'"):
        read_athena_file(project, "FeO")


def test_names_that_larch_cannot_tell_apart_are_made_different(tmp_path, scanned):
    scans = [Scan(*scanned(e0), "mu", "columns", "a", "Fe-1", "Fe", "K") for e0 in (7120.0, 7122.0)]
    write_athena([normalise(scan) for scan in scans], tmp_path / "a.prj")
    with pytest.raises(UnclearSpectrum, match=r"holds 2 groups: Fe-1, Fe-1 \(2\);"):
        read_athena_file(tmp_path / "a.prj")
    np.testing.assert_allclose(
        read_athena_file(tmp_path / "a.prj", "Fe-1 (2)").energy, scanned(7122.0)[0], atol=1e-6
    )


def test_groups_of_one_name_are_refused_for_larch_would_drop_one(project):
    text = gzip.decompress(project.read_bytes()).decode().replace("it_s FeO", "hematite. 10 K")
    project.write_text(text)
    with pytest.raises(UnclearSpectrum, match="2 groups, but only 1 names"):
        read_athena_file(project, "hematite, 10 K")


def test_a_single_group_needs_no_choice(tmp_path, scanned, spectrum):
    write_athena([spectrum], tmp_path / "one.prj")
    scan = read_athena_file(tmp_path / "one.prj")
    np.testing.assert_allclose(scan.mu, spectrum.norm, atol=1e-6)
    assert scan.label == "Fe2O3, Fe K edge"


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(OutputError, match="at least one"):
        write_athena_file(tmp_path / "none.prj", [])
    assert not (tmp_path / "none.prj").exists()
