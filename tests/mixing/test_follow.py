"""A folder that fills: rows come, and do not change."""

from itertools import pairwise

import numpy as np

from cgxas.mixing.follow import follow
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
