"""Files of every kind, whole and damaged; Larch reads them."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import MissingExtra, SpectrumError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.read import read_scan
from cgxas.spectra.io.scan import Scan

pytest.importorskip("larch")


def write(path: Path, header: str, *columns: np.ndarray, separator: str = " ") -> Path:
    rows = [separator.join(f"{value:.10g}" for value in row) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([*filter(None, [header]), *rows]) + "\n")
    return path


HEADERS = {
    "none": ("", " ", "mu", "columns"),
    "hash": ("# made up\n# energy mu", " ", "mu", "columns"),
    "units": ("# Energy (eV)  mu", " ", "mu", "columns"),
    "tabs": ("# Energy (eV)\tmy mu", "\t", "mu", "columns"),
    "plain words": ("energy mu", " ", "mu", "columns"),
    "spec": ("#S 1 ascan\n#L energy  mu", "  ", "mu", "columns"),
    "ruled": ("# energy mu\n#--------", " ", "mu", "columns"),
    "csv": ("energy,mu", ",", "mu", "CSV"),
    "normalised": ("energy,norm", ",", "normalised", "CSV"),
    "semicolons": ("energy;xmu", ";", "mu", "CSV"),
    "fio": ("!\n%c\nuser p65\n%d\n Col 1 ENERGY DOUBLE\n Col 2 MU DOUBLE", " ", "mu", "columns"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_columns_with_all_sorts_of_headers(tmp_path, scanned, case):
    header, separator, kind, name = HEADERS[case]
    energy, mu = scanned()
    suffix = ".csv" if name == "CSV" else ".dat"
    scan = read_scan(write(tmp_path / f"a{suffix}", header, energy, mu, separator=separator))
    np.testing.assert_allclose(scan.energy, energy, atol=1e-6)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-9)
    assert (scan.kind, scan.format, scan.source) == (kind, name, f"a{suffix}")


def test_counters_in_kev(tmp_path, scanned):
    energy, mu = scanned()
    i0 = np.full(energy.size, 5e4)
    path = write(tmp_path / "a.dat", "# Energy (keV)  I0  It", energy / 1000, i0, i0 * np.exp(-mu))
    scan = read_scan(path)
    np.testing.assert_allclose(scan.energy, energy, atol=1e-4)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-6)
    assert scan.kind == "transmission"
    assert "energies converted from keV" in scan.done


def test_columns_can_be_asked_for(tmp_path, scanned):
    energy, mu = scanned()
    path = write(tmp_path / "a.dat", "# a b c", mu, energy, 2 * mu)
    np.testing.assert_allclose(read_scan(path, energy="b", mu="3").mu, 2 * mu, atol=1e-9)


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


def test_xdi(tmp_path, scanned):
    energy, mu = scanned()
    path = write(tmp_path / "a.xdi", XDI, energy, np.ones(energy.size), np.exp(-mu))
    scan = read_scan(path)
    np.testing.assert_allclose(scan.energy, energy, atol=1e-6)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-8)
    assert (scan.element, scan.edge, scan.label) == ("Fe", "K", "hematite")
    assert (scan.format, scan.kind) == ("XDI", "transmission")


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


def test_xdi_of_bmm_whose_xmu_has_the_wrong_sign_and_whose_spacing_has_a_unit(tmp_path, scanned):
    energy, mu = scanned()
    i0 = np.full(energy.size, 60.0)
    rows = (energy, energy.round(), -mu, i0, i0 * np.exp(-mu), i0)
    scan = read_scan(write(tmp_path / "a.xdi", BMM, *rows))
    np.testing.assert_allclose(scan.mu, mu, atol=1e-8)
    assert (scan.element, scan.edge, scan.kind) == ("Fe", "K", "transmission")
    assert scan.done[0] == "mu is ln(I0/Itrans)"


def angles(energy: np.ndarray) -> np.ndarray:
    return np.degrees(np.arcsin(12398.419843 / (2 * 3.13551 * energy)))


def test_energies_of_an_xdi_file_of_angles(tmp_path, scanned):
    energy, mu = scanned()
    header = XDI.replace("energy eV", "angle degrees").replace("3.13555", "3.13551")
    path = write(tmp_path / "a.xdi", header, angles(energy), np.ones(energy.size), np.exp(-mu))
    np.testing.assert_allclose(read_scan(path).energy, energy, atol=1e-3)


def test_energies_of_the_photon_factory_are_computed_from_the_angle(tmp_path, scanned):
    energy, mu = scanned()
    header = (
        "  9809     KEK-PF   BL9A\n Mono :   Si(111)       D=  3.13551 A    Initial angle= 14 deg\n"
        "  Angle(c)  Angle(o)    time/s         2         3\n    Offset         0         0  7  7"
    )
    angle, i0 = angles(energy), np.full(energy.size, 1e6)
    path = write(tmp_path / "a.dat", header, angle, angle, i0, i0, i0 * np.exp(-mu))
    scan = read_scan(path, mu="ln(4/5)")
    np.testing.assert_allclose(scan.energy, energy, atol=1e-3)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-8)


@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_decimal_commas_are_refused(tmp_path, scanned, separator):
    path = write(tmp_path / "a.csv", "energy" + separator + "mu", *scanned(), separator=separator)
    path.write_text(path.read_text().replace(".", ","))
    with pytest.raises(UnreadableSpectrum, match="decimal commas"):
        read_scan(path)


def test_several_scans_in_one_file_are_refused(tmp_path, scanned):
    """Larch alone would give the last one without a word."""
    path = write(tmp_path / "a.spec", "#S 1 ascan\n#L energy mu", *scanned())
    path.write_text(path.read_text() + "\n" + path.read_text().replace("#S 1", "#S 2"))
    with pytest.raises(UnreadableSpectrum, match="several blocks"):
        read_scan(path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_texts_of_all_sorts_of_computers(tmp_path, scanned, encoding, end):
    path = write(tmp_path / "a.dat", "# \xe9chantillon \xb5\n# energy mu", *scanned())
    path.write_bytes(path.read_text().replace("\n", end).encode(encoding))
    np.testing.assert_allclose(read_scan(path).mu, scanned()[1], atol=1e-9)


def test_a_file_whose_name_says_athena_must_be_of_athena(tmp_path, scanned):
    for name, data in (("words", b"\x1f\x8b\x08\x00broken"), ("columns", b"1 2\n3 4\n")):
        (tmp_path / f"{name}.prj").write_bytes(data)
        with pytest.raises(UnreadableSpectrum, match="damaged Athena project"):
            read_scan(tmp_path / f"{name}.prj")


@pytest.mark.parametrize("kind", ["dat", "xdi", "nxs", "prj"])
def test_files_changed_at_random_are_read_or_refused_in_a_sentence(tmp_path, scanned, kind):
    whole = tmp_path / f"whole.{kind}"
    energy, mu = scanned()
    if kind == "nxs":
        nexus(whole, energy, mu, "entry")
    elif kind == "prj":
        from cgxas.spectra.io.measurements import write_athena
        from cgxas.spectra.normalise import normalise

        write_athena([normalise(Scan(energy, mu, "mu", "columns", "a", element="Fe"))], whole)
        whole.write_bytes(gzip.decompress(whole.read_bytes()))
    else:
        write(whole, XDI if kind == "xdi" else "# energy i0 it", energy, mu, mu)
    random = np.random.default_rng(64)
    for _ in range(25):
        data = bytearray(whole.read_bytes())
        for at in random.integers(len(data), size=3):
            data[at] = random.integers(256)
        cut = random.integers(len(data), size=2)
        changed = tmp_path / f"changed.{kind}"
        changed.write_bytes(data[: max(cut)] if cut[0] % 2 else data[: min(cut)] + data[max(cut) :])
        try:
            scan = read_scan(changed)
        except SpectrumError as error:
            assert "\n" not in str(error)
        else:
            assert scan.energy.shape == scan.mu.shape


def test_what_cgxas_predicts_is_read_as_a_simulation(tmp_path, spectrum):
    from cgxas.spectra.io.write import write_spectrum

    write_spectrum(spectrum, tmp_path / "a.xdi")
    scan = read_scan(tmp_path / "a.xdi")
    assert scan.kind == "simulated"
    np.testing.assert_allclose(scan.mu, spectrum.norm, atol=1e-6)


def nexus(path: Path, energy: np.ndarray, mu: np.ndarray, *entries: str) -> Path:
    h5py = pytest.importorskip("h5py")
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
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "other.h5", "w") as root:
        root["numbers"] = np.ones(3)
    with pytest.raises(UnreadableSpectrum, match="NXxas"):
        read_scan(tmp_path / "other.h5")


BAD = {
    "empty": b"",
    "words": b"this is not a spectrum\nat all, really\n",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "one column": b"1\n2\n3\n",
    "words between numbers": b"7100 0.1\n7101 none\n7102 0.3\n",
    "a cut project": b"# Athena project file -- Demeter version 0.9.20\n$old_group = 'a';\n@x = (1",
    "an empty project": b"# Athena project file -- Demeter version 0.9.20\n1;\n",
    "an empty XDI": b"# XDI/1.0\n# ///\n",
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_in_a_sentence(tmp_path, case):
    (tmp_path / "bad.dat").write_bytes(BAD[case])
    with pytest.raises(SpectrumError) as error:
        read_scan(tmp_path / "bad.dat")
    assert "bad.dat" in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_folders_and_wrong_options_are_refused(tmp_path, scanned):
    with pytest.raises(UnreadableSpectrum, match="no such file"):
        read_scan(tmp_path / "none.dat")
    with pytest.raises(UnreadableSpectrum, match="folder"):
        read_scan(tmp_path)
    path = write(tmp_path / "a.dat", "# energy mu", *scanned())
    with pytest.raises(UnclearSpectrum, match="--group"):
        read_scan(path, group="a")
    with pytest.raises(UnclearSpectrum, match="no column 'b'"):
        read_scan(path, mu="b")


def test_without_larch_the_extra_is_named(tmp_path, scanned, monkeypatch):
    path = write(tmp_path / "a.dat", "# energy mu", *scanned())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"cgxas\[larch\]"):
        read_scan(path)
