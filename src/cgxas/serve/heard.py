"""What cgxas warns of while it answers."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cgxas.errors import CgxasWarning
from cgxas.serve.files import renamed


@contextmanager
def heard() -> Iterator[list[str]]:
    """Record what cgxas warns of, each time; other libraries are not listened to."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", CgxasWarning)
        yield told
        told.extend(str(each.message) for each in said)


def own(told: Sequence[str], names: dict[str, str]) -> list[str]:
    """Return warnings, each once, in which files carry the names of their senders.

    Args:
        told: as `heard` recorded them.
        names: as for `renamed`.
    """
    return list(dict.fromkeys(renamed(each, names) for each in told))
