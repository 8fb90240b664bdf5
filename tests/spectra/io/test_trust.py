"""What is told of the trust in an answer stands in every file that has room for it."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cgxas.errors import UnreadableSpectrum
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.io.write import write_spectra
from cgxas.spectra.spectrum import Spectrum
from cgxas.spectra.trust import Trust

TRUSTS = [
    Trust("seen", "FeO"),
    Trust("near", "Cs2(AgI4)0.5", 0.417, 0.01234),
    Trust("far", "CaSO4", 1.93, 0.25, "never met Ba, Pb beside S"),
    Trust("far", "", 3.0, None, "nothing of Tc was measured"),
]
SUFFIXES = (".xdi", ".json", ".prj", ".nxs")


@pytest.mark.parametrize("trust", TRUSTS, ids=lambda each: f"{each.word} {each.nearest}")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_it_is_read_as_it_was_written(spectrum, tmp_path, suffix, trust):
    for module in {".prj": ("larch",), ".nxs": ("h5py",)}.get(suffix, ()):
        pytest.importorskip(module)
    path = tmp_path / f"a{suffix}"
    replace(spectrum, trust=trust).save(path)
    found = read_spectrum(path)
    assert found.trust == trust
    assert found.to_spectrum().trust == trust
    again = tmp_path / f"b{suffix}"
    found.save(again)
    assert read_spectrum(again).trust == trust


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_without_a_trust_tell_none(spectrum, tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    spectrum.save(path)
    assert read_spectrum(path).trust is None
    assert b"trust" not in path.read_bytes()


def test_json_has_numbers(spectrum, tmp_path):
    replace(spectrum, trust=TRUSTS[2]).save(tmp_path / "a.json")
    told = json.loads((tmp_path / "a.json").read_text())
    assert {name: told[name] for name in told if name.startswith("trust")} == {
        "trust": "far",
        "trust_nearest": "CaSO4",
        "trust_distance": 1.93,
        "trust_expected_rse": 0.25,
        "trust_reason": "never met Ba, Pb beside S",
    }


def test_tables_have_columns_of_it(spectrum, tmp_path):
    path = tmp_path / "a.parquet"
    write_spectra([spectrum, replace(spectrum, trust=TRUSTS[2])], path, sites=True)
    rows = [row for row in pq.read_table(path).to_pylist() if row["site"] is None]
    names = [name for name in rows[0] if name.startswith("trust")]
    assert [rows[0][name] for name in names] == [None] * 5
    assert {name: rows[1][name] for name in names} == TRUSTS[2].facts


def changed(spectrum: Spectrum, path: Path) -> Path:
    replace(spectrum, trust=TRUSTS[1]).save(path)
    path.write_text(path.read_text().replace("near", "sure", 1))
    return path


@pytest.mark.parametrize("suffix", [".xdi", ".json"])
def test_what_is_no_trust_is_refused(spectrum, tmp_path, suffix):
    path = changed(spectrum, tmp_path / f"a{suffix}")
    with pytest.raises(UnreadableSpectrum, match=rf"a{suffix}: It tells a trust .* not 'sure'"):
        read_spectrum(path)
