"""The mean over frames and sites is that of what is predicted of each frame."""

import ase.io
import numpy as np
import pytest
from ase.build import bulk

import cgxas
from cgxas.errors import CrystalError
from cgxas.screening import answers, trajectory


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Answer in this process."""

    def answered(tasks, asked, count):
        for task in tasks:
            yield task, answers(task.crystals, asked)

    monkeypatch.setattr(trajectory, "answered_here", answered)


@pytest.fixture
def shaken(tmp_path):
    random, frames = np.random.default_rng(64), []
    for _ in range(12):
        frames.append(bulk("FeO", "rocksalt", a=4.3) * (1, 1, 2))
        frames[-1].positions += random.normal(scale=0.05, size=frames[-1].positions.shape)
    ase.io.write(tmp_path / "md.traj", frames)
    return tmp_path / "md.traj"


def test_the_mean_of_frames_and_sites(shaken, random_model):
    found = cgxas.average(shaken, "Fe", random_model, every=2)
    one_by_one = cgxas.load(random_model)
    each = [one_by_one.predict(frame, "Fe").norm for frame in ase.io.read(shaken, "::2")]
    np.testing.assert_allclose(found.spectrum.norm, np.mean(each, axis=0), atol=2e-6)
    np.testing.assert_allclose(found.spread, np.std(each, axis=0, ddof=1), atol=2e-6)
    assert found.n_frames == 6
    assert (found.spectrum.formula, found.spectrum.absorber) == ("FeO", "Fe")


def test_frames_may_be_objects(shaken, random_model):
    found = cgxas.average(ase.io.read(shaken, ":"), "Fe", random_model)
    expected = cgxas.average(shaken, "Fe", random_model)
    np.testing.assert_allclose(found.spectrum.norm, expected.spectrum.norm, atol=2e-6)
    assert found.spectrum.source == "crystal 1 and 11 more"


def test_frames_of_two_compounds_have_no_mean(shaken, tmp_path, random_model):
    ase.io.write(tmp_path / "z.traj", bulk("MgO", "rocksalt", a=4.2))
    with pytest.raises(CrystalError, match="a mean is of one composition"):
        cgxas.average([shaken, tmp_path / "z.traj"], "O", random_model)
    with pytest.raises(CrystalError, match="holds no Fe"):
        cgxas.average([shaken, tmp_path / "z.traj"], "Fe", random_model)


@pytest.mark.parametrize("kind", ["vasp-xdatcar", "extxyz", "xsf"])
def test_a_mean_is_over_all_frames_whatever_their_format(kind, shaken, tmp_path, random_model):
    frames = ase.io.read(shaken, ":")
    for each in frames:  # VASP has the atoms of an element together
        each.set_scaled_positions(each.get_scaled_positions())
    sorted_ones = [each[np.argsort(each.numbers)] for each in frames]
    path = tmp_path / {"vasp-xdatcar": "XDATCAR", "extxyz": "md.xyz", "xsf": "md.axsf"}[kind]
    ase.io.write(path, sorted_ones, format=kind)
    found = cgxas.average(path, "Fe", random_model)
    assert found.n_frames == 12
    usual = cgxas.average(shaken, "Fe", random_model)
    np.testing.assert_allclose(found.spectrum.norm, usual.spectrum.norm, atol=2e-5)


def test_the_same_frames_are_not_taken_twice(shaken, tmp_path, random_model):
    """As VASP leaves them: the steps in an XDATCAR, and the last one as CONTCAR beside it."""
    folder = tmp_path / "run"
    folder.mkdir()
    frames = ase.io.read(shaken, ":")
    ase.io.write(folder / "XDATCAR", frames, format="vasp-xdatcar")
    ase.io.write(folder / "CONTCAR", frames[-1], format="vasp")
    with pytest.raises(CrystalError, match="CONTCAR and XDATCAR may hold the same frames twice"):
        cgxas.average(folder, "Fe", random_model)
