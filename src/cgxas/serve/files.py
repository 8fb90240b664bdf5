"""What was sent, as a file that readers can open: for a moment, under a name of our own."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

LONGEST_NAME = 100
_PREFIX = "cgxas-serve-"
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Upload:
    """A file that somebody sent.

    Attributes:
        name: as the sender calls it; used in messages and to recognise a format, never as a path.
        data: its bytes.
    """

    name: str
    data: bytes

    @property
    def shown(self) -> str:
        """The name without folders and without what does not print, cut to a length."""
        last = PurePosixPath(PureWindowsPath(self.name).as_posix()).name
        text = "".join(c for c in last if c.isprintable())[:LONGEST_NAME].strip()
        return text or "unnamed"


def _place() -> Path:
    usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    return _MEMORY if usable else Path(tempfile.gettempdir())


@contextmanager
def lent_folder() -> Iterator[Path]:
    """Lend a private folder, in memory where the system has such a place; it is deleted at once."""
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=_place()) as folder:
        yield Path(folder)


def forget(process: int) -> None:
    """Delete what a process that was killed has left.

    Args:
        process: its number.
    """
    for folder in _place().glob(f"{_PREFIX}{process}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def laid_down(folder: Path, upload: Upload, own_name: str) -> Path:
    """Write a file into a folder lent by `lent_folder`.

    Args:
        folder: the folder.
        upload: what was sent.
        own_name: made by `crystal_name`, `spectrum_name` or `table_name`; no part of it comes
            from outside.

    Returns:
        Its path, which is unlike that of any other file, so that messages tell which they are of.
    """
    inner = folder / secrets.token_hex(8)
    inner.mkdir()
    path = inner / own_name
    path.write_bytes(upload.data)
    return path


def crystal_name(name: str) -> str:
    """Return a name of our own that tells readers of crystals the same as the given one does."""
    from fnmatch import fnmatch

    from cgxas.crystals.io.formats import FORMATS

    bare = Upload(name, b"").shown.lower()
    for packed in (".gz", ".bz2", ".xz"):
        bare = bare.removesuffix(packed)
    patterns = (pattern for each in FORMATS for pattern in each.names)
    fits = next((each for each in patterns if fnmatch(bare, each)), "*")
    return fits.replace("*", secrets.token_hex(6))


def spectrum_name(name: str) -> str:
    """Return a name of our own with the suffix of the given one, if readers know it."""
    from cgxas.spectra.io.formats import readable_suffixes

    suffix = PurePosixPath(Upload(name, b"").shown).suffix.lower()
    known = suffix if suffix in readable_suffixes() else ".dat"
    return f"{secrets.token_hex(6)}{known}"


def table_name() -> str:
    """Return a name of our own for a table of numbers."""
    return f"{secrets.token_hex(6)}.csv"


def renamed(text: str, names: dict[str, str]) -> str:
    """Return a message in which files carry the names of their senders.

    Args:
        text: the message.
        names: path, or name of our own -> the sender's name.
    """
    for path, name in names.items():
        text = text.replace(path, name)
    return text
