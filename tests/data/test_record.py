import subprocess
import sys

import pytest

from cgxas.data.record import Annotation, edge_name, fidelity_of
from cgxas.errors import DatasetError


@pytest.mark.parametrize(
    ("theory", "fidelity"),
    [
        ("FEFF 9.9.1 (COREHOLE RPA, SCF 7, FMS 9)", "FEFF9"),
        ("FEFF9 (Mathew 2018, Materials Project)", "FEFF9"),
        ("FEFF10, MPXANESSet tags", "FEFF10"),
        ("VASP supercell core-hole", "VASP"),
        ("FDMNES (Green, SCF)", "FDMNES"),
        ("?", "?"),
    ],
)
def test_fidelity_is_read_off_the_theory(theory, fidelity):
    assert fidelity_of(theory) == fidelity


@pytest.mark.parametrize(
    ("stated", "name"),
    [(None, "K"), ("", "K"), (" ", "K"), ("K", "K"), ("k ", "K"), ("l3", "L3"), (3, "3")],
)
def test_edges_are_named_in_one_way(stated, name):
    assert edge_name(stated) == name


def test_annotations_say_what_is_not_to_be_learnt_from():
    assert not Annotation().unusable
    assert not Annotation().doubtful
    assert Annotation().shift == 0.0
    assert Annotation(energy_shift=1.5).shift == 1.5
    assert Annotation(flags=("post<60eV", "low_white_line")).doubtful
    assert not Annotation(flags=("post<60eV",)).doubtful
    off = Annotation(flags=("energy_scale_off",))
    assert off.unusable == "its energy scale is known to be off"
    assert "HERFD" in Annotation(technique="HERFD-XANES").unusable
    assert not Annotation(technique="XAS").unusable


@pytest.mark.parametrize(
    "change",
    [
        {"weight": 0.0},
        {"weight": float("nan")},
        {"multiplicity": -1.0},
        {"multiplicity": 1e9},
        {"energy_shift": float("inf")},
        {"energy_shift": float("nan")},
        {"energy_shift": -1e4},
    ],
)
def test_impossible_annotations_are_refused(change):
    with pytest.raises(DatasetError, match="must be finite"):
        Annotation(**change)


def test_values_need_neither_readers_of_tables_nor_of_crystals():
    code = "import sys, cgxas.data.record; print({'pyarrow', 'spglib', 'torch'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
