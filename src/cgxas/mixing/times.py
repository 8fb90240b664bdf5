"""Times as beamlines write them: in the lines above a scan, or in a table."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_CLOCK = r"(?P<clock>\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)"
_FORMS = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        rf"(?P<year>\d{{4}})[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)(?:T|,? +){_CLOCK}"
        r"(?P<zone> ?Z| ?[+-]\d\d:?\d\d)?",
        rf"(?P<name>{_MONTHS})\w* +(?P<day>\d\d?),? +{_CLOCK} +(?:[A-Z]{{2,4}} +)?"
        r"(?P<year>\d{4})",
        rf"(?P<day>\d\d?)[- ](?P<name>{_MONTHS})\w*[- ](?P<year>\d{{4}}),? +{_CLOCK}",
        rf"(?P<first>\d\d?)[/.](?P<second>\d\d?)[/.](?P<year>\d{{4}}),? +{_CLOCK}"
        r"(?P<half> ?[AP]M)?",
    )
)
_OF_DAY = re.compile(rf"{_CLOCK}")
_DAY = 86_400.0
_START = re.compile(r"start|begin|begun|#D |date", re.IGNORECASE)


def start_in(text: str) -> str:
    """Return the time in a text that is called a start or a date, else the first; or nothing."""
    lines = [line for line in text.splitlines() if any(form.search(line) for form in _FORMS)]
    line = next(filter(_START.search, lines), lines[0] if lines else "")
    return next((found[0] for form in _FORMS if (found := form.search(line))), "")


def stamps_of(texts: Sequence[str]) -> list[float]:
    """Return times in seconds; those without a zone count as UTC, for only differences matter.

    Whether 07/08/2026 is of July or August, the texts tell together: by a number above 12, else by
    the shorter span of the series.

    Args:
        texts: each holds a time that `start_in` found.
    """
    ways = []
    for is_day_first in (False, True):
        try:
            ways.append([_stamp(text, is_day_first) for text in texts])
        except ValueError:  # no such month
            continue
    return min(ways, key=lambda stamps: max(stamps) - min(stamps))


def times_of(texts: Sequence[str]) -> list[float]:
    """Return the times of a column in seconds, in the order of the scans; nothing if they are none.

    Times of a day go on behind midnight: one that lies far before the last is of the next day.
    """
    if all(start_in(text) for text in texts):
        return stamps_of([start_in(text) for text in texts])
    if not all(_OF_DAY.fullmatch(text.strip()) for text in texts):
        return []
    found = [_seconds_of_day(text.strip(), "") for text in texts]
    for n in range(1, len(found)):
        found[n] += _DAY * round((found[n - 1] - found[n]) / _DAY)
    return found


def _stamp(text: str, is_day_first: bool) -> float:
    """Return a time in seconds.

    Raises:
        ValueError: there is no such day.
    """
    match = next(filter(None, (form.search(text) for form in _FORMS)))
    told = {"zone": "", "half": "", **{k: v for k, v in match.groupdict().items() if v}}
    if "first" in told:
        told["day"], told["month"] = (
            (told["first"], told["second"]) if is_day_first else (told["second"], told["first"])
        )
    if "name" in told:
        told["month"] = str(1 + _MONTHS.lower().split("|").index(told["name"].lower()))
    day = datetime(int(told["year"]), int(told["month"]), int(told["day"]), tzinfo=UTC)
    stamp = day.timestamp() + _seconds_of_day(told["clock"], told["half"].strip().lower())
    if zone := re.fullmatch(r"([+-])(\d\d):?(\d\d)", told["zone"].strip()):
        away = 3600 * int(zone[2]) + 60 * int(zone[3])
        stamp -= away if zone[1] == "+" else -away
    return stamp


def _seconds_of_day(clock: str, half: str) -> float:
    hours, minutes, *seconds = clock.replace(",", ".").split(":")
    hour = int(hours) % 12 + (12 if half == "pm" else 0) if half else int(hours)
    return 3600.0 * hour + 60.0 * int(minutes) + (float(seconds[0]) if seconds else 0.0)
