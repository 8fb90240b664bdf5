"""A Ray cluster gives the tables that this machine gives, files and errors among them."""

from pathlib import Path

import ase.io
import pytest
from ase.build import bulk

from cgxas.crystals.disorder.order import Disorder
from cgxas.data.collection import Collection
from cgxas.errors import ConfigError
from cgxas.screening import answers
from cgxas.screening.asked import asked_of
from cgxas.screening.cluster import LOCAL, answered_on_ray
from cgxas.screening.task import Task

pytest.importorskip("ray")


@pytest.fixture
def tasks(tmp_path) -> list[Task]:
    """Six salts, one file that is none, one that is gone when it is read, three to a task."""
    folder = tmp_path / "crystals"
    folder.mkdir()
    for n in range(6):
        ase.io.write(folder / f"{n}.cif", bulk("FeO", "rocksalt", a=4.2 + n / 50))
    (folder / "6.cif").write_text("no crystal\n")
    (folder / "7.cif").write_text("data_gone\n")
    crystals = list(Collection(folder))
    (folder / "7.cif").unlink()
    pieces = [tuple(crystals[n : n + 3]) for n in range(0, len(crystals), 3)]
    return [Task(0, piece, 0.0, piece[-1].done, is_last=False) for piece in pieces]


def test_what_ray_answers_is_what_is_answered_here(tasks, random_model, monkeypatch):
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    asked, _ = asked_of("Fe", Path(random_model), None, Disorder(), "cpu")
    found = list(answered_on_ray(tasks, asked, LOCAL))
    assert [task for task, _ in found] == tasks
    for task, rows in found:
        expected = answers(task.crystals, asked)
        assert rows.ids == expected.ids
        assert rows.spectra.equals(expected.spectra)
        assert [each.id for each in rows.failures] == [each.id for each in expected.failures]
    failed = {each.id: each.reason for _, rows in found for each in rows.failures}
    assert list(failed) == ["6.cif", "7.cif"]
    assert "no such file" in failed["7.cif"]


def test_a_cluster_that_is_not_there_is_refused(tasks, random_model):
    asked, _ = asked_of("Fe", Path(random_model), None, Disorder(), "cpu")
    with pytest.raises(ConfigError, match="no Ray cluster at 'auto': start one with"):
        list(answered_on_ray(tasks, asked, "auto"))
