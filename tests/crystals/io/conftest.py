"""Crystal files written as text, and what is read of them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cgxas.crystals.io.read import read_crystal
from cgxas.elements import SYMBOLS

Counted = Callable[..., dict[str, int]]


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write a file, and return its path."""

    def write(content: str | bytes, name: str = "crystal") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def counted(write) -> Counted:
    """Read a file by its text, and count the atoms of each element in its cell."""

    def counted(content: str | bytes, name: str = "crystal") -> dict[str, int]:
        structure = read_crystal(write(content, name))
        return dict(Counter(SYMBOLS[number - 1] for number in structure.atomic_numbers))

    return counted
