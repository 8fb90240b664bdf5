import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cgxas.errors import DatasetError, MissingExtra
from cgxas.report import maps as module
from cgxas.report.groups import grouped
from cgxas.report.maps import Maps, site_maps
from cgxas.training.folder import open_run


@pytest.fixture
def groups(finished_run):
    """Groups of runs laid down with these arguments."""
    return lambda *each, **also: grouped([open_run(finished_run(*w, **also)) for w in each])


def test_maps_show_the_test_sites_and_the_oxygens(groups):
    maps = site_maps(groups(("uni",)), [])
    assert (maps.model, maps.missing) == ("uni", "")
    assert Counter(maps.absorbers.sites.element.tolist()) == {"O": 9, "Mg": 3, "Fe": 3, "Ni": 3}
    assert Counter(maps.oxygens.sites.neighbour.tolist()) == {"Mg": 3, "Fe": 3, "Ni": 3}
    assert maps.absorbers.places.shape == (18, 2)
    assert np.isfinite(maps.oxygens.places).all()


def test_only_sites_of_test_spectra_are_shown(groups):
    (group,) = groups(("uni",))
    half = np.flatnonzero(np.char.endswith(group.tested.key, "-O"))
    few = type(group.tested)(**{k: v[half] for k, v in vars(group.tested).items()})
    maps = site_maps([type(group)(group.label, group.kind, "formula", group.runs, few)], [])
    assert set(maps.absorbers.sites.element) == {"O"}


def test_large_sets_are_sampled(groups, monkeypatch):
    monkeypatch.setattr(module, "MOST_SITES", 8)
    monkeypatch.setattr(module, "_CRYSTALS_AT_ONCE", 3)
    one, two = (site_maps(groups((name,)), []) for name in ("a", "b"))
    assert len(one.oxygens.sites) == len(one.absorbers.sites) == 8
    assert set(one.absorbers.sites.element) == {"O", "Mg", "Fe", "Ni"}
    np.testing.assert_array_equal(one.oxygens.sites.source, two.oxygens.sites.source)
    np.testing.assert_array_equal(one.absorbers.places, two.absorbers.places)


def test_without_data_there_are_no_maps(groups, tmp_path: Path):
    maps = site_maps(groups(("uni",), data=tmp_path / "gone"), [])
    assert maps == Maps(missing="There are no maps of sites: gone of uni are not at hand.")


def test_given_data_stand_in(groups, oxides, tmp_path: Path):
    away = groups(("uni",), data=tmp_path / "gone")
    assert len(site_maps(away, [oxides]).absorbers.sites) == 18
    with pytest.raises(DatasetError, match="is missing"):
        site_maps(away, [tmp_path / "nowhere"])


def test_without_a_universal_run_there_are_no_maps(groups):
    maps = site_maps(groups(("fe", "element", "Fe")), [])
    assert maps.missing == "There are no maps of sites: none of the runs is universal."


def test_too_few_sites_are_told(groups, monkeypatch):
    monkeypatch.setattr(module, "MIN_SITES", 10)
    maps = site_maps(groups(("uni",)), [])
    assert maps.missing == "The data hold too few oxygen sites for a map."
    assert maps.oxygens is None
    assert len(maps.absorbers.sites) == 18


def test_without_scikit_learn_nothing_is_begun(groups, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    monkeypatch.setattr(module, "read_records", lambda folders: pytest.fail("work was begun"))
    with pytest.raises(MissingExtra, match=r"\.\[report\]"):
        site_maps(groups(("uni",)), [])
