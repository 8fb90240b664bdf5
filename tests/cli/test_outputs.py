"""cgxas predict -o: one file of all, or one per spectrum; every file type that is promised."""

import re
from pathlib import Path

import numpy as np
import pytest

import cgxas as package
from cgxas.spectra.io.formats import readable_suffixes, table_suffixes, writable_suffixes


@pytest.mark.parametrize("suffix", writable_suffixes())
def test_every_file_type_is_written(predict, crystals, suffix):
    assert (
        predict(crystals / "iron.cif", "-a", "Fe", "-o", f"x{suffix}").err == f"wrote x{suffix}\n"
    )
    assert Path(f"x{suffix}").stat().st_size > 0


@pytest.mark.parametrize("suffix", table_suffixes())
def test_a_table_holds_all(predict, crystals, suffix):
    pytest.importorskip("larch")
    words = [crystals / "rutile.cif", crystals / "iron.cif", "-a", "all", "-o", f"x{suffix}"]
    assert predict(*words).err == f"wrote x{suffix}\n"
    assert [path.name for path in Path().iterdir()] == [f"x{suffix}"]


def test_groups_of_a_project_are_named_after_crystal_and_absorber(
    predict, cgxas, crystals, random_model
):
    pytest.importorskip("larch")
    predict(crystals / "rutile.cif", crystals / "iron.cif", "-a", "all", "-o", "x.prj")
    for crystal, element, name in (
        ("rutile", "Ti", "TiO2, Ti K edge"),
        ("rutile", "O", "TiO2, O K edge"),
        ("iron", "Fe", "Fe, Fe K edge"),
    ):
        found = package.read_spectrum("x.prj", group=name)
        expected = package.load(random_model).predict(crystals / f"{crystal}.cif", element)
        np.testing.assert_allclose(found.norm, expected.norm, atol=1e-6)
        assert (found.element, found.kind) == (element, "simulated")


def test_sites_are_groups_of_a_project(predict, cgxas, crystals):
    pytest.importorskip("larch")
    predict(crystals / "LiFePO4.cif", "-a", "O", "--sites", "-o", "x.prj")
    assert "LiFePO4, O K edge, site 20" in cgxas("spectrum", "x.prj").err


def test_a_project_without_larch_is_refused_before_any_work(
    refused, crystals, random_model, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    words = [crystals / "iron.cif", "-a", "Fe", "-m", random_model, "-o", "x.prj"]
    assert ".[larch]" in refused("predict", *words)


@pytest.mark.parametrize("verb", ["predict", "spectrum"])
def test_help_tells_every_file_type(cgxas, monkeypatch, verb):
    monkeypatch.setenv("COLUMNS", "300")
    text = re.sub(r"\s+", " ", cgxas(verb, "--help").out)
    told = text.split("--output")[1].split("--")[0]
    assert set(re.findall(r"\.[a-z0-9]+\b", told)) == set(writable_suffixes())


def test_help_of_compare_tells_only_what_can_be_read(cgxas, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    told = cgxas("compare", "--help").out.split("A predicted spectrum (")[1].split(")")[0]
    suffixes = re.findall(r"\.[a-z]+\b", told)
    assert len(suffixes) > 3
    assert set(suffixes) <= set(readable_suffixes())
