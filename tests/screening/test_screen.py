"""Each crystal is in the tables once, with what `predict` says, however often a run was broken."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import ase.io
import numpy as np
import pyarrow.parquet as pq
import pytest
from ase.build import bulk

import cgxas
from cgxas.data.collection import Collection, NamedCrystal
from cgxas.errors import CgxasError, ConfigError, OutputError, UnsupportedAbsorber
from cgxas.screening import Asked, Where, answers, run
from cgxas.screening.task import Task
from cgxas.screening.workers import LOST, answered_here

N = 30


@pytest.fixture(scope="module")
def frames(tmp_path_factory) -> Path:
    """A trajectory of rock salts whose atoms are displaced, no two alike."""
    random = np.random.default_rng(64)
    path = tmp_path_factory.mktemp("crystals") / "md.xyz"
    crystals = [bulk("FeO", "rocksalt", a=4.3) * (1, 1, 2) for _ in range(N)]
    for each in crystals:
        each.positions += random.normal(scale=0.05, size=each.positions.shape)
    ase.io.write(path, crystals)
    return path


@pytest.fixture
def screen(random_model, monkeypatch):
    """A screening whose work is done in this process."""

    def here(tasks, asked, count):
        for task in tasks:
            yield task, answers(task.crystals, asked)

    monkeypatch.setattr(run, "answered_here", here)
    return partial(cgxas.screen, model=random_model)


def table(folder: Path):
    """All parts as one table, in the order of their names."""
    return pq.ParquetDataset(sorted(folder.glob("part-*.parquet"))).read()


def same(one: Path, other: Path) -> bool:
    """Whether two screenings hold the same rows, numbers to the last bit."""
    names = ("failures.parquet", "warnings.parquet")
    return table(one).equals(table(other)) and all(
        pq.read_table(one / name).equals(pq.read_table(other / name)) for name in names
    )


def test_tables_hold_what_predict_says(screen, frames, random_model, tmp_path):
    found = screen(frames, "Fe", tmp_path / "out")
    assert (found.n_crystals, found.n_spectra, found.n_failed, found.missing) == (N, N, 0, 0)
    rows = table(tmp_path / "out").to_pylist()
    assert [row["id"] for row in rows] == [f"{frames}:{n}" for n in range(N)]
    one_by_one = cgxas.load(random_model)
    for row, crystal in list(zip(rows, ase.io.read(frames, ":"), strict=True))[::7]:
        spectrum = one_by_one.predict(crystal, "Fe")
        assert row["energy"] == spectrum.energy.tolist()
        np.testing.assert_allclose(row["norm"], spectrum.norm, atol=2e-6)
        assert (row["formula"], row["absorber"]) == ("FeO", "Fe")


def test_shards_make_the_whole(screen, frames, tmp_path):
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    pieces = partial(Where, part_size=4)
    screen(frames, "Fe", whole, where=pieces())
    last = screen(frames, "Fe", shared, where=pieces(shard=(3, 3)))
    assert last.missing == 6
    assert last.n_crystals == 8
    assert screen(frames, "Fe", shared, where=pieces(shard=(1, 3))).missing == 3
    assert screen(frames, "Fe", shared, where=pieces(shard=(2, 3))).missing == 0
    assert same(whole, shared)


def test_a_broken_run_goes_on_where_it_was(screen, frames, tmp_path, monkeypatch):
    monkeypatch.setattr("cgxas.screening.task.TASK_SIZE", 2)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    screen(frames, ["Fe", "O"], whole, where=Where(part_size=4))
    ended = []

    def end_at(count: int, progress) -> None:
        ended.append(progress.done)
        if progress.n_crystals == count:
            raise KeyboardInterrupt

    for count in (2, 14, 10):
        with pytest.raises(KeyboardInterrupt):
            stop = partial(end_at, count)
            screen(frames, ["Fe", "O"], broken, where=Where(part_size=4), on_progress=stop)
    before = {path.name: path.stat().st_mtime_ns for path in broken.glob("part-*")}
    assert set(before) == {f"part-{n:06d}.parquet" for n in range(5)}
    found = screen(frames, ["Fe", "O"], broken, where=Where(part_size=9))  # theirs is kept
    assert found.n_spectra == 2 * N
    assert all((broken / name).stat().st_mtime_ns == then for name, then in before.items())
    assert same(whole, broken)
    again = screen(frames, ["Fe", "O"], broken, on_progress=lambda _: pytest.fail("done already"))
    assert again == found


def test_what_fails_is_told_and_what_is_absent_counted(screen, tmp_path, random_model):
    folder = tmp_path / "mixed"
    folder.mkdir()
    ase.io.write(folder / "a.cif", bulk("FeO", "rocksalt", a=4.3))
    ase.io.write(folder / "b.cif", bulk("NaCl", "rocksalt", a=5.6))
    (folder / "c.cif").write_text("data_c\n")
    ase.io.write(folder / "d.cube", ase.io.read(folder / "a.cif"))
    (folder / "notes.txt").write_text("none\n")
    found = screen(folder, "Fe", tmp_path / "out")
    assert (found.n_crystals, found.n_spectra, found.n_failed, found.n_absent) == (4, 2, 1, 1)
    assert found.passed_over == {".txt": 1}
    (failure,) = pq.read_table(tmp_path / "out" / "failures.parquet").to_pylist()
    assert failure["id"] == "c.cif"
    assert failure["error"] == "UnreadableCrystal"
    (remark,) = pq.read_table(tmp_path / "out" / "warnings.parquet").to_pylist()
    assert remark["id"] == "d.cube"
    assert "taken to be the unit cell" in remark["remark"]


def test_a_folder_is_gone_on_with_for_the_same_only(screen, frames, tmp_path, random_model):
    out = tmp_path / "out"
    screen(frames, "Fe", out, where=Where(part_size=10))
    with pytest.raises(OutputError, match=r"absorbers \['Fe'\], not \['O'\]"):
        screen(frames, "O", out)
    shorter = tmp_path / "md.xyz"
    ase.io.write(shorter, ase.io.read(frames, ":12"))
    with pytest.raises(OutputError, match="it has changed"):
        screen(shorter, "Fe", out)
    (out / "part-000001.parquet").write_bytes(b"PAR1")
    with pytest.raises(OutputError, match="remove it, and it is made again"):
        screen(frames, "Fe", out)
    (out / "part-000001.parquet").unlink()
    assert screen(frames, "Fe", out).n_spectra == N
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").touch()
    with pytest.raises(OutputError, match="holds something else"):
        screen(frames, "Fe", tmp_path / "other")


def test_a_part_holds_all_of_it_or_is_not_there(screen, frames, tmp_path):
    """A source that breaks off in a part leaves no part behind that seems done."""

    def breaking(*_: object, **__: object):
        yield from list(Collection(frames, frames=True))[:13]
        raise OSError("the disk was pulled out")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "Collection", breaking)
        with pytest.raises(OSError, match="pulled out"):
            screen(frames, "Fe", tmp_path / "out", where=Where(part_size=10))
    assert [path.name for path in (tmp_path / "out").glob("part-*")] == ["part-000000.parquet"]
    assert screen(frames, "Fe", tmp_path / "out").n_spectra == N


def test_what_is_refused(screen, frames, tmp_path):
    with pytest.raises(UnsupportedAbsorber):
        screen(frames, "Rn", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    for wrong in ({"workers": 0}, {"shard": (4, 3)}, {"shard": (0, 3)}, {"part_size": 0}):
        with pytest.raises(ConfigError):
            Where(**wrong)


class Kills:
    """In place of a crystal: ends the process that receives it."""

    code = "__import__('os')._exit(9)"

    def __reduce__(self):
        return eval, (self.code,)


class KillsOnce(Kills):
    """The same as long as a file is not there, which it makes; then it is the path of a crystal."""

    def __init__(self, mark: Path, crystal: Path) -> None:
        there, make = f"__import__('os').path.exists({str(mark)!r})", f"open({str(mark)!r}, 'w')"
        self.code = f"{str(crystal)!r} if {there} else ({make}.close(), {Kills.code})"


def test_workers_that_end_lose_nothing(frames, random_model, tmp_path):
    """One crystal ends the first process that gets it, another one every process."""
    ase.io.write(tmp_path / "a.cif", bulk("FeO", "rocksalt", a=4.3))
    once = KillsOnce(tmp_path / "mark", tmp_path / "a.cif")
    crystals = list(Collection(frames, frames=True))[:8]
    crystals[2] = NamedCrystal("once", "once", 0.3, once)
    crystals[5] = NamedCrystal("always", "always", 0.6, Kills())
    tasks = [Task(0, tuple(crystals[at : at + 2]), 0.0, 1.0, at == 6) for at in (0, 2, 4, 6)]
    asked = Asked(("Fe",), str(random_model))
    found = list(answered_here(tasks, asked, 2))
    assert [task for task, _ in found] == tasks
    rows = [rows for _, rows in found]
    assert [name for each in rows for name in each.ids] == [each.id for each in crystals]
    assert [each.failures for each in rows if each.failures] == [
        (("always", LOST, "WorkerEnded"),),
    ]
    assert [name for each in rows for name in each.spectra["id"].to_pylist()] == [
        each.id for each in crystals if each.id != "always"
    ]


def test_processes_that_all_end_are_told(random_model, monkeypatch):
    monkeypatch.setattr("cgxas.screening.workers._MOST_ENDS", 1)
    task = Task(0, (NamedCrystal("always", "always", 1.0, Kills()),), 0.0, 1.0, True)
    with pytest.raises(CgxasError, match="ended one after the other"):
        list(answered_here([task], Asked(("Fe",), str(random_model)), 1))


def test_a_master_that_is_killed_leaves_no_process(frames, random_model, tmp_path, screen):
    """Killed with -9 in the middle and started again: equal to the unbroken run."""
    out, whole = tmp_path / "out", tmp_path / "whole"
    code = (
        "import sys, cgxas; from cgxas.screening import Where\n"
        "if __name__ == '__main__': cgxas.screen(sys.argv[1], 'Fe', sys.argv[2], "
        "sys.argv[3], where=Where(workers=1, part_size=3))"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    words = [sys.executable, str(script), str(frames), str(out), str(random_model)]
    with subprocess.Popen(words, start_new_session=True) as process:
        while not list(out.glob("part-*")) and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert list(out.glob("part-*"))
    for _ in range(200):
        if not _lives(process.pid):
            break
        time.sleep(0.1)
    assert not _lives(process.pid), "workers end with their master"
    subprocess.run(words, check=True)
    screen(frames, "Fe", whole, where=Where(part_size=3))
    assert same(whole, out)
    assert json.loads((out / "screen.json").read_text())["absorbers"] == ["Fe"]


def _lives(session: int) -> bool:
    """Whether a process of a session is there still."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True
