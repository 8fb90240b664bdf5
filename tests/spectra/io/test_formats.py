"""The table: nothing in it twice, everything looked up there, and open to one format more."""

from pathlib import Path

import numpy as np
import pytest

from cgxas.cli.outputs import Outputs
from cgxas.errors import OutputError, UnclearSpectrum
from cgxas.spectra.io import formats
from cgxas.spectra.io.base import Format
from cgxas.spectra.io.facts import columns, facts
from cgxas.spectra.io.formats import (
    FORMATS,
    format_of,
    format_to_write,
    readable_suffixes,
    table_suffixes,
    writable_suffixes,
)
from cgxas.spectra.io.read import is_spectrum_file, read_prediction, read_scan, read_spectrum
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.write import write_spectra, write_spectrum

DOCS = Path(__file__).parents[3] / "docs"


def test_names_and_suffixes_are_unique_and_plain():
    names = [each.name for each in FORMATS]
    suffixes = [suffix for each in FORMATS for suffix in each.suffixes]
    assert len(set(names)) == len(names)
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


def test_every_format_is_read_or_written_and_holds_one_or_many():
    for each in FORMATS:
        assert each.read or each.is_writable, each.name
        assert not (each.write_one and each.write_many), each.name


def test_suffixes_are_those_of_the_table():
    many = (".prj", ".parquet", ".nxs", ".h5", ".hdf5")
    assert writable_suffixes() == (".xdi", ".json", ".csv", *many)
    assert table_suffixes() == many
    assert {*readable_suffixes()} >= {
        ".xdi",
        ".json",
        ".csv",
        ".prj",
        ".nxs",
        ".dat",
        ".txt",
        ".parquet",
    }


def test_a_file_is_told_by_what_it_holds_before_its_name(tmp_path, spectrum):
    pytest.importorskip("larch")
    for suffix in writable_suffixes():
        write_spectrum(spectrum, tmp_path / f"a{suffix}")
        found = format_of(tmp_path / f"a{suffix}")
        assert suffix in found.suffixes
        assert format_to_write(tmp_path / f"A{suffix.upper()}") is found
        if suffix != ".csv":  # a CSV is told by its name alone
            (tmp_path / f"a{suffix}").rename(tmp_path / "a.dat")
            assert format_of(tmp_path / "a.dat") is found
    assert format_to_write(tmp_path / "a.dat") is None


def read_lines(path, choice) -> Scan:
    if choice.group not in (None, "only"):
        raise UnclearSpectrum("no such group")
    _, element, kind, *numbers = path.read_text().split()
    energy, norm = np.array(numbers, dtype=float).reshape(2, -1)
    return Scan(energy, norm, kind, LINES.name, path.name, element=element)


def write_lines(path, curve, sites) -> None:
    told, table = facts(curve), columns(curve)
    numbers = [*table["energy"], *table["norm"]]
    words = ["LINES", told["absorber"], "simulated", *map(repr, map(float, numbers))]
    path.write_text("\n".join(words))


LINES = Format(
    name="a number per line",
    suffixes=(".lines",),
    recognises=lambda path, head: head.startswith(b"LINES"),
    read=read_lines,
    write_one=write_lines,
    has_groups=True,
)


def test_a_new_format_needs_one_line_in_the_table(tmp_path, monkeypatch, spectrum, measurement):
    path = tmp_path / "a.lines"
    with pytest.raises(OutputError, match="no known file type"):
        spectrum.save(path)
    assert not is_spectrum_file(path)

    monkeypatch.setattr(formats, "FORMATS", (LINES, *FORMATS))
    for curve, element in ((measurement, "Fe"), (spectrum, "Fe")):
        curve.save(path)
        found = read_spectrum(path, group="only")
        np.testing.assert_array_equal(found.norm, curve.norm)
        assert (found.element, found.kind, found.format) == (element, "simulated", LINES.name)
    assert is_spectrum_file(path)
    np.testing.assert_array_equal(read_prediction(path, "Fe")[1], spectrum.norm)
    with pytest.raises(UnclearSpectrum, match="no columns to choose"):
        read_scan(path, mu="2")
    with pytest.raises(OutputError, match=r"use \.prj, \.parquet"):
        write_spectra([spectrum], path)
    Outputs(("Fe",), out=path).check()
    with pytest.raises(OutputError, match=r"\.lines, \.xdi"):
        spectrum.save(tmp_path / "a.unknown")


def test_the_format_in_the_docs_works(tmp_path, monkeypatch, spectrum):
    (page,) = DOCS.rglob("add-a-file-format.md")
    module: dict = {}
    exec(page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0], module)
    monkeypatch.setattr(formats, "FORMATS", (module["FORMAT"], *FORMATS))
    spectrum.save(tmp_path / "a.lines")
    found = read_spectrum(tmp_path / "a.lines", "Fe")
    np.testing.assert_array_equal(found.norm, spectrum.norm)
    assert (found.format, found.kind) == ("lines", "normalised")
