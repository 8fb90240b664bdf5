"""Calls with values of the wrong kind: a named error that says what is wanted, never a raw one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

import cgxas
from cgxas.arguments import (
    as_choice,
    as_list,
    as_path,
    as_text_or_none,
    as_whole_number,
    one_of_kind,
    shown,
)
from cgxas.errors import CgxasError, ConfigError

ODD: dict[str, Any] = {
    "None": None,
    "empty text": "",
    "bytes": b"a.cif",
    "number": 26,
    "negative": -1,
    "fraction": 1.5,
    "NaN": float("nan"),
    "truth": True,
    "numpy float": np.float64(1.5),
    "list of None": [None],
    "list of numbers": [1],
    "list of texts": ["x"],
    "empty list": [],
    "empty array": np.array([]),
    "dictionary": {},
    "object": object(),
    "folder": Path(),
    "absent file": Path("nowhere"),
    "null character": "no\0name",
}


@pytest.fixture(scope="module")
def iron() -> Structure:
    return Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture(scope="module")
def predictor(random_model) -> cgxas.Predictor:
    return cgxas.load(random_model)


Call = Callable[[Any, Any], object]
# name of the call: (the call, with the odd value and what it needs besides; what is right here)
CALLS: dict[str, tuple[Call, set[str]]] = {
    "load": (lambda o, _: cgxas.load(o), {"None"}),
    "load_checkpoint": (lambda o, _: cgxas.load_checkpoint(o), set()),
    "fidelity": (lambda o, w: cgxas.load(w.model, fidelity=o), {"None"}),
    "device": (lambda o, w: cgxas.load(w.model, device=o), set()),
    "batch size": (lambda o, w: cgxas.load(w.model, batch_size=o), {"number"}),
    "Predictor": (lambda o, _: cgxas.Predictor(o), set()),
    "crystal": (lambda o, w: w.predictor.predict(o, "Fe"), set()),
    "absorber": (lambda o, w: w.predictor.predict(w.iron, o), set()),
    "sites": (lambda o, w: w.predictor.predict(w.iron, "Fe", sites=o), {"None", "list of numbers"}),
    "crystals": (lambda o, w: w.predictor.predict_each(o, ["Fe"]), set()),
    "absorbers": (lambda o, w: w.predictor.predict_each([w.iron], o), set()),
    "many crystals": (
        lambda o, w: list(w.predictor.predict_iter(o, ["Fe"])),
        {"empty list", "empty array", "dictionary"},
    ),
    "absorbers of many": (lambda o, w: list(w.predictor.predict_iter([w.iron], o)), set()),
    "errors": (lambda o, w: w.predictor.predict_iter([w.iron], ["Fe"], errors=o), set()),
    "standardise": (lambda o, _: cgxas.standardise(o), set()),
    "energy": (lambda o, w: cgxas.Spectrum(o, w.spectrum.norm, "Fe"), set()),
    "norm": (lambda o, w: cgxas.Spectrum(w.spectrum.energy, o, "Fe"), set()),
    "absorber of a spectrum": (
        lambda o, w: cgxas.Spectrum(w.spectrum.energy, w.spectrum.norm, o),
        {"empty text", "null character"},
    ),
    "sites of a spectrum": (
        lambda o, w: cgxas.Spectrum(w.spectrum.energy, w.spectrum.norm, "Fe", sites=o),
        {"empty list", "empty array", "dictionary"},
    ),
    "sigma": (
        lambda o, w: cgxas.Spectrum(w.spectrum.energy, w.spectrum.norm, "Fe", sigma=o),
        {"None"},
    ),
    "sites of a site": (
        lambda o, w: cgxas.SiteSpectrum(o, w.spectrum.norm, w.spectrum.energy),
        {"list of numbers"},
    ),
    "lowest energy": (
        lambda o, _: cgxas.EnergyGrid(o, 2, 3),
        {"negative", "fraction", "truth", "numpy float"},
    ),
    "points": (lambda o, _: cgxas.EnergyGrid(1, 2, o), {"number"}),
    "read_spectrum": (lambda o, _: cgxas.read_spectrum(o), set()),
    "compare": (lambda o, w: cgxas.compare(o, w.spectrum), set()),
    "compare with": (lambda o, w: cgxas.compare(w.spectrum, o), set()),
    "e0": (lambda o, w: cgxas.e0(o, w.spectrum.norm), set()),
    "half_step": (lambda o, w: cgxas.half_step(w.spectrum.energy, o), set()),
    "write_spectrum": (lambda o, _: cgxas.write_spectrum(o, "x.xdi"), set()),
    "save": (lambda o, w: w.spectrum.save(o), set()),
    "write_spectra": (
        lambda o, _: cgxas.write_spectra(o, "x.parquet"),
        {"empty list", "empty array", "dictionary"},
    ),
    "write_spectra to": (lambda o, w: cgxas.write_spectra([w.spectrum], o), set()),
    "plot_spectrum": (lambda o, _: cgxas.plot_spectrum(o), set()),
    "save_figure": (lambda o, _: cgxas.save_figure(o, "x.png"), set()),
    "save_figure to": (lambda o, w: cgxas.save_figure([w.spectrum], o), set()),
    "settings": (lambda o, w: cgxas.train(o, [w.data], "run"), set()),
    "data": (lambda o, w: cgxas.train(w.settings, o, "run", prepare_only=True), set()),
    "output": (
        lambda o, w: cgxas.train(w.settings, [w.data], o, prepare_only=True),
        {"absent file", "empty text", "folder"},
    ),
    "model to tune": (lambda o, w: cgxas.finetune(o, [w.data], "run", "Fe"), set()),
    "element to tune": (lambda o, w: cgxas.finetune(w.model, [w.data], "run", o), set()),
    "model to test": (lambda o, w: cgxas.evaluate(o, [w.data]), set()),
    "data to test on": (lambda o, w: cgxas.evaluate(w.model, o), set()),
    "part": (lambda o, w: cgxas.evaluate(w.model, [w.data], part=o), set()),
    "split": (lambda o, w: cgxas.evaluate(w.model, [w.data], split=o), set()),
    "model to calibrate": (lambda o, w: cgxas.calibrate(o, [w.data], "run"), set()),
    "elements": (
        lambda o, w: cgxas.calibrate(w.model, [w.data], "run", elements=o),
        {"empty list", "empty array", "dictionary"},
    ),
    "methods": (lambda o, w: cgxas.calibrate(w.model, [w.data], "run", methods=o), set()),
}


@pytest.fixture
def with_what(random_model, predictor, iron, spectrum, salts, tmp_path, monkeypatch) -> Any:
    from types import SimpleNamespace

    monkeypatch.chdir(tmp_path)
    settings = tmp_path / "a.toml"
    settings.write_text("name = 'a'")
    return SimpleNamespace(
        model=random_model,
        predictor=predictor,
        iron=iron,
        spectrum=spectrum,
        data=salts,
        settings=settings,
    )


@pytest.mark.parametrize("name", CALLS)
def test_values_of_the_wrong_kind_are_refused_by_name(name, with_what):
    call, right = CALLS[name]
    for case in ODD.keys() - right:
        with pytest.raises(CgxasError) as refused:
            call(ODD[case], with_what)
        said = str(refused.value)
        assert said, case
        assert "\n" not in said, case
        assert len(said) < 400, case


SITES = {
    "negative": ([-1], "a site is a whole number of at least 0, not -1"),
    "none": ([], "at least one site"),
    "a fraction": ([1.5], "a site is a whole number of at least 0, not 1.5"),
    "a whole float": ([np.float64(1.0)], "a site is a whole number"),
    "a truth value": (True, "sites are indices of atoms, counted from 0, in a list, not True"),
    "truth values": ([True], "a site is a whole number of at least 0, not True"),
    "a symbol": ("Fe", "sites are indices of atoms, counted from 0, in a list, not 'Fe'"),
    "beyond": ([2], "is not Fe; its Fe sites are 0-1"),
    "twice": ([0, 0], "none of them twice"),
    "nested": ([[0]], "a site is a whole number"),
}


@pytest.mark.parametrize("case", SITES)
def test_wrong_sites(case, predictor, iron):
    sites, says = SITES[case]
    with pytest.raises(CgxasError, match=says.replace("[", r"\[")):
        predictor.predict(iron, "Fe", sites=sites)


@pytest.mark.parametrize(
    "sites", [[0], (0,), range(1), np.array([0]), [np.int64(0)], {0}], ids=repr
)
def test_indices_of_any_kind(sites, predictor, iron):
    found = predictor.predict(iron, "Fe", sites=sites)
    np.testing.assert_allclose(found.norm, predictor.predict(iron, "Fe").norm, atol=1e-6)


def test_symbols_are_suggested(predictor, iron):
    with pytest.raises(CgxasError, match=r"'fe' is not a chemical element .*; did you mean Fe\?"):
        predictor.predict(iron, "fe")
    with pytest.raises(CgxasError, match="absorbers are symbols such as 'Fe', not 26"):
        predictor.predict(iron, 26)
    with pytest.raises(CgxasError, match="in a list, not 'Fe'"):
        predictor.predict_each([iron], "Fe")
    with pytest.raises(CgxasError, match=r"in a list, not 'a\.cif'"):
        predictor.predict_each("a.cif", ["Fe"])


def test_generators_of_crystals(predictor, iron):
    assert len(predictor.predict_each((each for each in [iron, iron]), ["Fe"])) == 2
    assert len(list(predictor.predict_iter((each for each in [iron]), "Fe"))) == 1


def test_what_is_right_comes_back():
    assert as_path("a/b", "a file", ConfigError) == Path("a/b")
    assert as_list((1, 2), int, "numbers", ConfigError) == [1, 2]
    assert as_whole_number(np.int32(3), 1, "n", ConfigError) == 3
    assert as_choice("a", ("a", "b"), "which", ConfigError) == "a"
    assert as_text_or_none(None, "name", ConfigError) is None
    assert one_of_kind("x", str, "a text", ConfigError) == "x"
    assert shown("a" * 100) == f"'{'a' * 36}... (str)"
