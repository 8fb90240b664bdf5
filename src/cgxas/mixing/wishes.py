"""What is wanted of a mixture, checked before any work."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from cgxas.arguments import as_whole_number, one_of_kind
from cgxas.errors import SpectrumError
from cgxas.mixing.scans import How
from cgxas.mixing.series import FIRST, LAST
from cgxas.mixing.shifts import MAX_SHIFT

SHIFTS = ("none", "shared", "free")
"""How references may be shifted, besides a number of eV."""


@dataclass(frozen=True)
class Wishes:
    """What is wanted of a mixture.

    Attributes:
        how: how scans are read.
        axis: what the series is laid along.
        shift: none, shared, free, or a number of eV; None: shared where a reference is predicted,
            none otherwise.
        window: range of the fit, eV from the edge.
        most: how many references explain one scan at most; None: all may.
        components: how many components there are where no references are given; None: as many as
            the series carries.
        model: what predicts crystals.
    """

    how: How = How()  # noqa: RUF009  (it is frozen)
    axis: str = "order"
    shift: str | float | None = None
    window: tuple[float, float] = (FIRST, LAST)
    most: int | None = None
    components: int | None = None
    model: str = "calibrated"

    def __post_init__(self) -> None:
        for name, least in (("most", 1), ("components", 2)):
            if getattr(self, name) is not None:
                as_whole_number(getattr(self, name), least, name, SpectrumError)
        one_of_kind(self.axis, str, "the axis is order, time, a table or a column", SpectrumError)
        _check_window(self.window)
        if self.shift is None or self.shift in SHIFTS:
            return
        value = self.shift
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not isfinite(value) or abs(value) > MAX_SHIFT:  # type: ignore[arg-type]
            raise SpectrumError(
                f"the shift is none, shared, free, or a number of eV up to {MAX_SHIFT:g}, not "
                f"{value!r}"
            )


def _check_window(window: Any) -> None:
    is_pair = isinstance(window, Sequence) and not isinstance(window, str) and len(window) == 2
    numbers = [x for x in window if isinstance(x, int | float)] if is_pair else []
    if len(numbers) != 2 or not all(map(isfinite, numbers)) or not numbers[0] < numbers[1]:
        raise SpectrumError(f"the range is two numbers of eV from the edge, not {window!r}")
