"""HDF5 files that lead elsewhere, in circles, or to more than there is memory for."""

import resource
import time
from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import SpectrumError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.read import read_scan

pytest.importorskip("larch")
h5py = pytest.importorskip("h5py")


@pytest.fixture
def entry(tmp_path, scanned):
    """An entry of the new layout in an open file; other.h5 beside it holds the same numbers."""
    energy, mu = scanned()
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["energy"], other["intensity"] = energy, mu
    with h5py.File(tmp_path / "a.h5", "w") as root:
        root["entry/energy"], root["entry/intensity"] = energy, mu
        yield root["entry"]


def read(entry, **wish):
    """Close the file of an entry, and read it."""
    path = entry.file.filename
    entry.file.close()
    return read_scan(path, **wish)


def refused(entry, **wish) -> str:
    with pytest.raises(SpectrumError) as refusal:
        read(entry, **wish)
    return str(refusal.value)


def test_the_file_itself_is_fine(entry, scanned):
    np.testing.assert_array_equal(read(entry).mu, scanned()[1])


@pytest.mark.parametrize("target", ["other.h5", "/etc/passwd"])
def test_external_links_are_not_followed(entry, target):
    del entry["intensity"]
    entry["intensity"] = h5py.ExternalLink(target, "/intensity")
    assert "not followed: /entry/intensity (a link out of the file)" in refused(entry)


def test_soft_links_to_external_links_are_not_followed(entry):
    del entry["intensity"]
    entry["away"] = h5py.ExternalLink("other.h5", "/")
    entry["intensity"] = h5py.SoftLink("/entry/away/intensity")
    assert "/entry/away (a link out of the file)" in refused(entry)


def test_an_external_link_beside_the_numbers_is_told(entry):
    entry["element"] = h5py.ExternalLink("other.h5", "/")
    scan = read(entry)
    assert "not followed: /entry/element (a link out of the file)" in scan.done


def test_an_external_link_by_its_path_is_not_followed(entry):
    entry["away"] = h5py.ExternalLink("other.h5", "/")
    said = refused(entry, energy="/entry/energy", mu="/entry/away/intensity")
    assert "no '/entry/away/intensity'" in said
    assert "/entry/away (a link out of the file)" in said


def test_numbers_in_other_files_are_not_read(entry, tmp_path, scanned):
    size = scanned()[0].size
    layout = h5py.VirtualLayout((size,), dtype="f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "intensity", (size,))
    entry.create_virtual_dataset("virtual", layout)
    external = [("/etc/passwd", 0, 8 * size)]
    entry.create_dataset("external", shape=(size,), dtype="f8", external=external)
    path = entry.file.filename
    entry.file.close()
    for name in ("virtual", "external"):
        with pytest.raises(UnclearSpectrum, match=rf"/entry/{name} \(numbers that lie in other"):
            read_scan(path, energy="/entry/energy", mu=f"/entry/{name}")
    with h5py.File(path, "a") as root:
        del root["entry/intensity"]
        root["entry/intensity"] = h5py.SoftLink("/entry/external")
    with pytest.raises(UnreadableSpectrum, match="numbers that lie in other files"):
        read_scan(path)


def test_texts_in_other_files_are_not_read(entry):
    entry.create_dataset("element", shape=(1,), dtype="S2", external=[("/etc/passwd", 0, 2)])
    assert read(entry).element == ""


def test_rings_of_links_end(entry):
    entry["ring"] = h5py.SoftLink("/entry/ring")
    entry["a"], entry["b"] = h5py.SoftLink("/entry/b/x"), h5py.SoftLink("/entry/a/x")
    entry["self"] = entry  # a hard link
    entry["deep/up"] = entry.file["/"]
    assert "(a ring of links)" in " ".join(read(entry).done)


def test_rings_of_links_end_where_candidates_are_listed(entry):
    entry.file["x/self"] = entry.file["/"]
    del entry["energy"]
    entry["self"], entry["dangling"] = entry, h5py.SoftLink("/no/such")
    assert "it holds no two rows of equal length" in refused(entry)


@pytest.mark.parametrize("place", ["/entry/intensity", "/entry/energy"])
def test_a_billion_points_that_take_no_room_are_refused(entry, place):
    path = Path(entry.file.filename)
    del entry.file[place]
    entry.file.create_dataset(place, shape=(10**9,), dtype="f8", chunks=(10**6,), compression=9)
    entry.file.create_dataset("/entry/big", shape=(10**9,), dtype="f8", chunks=(10**6,))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    said = refused(entry)
    assert path.stat().st_size < 100_000
    assert "1000000000" in said or "1,000,000,000" in said
    assert time.monotonic() - start < 5.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_a_huge_chunk_below_few_points_is_refused(entry):
    size = entry["energy"].size
    del entry["intensity"]
    made = entry.create_dataset(
        "intensity", (size,), "f8", chunks=(10**8,), maxshape=(None,), compression=9
    )
    assert made.chunks == (10**8,)
    assert "a chunk of /entry/intensity holds 800,000,000 bytes" in refused(entry)


def test_too_many_rows_are_refused_before_they_are_read(entry):
    numbers = entry.file.create_dataset("zeros", (100_000,), "f8", chunks=(1000,), compression=9)
    del entry["energy"]
    entry["energy"] = numbers
    for n in range(100):
        name = f"data/c{n}"
        entry.create_dataset(name, (100_000,), "f8", chunks=(1000,), compression=9)
    assert "rows of one entry hold" in refused(entry)


def test_many_groups_and_deep_ones_are_bounded(entry, monkeypatch):
    monkeypatch.setenv("CGXAS_MAX_OBJECTS", "50")
    for n in range(60):
        entry.create_group(f"many/g{n}")
    del entry["energy"]
    path = entry.file.filename
    assert "holds 60 objects, more than the 50 that are taken" in refused(entry)
    monkeypatch.delenv("CGXAS_MAX_OBJECTS")
    with h5py.File(path, "a") as root:
        here = root
        for _ in range(3000):
            here = here.create_group("d")
        here["x"] = np.arange(30.0)
    with pytest.raises(UnreadableSpectrum, match="no two rows of equal length"):
        read_scan(path)
    deep = "/" + "d/" * 3000 + "x"
    with pytest.raises(UnclearSpectrum, match="no"):
        read_scan(path, energy=deep, mu=deep)


ATTRIBUTES = {
    "number": 7,
    "array": np.arange(5),
    "empty": h5py.Empty("f8"),
    "reference": h5py.Reference(),
    "bytes": np.bytes_(b"\xff\xfe"),
    "texts": np.array(["eV", "keV"], dtype=h5py.string_dtype()),
    "pairs": np.zeros(2, dtype=[("a", "f8"), ("b", "S3")]),
}


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_attributes_of_any_type_are_endured(entry, kind):
    for name in ("NX_class", "default", "signal", "axes", "long_name"):
        entry.attrs[name] = ATTRIBUTES[kind]
        entry["energy"].attrs[name] = ATTRIBUTES[kind]
    entry["element"], entry["title"] = np.arange(3), h5py.Empty("S5")
    entry["mode"] = np.datetime64("2026-01-01").astype("i8")
    entry["type"] = np.dtype("f8")
    assert read(entry).energy.size > 100


@pytest.mark.parametrize("kind", ["f2", ">f4", "<i2", "u1", ">f8"])
def test_numbers_of_any_width_are_read(entry, kind):
    del entry["intensity"]
    entry["intensity"] = np.arange(entry["energy"].size).astype(kind)
    assert read(entry).mu.dtype == np.float64


@pytest.mark.parametrize("kind", ["c16", "S3", "bool"])
def test_what_are_no_numbers_is_passed_over(entry, kind):
    del entry["intensity"]
    entry["intensity"] = np.ones(entry["energy"].size).astype(kind)
    assert "holds no NXxas entry" in refused(entry)


def test_a_missing_filter_is_told(entry, tmp_path):
    size = entry["energy"].size
    del entry["intensity"]
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((size,))
    creation.set_filter(307, h5py.h5z.FLAG_OPTIONAL, ())  # bzip2
    space = h5py.h5s.create_simple((size,))
    made = h5py.h5d.create(entry.id, b"intensity", h5py.h5t.NATIVE_DOUBLE, space, creation)
    made.write_direct_chunk((0,), b"BZh9 not really")
    assert "filter that is not installed" in refused(entry)


def test_damaged_files_are_refused_in_one_sentence(entry, tmp_path):
    path = Path(entry.file.filename)
    entry.file.close()
    whole = path.read_bytes()
    random = np.random.default_rng(64)
    cut = [whole[: len(whole) * n // 10] for n in range(1, 10)]
    for _ in range(60):
        bad = bytearray(whole)
        for at in random.integers(0, 3000, size=8):
            bad[at] = random.integers(256)
        cut.append(bytes(bad))
    n_refused = 0
    for n, content in enumerate(cut):
        file = tmp_path / f"bad{n}.h5"
        file.write_bytes(content)
        try:
            read_scan(file)
        except SpectrumError as error:
            n_refused += 1
            assert str(error).count("\n") == 0
    assert n_refused >= 9


def test_a_damaged_heap_of_texts_ends(entry, tmp_path):
    """HDF5 itself would walk through it for ever."""
    path = Path(entry.file.filename)
    entry["title"] = "a text"
    entry["element"] = "Fe"
    entry.file.close()
    assert read_scan(path).element == "Fe"
    whole = bytearray(path.read_bytes())
    heap = whole.index(b"GCOL")
    whole[heap + 16 + 8 : heap + 16 + 16] = b"\xff" * 8
    path.write_bytes(whole)
    with pytest.raises(UnreadableSpectrum, match="damaged HDF5"):
        read_scan(path)


def test_names_that_are_no_text_are_endured(entry):
    entry.id.links.create_hard(b"\xff\xfe", entry.id, b"energy")
    entry.id.links.create_external(b"\xfd", b"other.h5", b"/")
    assert read(entry).energy.size > 100
