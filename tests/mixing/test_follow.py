"""A folder that fills: rows come, and do not change."""

from itertools import pairwise

import numpy as np
import pytest

from cgxas.errors import BadMeasurement
from cgxas.mixing.follow import follow
from cgxas.mixing.run import Mixer
from cgxas.mixing.wishes import Wishes

FRACTIONS = np.array([[1 - x, x] for x in np.linspace(0.1, 0.9, 6)])


def test_scans_are_fitted_as_they_come(tmp_path, mixed, write_series):
    norm = mixed(FRACTIONS, 0.002)
    pure = write_series(tmp_path / "pure", mixed(np.eye(2), 0.001), "phase_{}.dat")
    folder = tmp_path / "series"
    write_series(folder, norm[:2])
    whole = write_series(tmp_path / "waiting", norm)
    coming = iter(range(3, 7))
    half: list[bytes] = []

    def wait(_: float) -> None:
        """A scan is written in two parts, as beamlines do; one look finds only the first."""
        if half:
            (folder / f"scan_{half[0].decode()}.dat").write_bytes(half[1])
            half.clear()
        elif (n := next(coming, None)) is not None:
            data = (whole / f"scan_{n}.dat").read_bytes()
            (folder / f"scan_{n}.dat").write_bytes(data[: len(data) // 3])
            half.extend([str(n).encode(), data])

    references = [pure / "phase_1.dat", pure / "phase_2.dat"]
    found = list(follow(folder, references, Wishes(), (), patience=8.0, on_wait=wait))
    assert [len(each) for each in found] == [2, 3, 4, 5, 6]
    assert np.abs(found[-1].fractions - FRACTIONS).max() < 0.03
    for before, after in pairwise(found):
        assert np.allclose(before.fractions, after.fractions[: len(before)], rtol=0, atol=1e-9)


def test_a_scan_without_beam_is_told_and_the_rest_goes_on(tmp_path, mixed, write_series):
    pure = write_series(tmp_path / "pure", mixed(np.eye(2), 0.001), "phase_{}.dat")
    norm = mixed(FRACTIONS[:3], 0.002)
    norm[1] = 0.0
    folder = write_series(tmp_path / "series", norm)
    references = [pure / "phase_1.dat", pure / "phase_2.dat"]
    *_, last = follow(folder, references, Wishes(), (), 6.0, lambda _: None)
    assert last.names == ("scan_1", "scan_3")
    assert [name for name, _ in last.left_out] == ["scan_2"]


@pytest.fixture
def pure(tmp_path, mixed, write_series):
    found = write_series(tmp_path / "pure", mixed(np.eye(2), 0.001), "phase_{}.dat")
    return [found / "phase_1.dat", found / "phase_2.dat"]


def following(steps):
    """Waits that do one thing after the other."""
    left = iter(steps)

    def wait(_: float) -> None:
        next(left, lambda: None)()

    return wait


def test_only_new_scans_are_fitted(tmp_path, mixed, write_series, pure, monkeypatch):
    whole = write_series(tmp_path / "whole", mixed(FRACTIONS, 0.002))
    folder = tmp_path / "series"
    folder.mkdir()
    fitted: list[int] = []
    fit = Mixer.fitted
    monkeypatch.setattr(
        Mixer, "fitted", lambda self, series: fitted.append(len(series)) or fit(self, series)
    )
    moves = [
        lambda n=n: (whole / f"scan_{n}.dat").rename(folder / f"scan_{n}.dat") for n in range(1, 7)
    ]
    *_, last = follow(folder, pure, Wishes(), (), 6.0, following(moves))
    assert fitted == [1] * 6
    assert np.abs(last.fractions - FRACTIONS).max() < 0.03


def test_a_scan_that_stops_for_long_and_goes_on_is_read_again(tmp_path, mixed, write_series, pure):
    folder = write_series(tmp_path / "series", mixed(FRACTIONS[:3], 0.002))
    slow = folder / "scan_3.dat"
    lines = slow.read_text().splitlines(keepends=True)
    slow.write_text("".join(lines[:170]))
    wait = following([*[lambda: None] * 6, lambda: slow.write_text("".join(lines))])
    found = list(follow(folder, pure, Wishes(), (), 20.0, wait))
    assert [name for name, _ in found[0].left_out] == ["scan_3"]
    assert found[-1].names == ("scan_1", "scan_2", "scan_3") and found[-1].left_out == ()
    assert np.abs(found[-1].fractions - FRACTIONS[:3]).max() < 0.03


def test_a_first_scan_that_is_half_written_is_waited_for(tmp_path, mixed, write_series, pure):
    folder = write_series(tmp_path / "series", mixed(FRACTIONS[:1], 0.002))
    first = folder / "scan_1.dat"
    lines = first.read_text().splitlines(keepends=True)
    first.write_text("".join(lines[:100]))
    with pytest.raises(BadMeasurement):
        list(follow(folder, pure, Wishes(), (), 10.0, lambda _: None))
    wait = following([*[lambda: None] * 4, lambda: first.write_text("".join(lines))])
    *_, last = follow(folder, pure, Wishes(), (), 16.0, wait)
    assert last.names == ("scan_1",)


def test_a_file_that_vanishes_keeps_its_row(tmp_path, mixed, write_series, pure):
    whole = write_series(tmp_path / "whole", mixed(FRACTIONS[:3], 0.002))
    folder = write_series(tmp_path / "series", mixed(FRACTIONS[:2], 0.002))
    wait = following(
        [
            lambda: None,
            (folder / "scan_1.dat").unlink,
            lambda: (whole / "scan_3.dat").rename(folder / "scan_3.dat"),
        ]
    )
    *_, last = follow(folder, pure, Wishes(), (), 8.0, wait)
    assert last.names == ("scan_1", "scan_2", "scan_3")


def test_files_of_one_name_are_told_apart(tmp_path, mixed, write_series, pure):
    folder = write_series(tmp_path / "series", mixed(FRACTIONS[:1], 0.002))
    write_series(folder, mixed(FRACTIONS[1:2], 0.002), "scan_{}.txt")
    *_, last = follow(folder, pure, Wishes(), (), 6.0, lambda _: None)
    assert last.names == ("scan_1", "scan_1.txt")
