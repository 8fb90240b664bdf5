import importlib
import json
import subprocess
import sys

import pytest

import cgxas

HEAVY = ("torch", "matplotlib", "pymatgen", "ase", "numpy", "spglib", "pyarrow")


def test_names_are_sorted_and_all_have_a_home():
    assert list(cgxas.__all__) == sorted(cgxas.__all__)
    assert set(cgxas.__all__) == set(cgxas._HOMES)
    assert set(cgxas.__all__) <= set(dir(cgxas))


@pytest.mark.parametrize("name", cgxas.__all__)
def test_name_is_what_its_home_defines(name):
    home = importlib.import_module(f"cgxas.{cgxas._HOMES[name]}")
    assert getattr(cgxas, name) is getattr(home, name)
    assert getattr(cgxas, name).__doc__


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'predict_everything'"):
        _ = cgxas.predict_everything


def test_version_is_that_of_the_package():
    assert cgxas.__version__ == importlib.metadata.version("cgxas")


@pytest.mark.parametrize("module", ["cgxas", "cgxas.cli"])
def test_import_is_light(module):
    code = f"import sys, json, {module}; print(json.dumps([m for m in sys.modules]))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    heavy = HEAVY if module == "cgxas" else ("torch", "matplotlib", "pymatgen", "ase")
    assert not set(heavy) & set(loaded)


def test_spectra_and_metrics_need_no_torch():
    modules = "cgxas.spectra.io.write, cgxas.spectra.metrics, cgxas.data.split, cgxas.data.record"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
