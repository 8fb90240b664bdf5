import dataclasses

import numpy as np
import pytest

from cgxas.spectra.io.facts import columns, edges, facts, program


def test_a_prediction_is_simulated_and_tells_its_model(spectrum, half_step):
    assert facts(spectrum) == {
        "formula": "Fe2O3",
        "absorber": "Fe",
        "edge": "K",
        "kind": "simulated",
        "model": "m1",
        "source": "a.cif",
        "e0": spectrum.e0,
        "half_step": half_step,
    }
    assert facts(dataclasses.replace(spectrum, model=""))["kind"] == "normalised"


def test_a_measurement_tells_how_it_was_normalised(measurement, half_step):
    found = facts(measurement)
    assert (found["label"], found["absorber"], found["edge"]) == ("hematite", "Fe", "K")
    assert (found["kind"], found["source"]) == ("transmission", "a.dat")
    assert (found["edge_source"], found["edge_guess"]) == ("stated", "")
    assert (found["e0"], found["half_step"]) == (measurement.e0, half_step)
    assert (found["edge_step"], found["energy_shift"]) == (measurement.edge_step, 0.75)
    assert found["pre_edge"].endswith("eV, degree 1")
    unfitted = dataclasses.replace(measurement, ranges=None)
    assert not {"pre_edge", "post_edge"} & facts(unfitted).keys()


def test_a_curve_without_an_edge_has_no_energies_of_it(flat):
    assert edges(flat) == {"e0": None, "half_step": None}


def test_columns_of_a_prediction(banded, spectrum):
    assert list(columns(spectrum)) == ["energy", "norm"]
    found = columns(banded, sites=True)
    assert list(found) == ["energy", "norm", "sigma", "norm_4", "norm_9"]
    assert found["norm_9"] is banded.sites[1].norm


@pytest.mark.parametrize("kind", ["normalised", "simulated"])
def test_raw_mu_is_told_only_where_there_is_one(measurement, kind):
    assert list(columns(measurement, sites=True)) == ["energy", "mu", "norm"]
    np.testing.assert_array_equal(columns(measurement)["mu"], measurement.mu)
    given = dataclasses.replace(measurement, kind=kind)
    assert list(columns(given)) == ["energy", "norm"]


def test_the_program_is_named_with_its_version():
    assert program().startswith("cgxas/")
