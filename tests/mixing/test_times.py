"""Times as beamlines write them."""

import numpy as np
import pytest

from cgxas.mixing.times import stamps_of, start_in, times_of


@pytest.mark.parametrize(
    "line",
    [
        "# Scan.start_time: 2026-07-08T23:59:30",
        "# Scan.start_time: 2026-07-08 23:59:30.0",
        "# 2026/07/08 23:59:30",
        "  9809  KEK-PF  2026.7.8 23:59:30",
        "#D Wed Jul 08 23:59:30 2026",
        "# Date: Wed Jul  8 23:59:30 CEST 2026",
        "# begun 8-Jul-2026 23:59:30",
        "# begun 08 July 2026 23:59:30",
        "# Time: 7/8/2026 11:59:30 PM",
        "# Time: 2026-07-09T01:59:30+02:00",
    ],
)
def test_times_of_headers(line):
    later = "2026-07-09T00:00:30Z"
    found = stamps_of([start_in(f"# a sample of 12.5 mg\n{line}\n# energy mu"), later])
    assert np.diff(found) == 60.0


def test_the_start_is_taken_and_not_the_end():
    text = "# end: 2026-07-08T12:00:00\n# start: 2026-07-08T11:00:00\n"
    assert start_in(text) == "2026-07-08T11:00:00"
    assert start_in("# energy mu, 12:30, 1/2") == ""


def test_day_and_month_are_told_by_the_whole_series():
    us = stamps_of(["07/12/2026 23:00:00", "07/13/2026 01:00:00"])
    assert np.diff(us) == 7200.0
    either = stamps_of(["03/04/2026 23:00:00", "04/04/2026 01:00:00"])
    assert np.diff(either) == 7200.0


def test_a_column_of_times_goes_on_behind_midnight():
    assert np.diff(times_of(["23:50:00", "23:59:00", "00:05:00", "00:01:00"])).tolist() == [
        540.0,
        360.0,
        -240.0,
    ]
    assert np.diff(times_of(["2026-07-08 23:59", "2026-07-09 00:01"])).tolist() == [120.0]
    assert times_of(["300", "310"]) == []
