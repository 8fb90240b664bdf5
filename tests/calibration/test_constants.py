"""The constants of elements between FEFF's scale and the measured one."""

import numpy as np
import pytest

from cgxas.calibration.constants import constants, solids
from cgxas.elements import ABSORBERS, atomic_number

SLOPES = np.array([1.0, 0.65])
IRON = np.full(6, 26)


def test_measured_compounds_tell_the_constant_of_their_element():
    left = np.array([8.0, 9.0, 10.0, 8.5, 9.5, 9.0])
    found, variance = constants(IRON, left, SLOPES)
    assert found[25] == pytest.approx(9.0, abs=0.4)
    assert variance[25] == 0
    assert (variance[[24, 26, 40]] > 0).all()


def test_few_compounds_leave_doubt():
    known = constants(IRON[:2], np.array([9.0, 9.0]), SLOPES)[1]
    none = constants(np.array([29]), np.array([5.0]), SLOPES)[1]
    assert 0 < known[25] < none[25]


def test_neighbours_in_the_table_and_solids_tell_the_others():
    usual, _ = constants(IRON, np.full(6, 9.0), SLOPES)
    higher, _ = constants(IRON, np.full(6, 14.0), SLOPES)
    rise = higher - usual
    assert rise[25] > rise[26] > rise[31] > 0
    # Relativity that FEFF's free atoms lack grows with the fourth power of the atomic number.
    assert usual[46] < usual[25] - 15


def test_light_elements_and_those_without_a_solid_are_doubtful():
    _, variance = constants(IRON, np.full(6, 9.0), SLOPES)
    oxygen, carbon, cadmium = (variance[atomic_number(e) - 1] for e in ("O", "C", "Cd"))
    assert oxygen > carbon > cadmium > 1


def test_solids_are_those_of_absorbers_and_hold_no_gas():
    assert set(solids()) < set(ABSORBERS)
    assert not {"N", "O", "F"} & set(solids())
    assert len(solids()) > 40
    assert all(abs(each.charge) < 1 for each in solids().values())


def test_every_constant_is_finite():
    found, variance = constants(IRON, np.full(6, 9.0), SLOPES)
    assert np.isfinite(found).all()
    assert (variance >= 0).all()
