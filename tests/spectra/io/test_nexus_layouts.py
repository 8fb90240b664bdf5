"""NeXus: the old and the new layout, default plots, files of beamlines by named paths."""

import re
from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.read import read_scan, read_spectrum
from cgxas.spectra.io.write import write_spectra
from cgxas.spectra.xray import tabulated_edge

pytest.importorskip("larch")
h5py = pytest.importorskip("h5py")


def group(parent, name: str, nx_class: str, **attributes):
    found = parent.create_group(name)
    found.attrs["NX_class"] = nx_class
    found.attrs.update(attributes)
    return found


def new_layout(path: Path, curve, element: str, edge: str, grouped: bool = False, **more) -> Path:
    """An entry as pynxxas writes it: element and edge as texts, or as groups."""
    energy, mu = curve
    with h5py.File(path, "w", track_order=True) as root:
        root.attrs["default"] = "entry"
        entry = group(root, "entry", "NXentry", default="plot")
        entry["definition"] = "NXxas"
        entry["mode"] = more.get("mode", "transmission")
        if grouped:
            group(entry, "element", "NXelement")["symbol"] = element
            group(entry, "edge", "NXabsorption_edge")["name"] = edge
        else:
            entry["element"], entry["absorption_edge"] = element, edge
        entry["energy"], entry["intensity"] = energy, mu
        entry["energy"].attrs["units"] = "eV"
        if "is_experimental" in more:
            entry["is_experimental"] = more["is_experimental"]
        plot = group(entry, "plot", "NXdata", signal="intensity", axes=["energy"])
        plot["energy"] = h5py.SoftLink("../energy")  # HDF5 has no "..": leads nowhere
        plot["intensity"] = h5py.SoftLink("/entry/intensity")
        group(entry, "instrument", "NXinstrument")["name"] = "BM23"
    return path


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(
    ("element", "edge"), [("Fe", "K"), ("La", "L3"), ("Pt", "L3"), ("Au", "L2"), ("V", "K")]
)
def test_the_new_layout(tmp_path, scanned, element, edge, grouped):
    curve = scanned(tabulated_edge(element, edge) + 5.0)
    path = new_layout(tmp_path / "a.nxs", curve, element, edge, grouped)
    scan = read_scan(path)
    np.testing.assert_array_equal(scan.energy, curve[0])
    np.testing.assert_array_equal(scan.mu, curve[1])
    assert (scan.element, scan.edge, scan.kind) == (element, edge, "transmission")
    found = read_spectrum(path)
    assert (found.element, found.edge, found.edge_source) == (element, edge, "stated")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("fluorescence yield", "fluorescence"), ("transmission", "transmission"), ("raw", "mu")],
)
def test_the_mode_is_the_kind(tmp_path, scanned, mode, kind):
    assert read_scan(new_layout(tmp_path / "a.h5", scanned(), "Fe", "K", mode=mode)).kind == kind


def test_what_was_calculated_is_a_simulation(tmp_path, scanned):
    path = new_layout(tmp_path / "a.h5", scanned(), "Fe", "K", is_experimental=False)
    assert read_scan(path).kind == "simulated"


def test_subentries_are_entries(tmp_path, scanned):
    energy, mu = scanned()
    with h5py.File(tmp_path / "a.h5", "w") as root:
        entry = group(root, "1.1", "NXentry")
        for name, factor in (("itrans", 1.0), ("iref", 2.0)):
            sub = group(entry, name, "NXsubentry")
            sub["energy"], sub["intensity"], sub["element"] = energy, factor * mu, "Fe"
    with pytest.raises(UnclearSpectrum, match=r"1\.1/iref, 1\.1/itrans; choose one with --group"):
        read_scan(tmp_path / "a.h5")
    np.testing.assert_array_equal(read_scan(tmp_path / "a.h5", "1.1/iref").mu, 2.0 * mu)


def test_the_default_plot_is_found(tmp_path, scanned):
    """Names that tell nothing, but ``default``, ``signal`` and ``axes``."""
    energy, mu = scanned()
    with h5py.File(tmp_path / "a.h5", "w") as root:
        root.attrs["default"] = "scan_7"
        entry = group(root, "scan_7", "NXentry", default=np.bytes_(b"measured"))
        data = group(entry, "measured", "NXdata", signal="ct04", axes=["dcm"])
        data["dcm"], data["ct04"], data["ct05"] = energy / 1000, mu, mu**2
        data["dcm"].attrs["units"] = "keV"
    scan = read_scan(tmp_path / "a.h5")
    np.testing.assert_allclose(scan.energy, energy)
    np.testing.assert_array_equal(scan.mu, mu)
    assert any("ct04" in each for each in scan.done)


def test_a_stack_of_spectra_is_refused(tmp_path, scanned):
    energy, mu = scanned()
    with h5py.File(tmp_path / "a.nxs", "w") as root:
        entry = group(root, "entry", "NXentry")
        entry["energy"], entry["intensity"] = energy, np.array([mu, mu])
    with pytest.raises(UnreadableSpectrum, match="/entry/intensity is a stack of 2 spectra"):
        read_scan(tmp_path / "a.nxs")


BEAMLINES = {
    "BLISS": ("1.1/measurement/energy_enc", "1.1/measurement/{}"),
    "Diamond": ("entry1/counterTimer01/Energy", "entry1/counterTimer01/{}"),
    "SOLEIL": ("exp_0001/scan_data/data_01", "exp_0001/scan_data/{}"),
    "NSLS-II": ("entry/data/dcm_energy", "entry/instrument/detectors/{}"),
}


@pytest.fixture(params=BEAMLINES)
def beamline(request, tmp_path, scanned) -> tuple[Path, str, str, str]:
    """A file, and the paths of its energies and its two counters; names that tell nothing."""
    energy, mu = scanned()
    at_energy, at_counter = BEAMLINES[request.param]
    paths = [at_energy, at_counter.format("det_1"), at_counter.format("det_2")]
    with h5py.File(tmp_path / "beamline.h5", "w") as root:
        root[paths[0]] = energy
        root[paths[0]].attrs["units"] = "eV"
        root.create_dataset(paths[1], data=1e5 * np.exp(mu), compression="gzip", shuffle=True)
        root[paths[2]] = np.full((energy.size, 1), 1e5)
        root["other/image"] = np.zeros((4, 5))
        root["other/short"] = np.zeros(7)
    return tmp_path / "beamline.h5", *(f"/{path}" for path in paths)


def test_named_paths(beamline, scanned):
    path, energy, first, second = beamline
    scan = read_scan(path, energy=energy, mu=f'ln("{first}"/"{second}")')
    np.testing.assert_array_equal(scan.energy, scanned()[0])
    np.testing.assert_allclose(scan.mu, scanned()[1])
    assert (scan.kind, scan.format) == ("transmission", "HDF5")
    assert f"energy is {energy}" in scan.done
    assert f'mu is ln("{first}"/"{second}")' in scan.done
    plain = read_scan(path, energy=energy.lstrip("/"), mu=first)
    np.testing.assert_allclose(plain.mu, 1e5 * np.exp(scanned()[1]))
    top = energy.strip("/").split("/")[0]
    below = [f'"{"/".join(each.strip("/").split("/")[1:])}"' for each in (energy, first, second)]
    again = read_scan(path, top, below[0], f"log({below[1]}/{below[2]})")
    np.testing.assert_array_equal(again.mu, scan.mu)
    assert read_spectrum(path, energy=energy, mu=f"'{first}'").element == "Fe"


def test_candidates_are_listed(beamline):
    path, energy, first, second = beamline
    listed = f"{energy} \\(\\d+, eV\\).*{second} \\(\\d+\\)"
    for wish, told in (
        ({"energy": energy}, "with --mu too"),
        ({"mu": first}, "with --energy too"),
        ({"energy": energy, "mu": "/no/such"}, "has no '/no/such'"),
        ({"energy": "/other", "mu": first}, "no row of numbers '/other'"),
        ({"energy": energy, "mu": f"ln({first}/{second})"}, "each path in double quotes"),
        ({"energy": energy, "mu": f"{first}/{second}"}, "each path in double quotes"),
        ({"energy": "/other/image", "mu": first}, "no row of numbers"),
    ):
        with pytest.raises(UnclearSpectrum, match=re.escape(told)) as refusal:
            read_scan(path, **wish)
        names = str(refusal.value)
        assert re.search(listed, names) or all(each in names for each in (energy, second))
    with pytest.raises(UnclearSpectrum, match="not equally long"):
        read_scan(path, energy="/other/short", mu=first)


def test_a_file_that_is_no_nexus_tells_what_it_holds(tmp_path, scanned):
    energy, mu = scanned()
    with h5py.File(tmp_path / "a.h5", "w") as root:
        root["x/a"], root["x/b"] = energy, mu
    told = rf"--energy PATH --mu PATH; it holds /x/a \({energy.size}\), /x/b"
    with pytest.raises(UnreadableSpectrum, match=told):
        read_scan(tmp_path / "a.h5")


@pytest.mark.parametrize("suffix", [".nxs", ".h5"])
def test_written_entries_hold_every_number(tmp_path, banded, measurement, suffix):
    path = tmp_path / f"a{suffix}"
    write_spectra([banded, measurement, banded], path, sites=True)
    with h5py.File(path) as root:
        assert list(root) == ["Fe2O3_Fe_K_edge", "Fe2O3_Fe_K_edge_2", "hematite"]
        assert root.attrs["default"] == b"Fe2O3_Fe_K_edge"
        entry = root["Fe2O3_Fe_K_edge"]
        assert entry["definition"][()] == b"NXxas"
        assert (entry["element"][()], entry["absorption_edge"][()]) == (b"Fe", b"K")
        plot = entry[entry.attrs["default"]]
        for name, values in (("energy", banded.energy), ("intensity", banded.norm)):
            np.testing.assert_array_equal(plot[name][()], values)
        np.testing.assert_array_equal(entry["intensity_errors"][()], banded.sigma)
        assert not entry["is_experimental"][()]
        facts = entry["cgxas"]
        assert (facts["model"][()], facts["e0"][()]) == (b"m1", banded.e0)
        for site in banded.sites:
            np.testing.assert_array_equal(facts[f"site_{site.site}/norm"][()], site.norm)
            assert tuple(facts[f"site_{site.site}/sites"][()]) == site.sites
        np.testing.assert_array_equal(root["hematite/cgxas/norm"][()], measurement.norm)
        assert root["hematite/mode"][()] == b"transmission"
    again = read_spectrum(path, group="Fe2O3_Fe_K_edge_2")
    np.testing.assert_array_equal(again.energy, banded.energy)
    np.testing.assert_array_equal(again.norm, banded.norm)
    assert (again.kind, again.edge_source) == ("simulated", "stated")
    found = read_spectrum(path, group="hematite")
    np.testing.assert_array_equal(found.mu, measurement.mu)
    np.testing.assert_array_equal(found.norm, measurement.norm)
    assert (found.energy_shift, found.label) == (0.75, "hematite")


def test_the_same_spectra_give_the_same_file(tmp_path, banded):
    for name in ("a.nxs", "b.nxs"):
        banded.save(tmp_path / name)
    assert (tmp_path / "a.nxs").read_bytes() == (tmp_path / "b.nxs").read_bytes()
