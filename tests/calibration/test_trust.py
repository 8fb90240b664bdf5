"""A calibrated model is judged by the compounds that were measured."""

from dataclasses import replace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.outcome import finish
from cgxas.calibration.run import CalibrationSettings, trials
from cgxas.errors import FarFromMeasuredWarning
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.model import fingerprinted
from cgxas.model.trust.reference import Reference
from cgxas.physics.fingerprint import joined
from cgxas.predict import Predictor

SETTINGS = CalibrationSettings("mine", ("Fe", "Ti"), ("gaussian",), repeats=2)


@pytest.fixture(scope="module")
def compounds(measured_folder, random_model) -> Compounds:
    """Measured compounds, with a model that has learnt from the same ones."""
    plain = load_checkpoint(random_model)
    known = [fingerprinted(each) for each in read_compounds([measured_folder], plain).sites]
    names = [formula for sites, _, formula in known for _ in range(len(sites))]
    reference = Reference.learnt_from(joined([sites for sites, _, _ in known]), names)
    return read_compounds([measured_folder], replace(plain, trust=reference))


@pytest.fixture(scope="module")
def made(compounds, tmp_path_factory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("mine")
    found = trials(SETTINGS, compounds, folder)
    return load_checkpoint(finish(SETTINGS, compounds, found, folder, "told"))


def test_the_measured_compounds_are_what_it_learnt_from(compounds, made):
    measured = made.trust.measured
    assert measured.absorbers == ("Ti", "Fe")
    formulas = {fingerprinted(each)[2] for each in compounds.sites if each.absorber == "Fe"}
    assert set(measured.compounds("Fe")) == formulas
    assert made.trust.band is None  # the calibration has its own


def test_they_are_seen_and_others_far(compounds, made):
    for sites in compounds.sites:
        judged = made.trust.judge(*fingerprinted(sites))
        assert judged.trust.word == "seen"
        assert judged.trust.expected_rse > 0
    salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.1), ["Fe", "Se"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    with pytest.warns(FarFromMeasuredWarning, match="FeSe: Fe is far from .*never measured Se"):
        spectrum = Predictor(made).predict(salt, "Fe")
    assert spectrum.trust.word == "far"
    assert (np.asarray(spectrum.sigma) > 0).all()
