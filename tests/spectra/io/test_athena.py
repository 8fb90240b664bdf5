import dataclasses
import gzip

import numpy as np
import pytest

from cgxas.errors import OutputError, SpectrumError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.read import read_scan
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.write import write_spectra
from cgxas.spectra.normalise import normalise

pytest.importorskip("larch")


@pytest.fixture
def project(tmp_path, scanned):
    """A project of two groups, the second shifted in Athena by 1.5 eV."""
    measured = [
        normalise(Scan(*scanned(e0), "mu", "columns", "a.dat", name, "Fe", "K", shift))
        for name, e0, shift in (("hematite, 10 K", 7120.0, 0.0), ("it's FeO", 7118.0, 1.5))
    ]
    write_spectra(measured, tmp_path / "two.prj")
    return tmp_path / "two.prj"


def test_a_group_is_read_by_name_and_its_shift_kept_beside(project, scanned):
    scan = read_scan(project, "it_s FeO")
    energy, mu = scanned(7118.0)
    np.testing.assert_allclose(scan.energy, energy, atol=1e-6)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-6)
    assert (scan.element, scan.edge, scan.energy_shift) == ("Fe", "K", 1.5)


def test_several_groups_and_none_chosen_is_refused_with_their_names(project):
    with pytest.raises(UnclearSpectrum, match="holds 2 groups: hematite, 10 K, it_s FeO; choose"):
        read_scan(project)
    with pytest.raises(UnclearSpectrum, match="no group 'FeO'"):
        read_scan(project, "FeO")


def test_names_that_larch_cannot_tell_apart_are_made_different(tmp_path, scanned):
    scans = [Scan(*scanned(e0), "mu", "columns", "a", "Fe-1", "Fe", "K") for e0 in (7120.0, 7122.0)]
    write_spectra([normalise(scan) for scan in scans], tmp_path / "a.prj")
    with pytest.raises(UnclearSpectrum, match=r"holds 2 groups: Fe-1, Fe-1 \(2\);"):
        read_scan(tmp_path / "a.prj")
    np.testing.assert_allclose(
        read_scan(tmp_path / "a.prj", "Fe-1 (2)").energy, scanned(7122.0)[0], atol=1e-6
    )


def test_groups_of_one_name_are_refused_for_larch_would_drop_one(project):
    text = gzip.decompress(project.read_bytes()).decode().replace("it_s FeO", "hematite. 10 K")
    project.write_text(text)
    with pytest.raises(UnclearSpectrum, match="2 groups, but only 1 names"):
        read_scan(project, "hematite, 10 K")


def test_a_single_group_needs_no_choice(tmp_path, scanned, spectrum):
    write_spectra([spectrum], tmp_path / "one.prj")
    scan = read_scan(tmp_path / "one.prj")
    np.testing.assert_allclose(scan.mu, spectrum.norm, atol=1e-6)
    assert scan.label == "Fe2O3, Fe K edge"


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(OutputError, match="at least one"):
        write_spectra([], tmp_path / "none.prj")
    assert not (tmp_path / "none.prj").exists()


def test_larch_reads_and_normalises_our_project_alike(measurement, spectrum, tmp_path):
    from larch.io import read_athena

    write_spectra([measurement, spectrum], tmp_path / "a.prj")
    project = read_athena(str(tmp_path / "a.prj"))
    measured, predicted = project.groups.values()
    np.testing.assert_allclose(measured.mu, measurement.mu, rtol=0, atol=1e-6)
    np.testing.assert_allclose(measured.norm, measurement.norm, rtol=0, atol=0.02)
    assert measured.e0 == pytest.approx(measurement.e0)
    np.testing.assert_allclose(predicted.mu, spectrum.norm, rtol=0, atol=1e-6)


def test_a_project_is_the_same_every_time_but_for_its_date(measurement, tmp_path):
    texts = []
    for name in ("a.prj", "b.prj"):
        measurement.save(tmp_path / name)
        lines = gzip.decompress((tmp_path / name).read_bytes()).decode().splitlines()
        texts.append([line for line in lines if "created at" not in line])
    assert texts[0] == texts[1]


def test_the_kind_comes_back(measurement, spectrum, tmp_path):
    given = dataclasses.replace(measurement, kind="normalised", mu=measurement.norm, label="given")
    write_spectra([measurement, spectrum, given], tmp_path / "a.prj")
    kinds = [
        read_scan(tmp_path / "a.prj", group).kind for group in ("hematite", spectrum.label, "given")
    ]
    assert kinds == ["transmission", "simulated", "normalised"]


@pytest.mark.parametrize(
    ("flags", "kind"), [("is_nor", "normalised"), ("is_xmudat", "simulated"), ("is_ref", "mu")]
)
def test_a_group_that_cgxas_did_not_write_tells_its_kind_by_its_flags(
    measurement, tmp_path, flags, kind
):
    measurement.save(tmp_path / "a.prj")
    text = gzip.decompress((tmp_path / "a.prj").read_bytes()).decode()
    text = text.replace("cgxas: kind", "somebody").replace(f"'{flags}', '0'", f"'{flags}', '1'")
    (tmp_path / "a.prj").write_text(text)
    assert read_scan(tmp_path / "a.prj").kind == kind


def test_larch_reads_the_band_and_what_we_tell(banded, tmp_path, half_step):
    from larch.io import read_athena

    banded.save(tmp_path / "a.prj")
    (group,) = read_athena(str(tmp_path / "a.prj"), do_preedge=False).groups.values()
    np.testing.assert_allclose(group.stddev, banded.sigma, rtol=1e-9)
    told = f"cgxas: kind simulated, model m1, half_step {half_step:.6f} eV"
    assert group.athena_params.annotation == told
    assert group.athena_params.bkg.e0 == pytest.approx(banded.e0)


def test_sites_are_groups_of_their_own_when_wanted(spectrum, tmp_path):
    spectrum.save(tmp_path / "a.prj", sites=True)
    with pytest.raises(UnclearSpectrum, match=r"holds 3 groups: .*, site 4, .*, site 9;"):
        read_scan(tmp_path / "a.prj")
    site = read_scan(tmp_path / "a.prj", f"{spectrum.label}, site 9")
    np.testing.assert_allclose(site.mu, spectrum.sites[1].norm, rtol=1e-12)


def test_a_curve_without_an_edge_is_refused(flat, tmp_path):
    with pytest.raises(SpectrumError, match="no edge"):
        flat.save(tmp_path / "a.prj")
    assert list(tmp_path.iterdir()) == []


def test_a_file_whose_name_says_athena_must_be_of_athena(tmp_path):
    for name, data in (("words", b"\x1f\x8b\x08\x00broken"), ("columns", b"1 2\n3 4\n")):
        (tmp_path / f"{name}.prj").write_bytes(data)
        with pytest.raises(UnreadableSpectrum, match="damaged Athena project"):
            read_scan(tmp_path / f"{name}.prj")


def test_a_project_is_recognised_by_what_it_holds(project):
    packed = project.read_bytes()
    for data in (packed, gzip.decompress(packed)):
        project.with_name("a.txt").write_bytes(data)
        assert read_scan(project.with_name("a.txt"), "hematite, 10 K").format == "Athena project"
    project.with_name("a.txt").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(UnreadableSpectrum, match=r"no spectrum that Larch reads|no columns"):
        read_scan(project.with_name("a.txt"))
