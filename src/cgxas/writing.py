"""Files appear whole or not at all: written under a temporary name, then moved into place."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cgxas.errors import CgxasError, OutputError


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Lend a temporary path that becomes ``path`` when the block ends without an error.

    The temporary file lies in the same folder, because only then is the final move one step,
    and has the same suffix, because many writers choose the format by it. If the block fails,
    the temporary file is removed and an older file at ``path`` stays as it was.

    Args:
        path: The file to be written; a link is followed.

    Yields:
        The path to write to; the block must create a file there.

    Raises:
        OutputError: ``path`` is a folder or a device, or the operating system refuses to write.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OutputError(f"{path} is not a regular file: choose the name of a file.")
    temporary = target.with_name(f".cgxas-{secrets.token_hex(6)}{target.suffix}")
    try:
        with _refused_by_name(path):
            yield temporary
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Lend a temporary folder that becomes ``path`` when the block ends without an error.

    Folders above it are made. If the block fails, nothing of it is left.

    Args:
        path: The folder to be written; it must not exist yet, or be empty.

    Yields:
        The empty folder to write into.

    Raises:
        OutputError: ``path`` holds files already, or the operating system refuses to write.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise OutputError(f"{path} exists already: choose a new folder.")
    temporary = target.with_name(f".cgxas-{secrets.token_hex(6)}")
    try:
        with _refused_by_name(path):
            temporary.mkdir(parents=True)
            yield temporary
            temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _refused_by_name(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say what the operating system refuses to write, and why."""
    try:
        yield
    except CgxasError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written: {reason}.") from error
