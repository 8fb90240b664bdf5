import pytest

from cgxas.spectra.io.table.names import (
    channels,
    energy_rank,
    is_achieved,
    is_energy,
    is_wanted,
    plain,
)


def test_names_are_compared_without_case_signs_and_accents():
    assert plain("ln(I0/It)") == plain("LN_I0_IT") == "lni0it"
    assert plain("Energía (eV)") == "energiaev"


@pytest.mark.parametrize("name", ["energy", "E", "Mono Energy (alt)", "dcm_energy", "ZapEnergy"])
def test_energies(name):
    assert is_energy(name)


@pytest.mark.parametrize("name", ["i0", "energy_step", "edge energy", "EnergyOffset", "mu", ""])
def test_other_names(name):
    assert not is_energy(name)


def test_achieved_comes_before_plain_and_plain_before_wanted():
    names = ["energy_set", "energy", "energy_readback"]
    assert sorted(names, key=energy_rank) == names[::-1]
    assert is_wanted("energy_set")
    assert is_achieved("energy_readback")
    assert not is_wanted("offset")


def test_channels_are_the_largest_family_of_numbered_names():
    assert channels(["energy", "if1", "sdd1", "sdd2", "sdd3", "roi1", "roi2"]) == [2, 3, 4]
    assert channels(["energy", "if1", "i0", "i1", "i2"]) == []
