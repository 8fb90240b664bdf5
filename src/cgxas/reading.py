"""Bytes of a file that somebody else made: of regular files only, and never more than allowed."""

import bz2
import lzma
import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cgxas.errors import CgxasError
from cgxas.limits import FILE_SIZE

_BLOCK = 1 << 20
_FEED = 1 << 14
_MOST_MEMBERS = 10_000
_UNPACKERS: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=zlib.MAX_WBITS | 16),
    b"BZh": bz2.BZ2Decompressor,
    # The bound is on what the format asks for before it gives the first byte.
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << 27),
}


def refuse_unreadable(path: str | os.PathLike[str], error: type[CgxasError]) -> int:
    """Refuse what is no regular file with something in it, without opening it.

    A pipe or a device may never end, or do something when it is opened.

    Args:
        path: the file; links are followed.
        error: the class to raise.

    Returns:
        Size in bytes.
    """
    try:
        found = Path(path).stat()
    except FileNotFoundError as missing:
        raise error(f"{path}: no such file") from missing
    except (OSError, ValueError) as problem:  # ValueError: a null character in the name
        raise error(f"{path} cannot be read: {_reason(problem)}") from problem
    return _size(found, path, error)


def read_bounded(path: str | os.PathLike[str], error: type[CgxasError]) -> bytes:
    """Read a whole file of at most `limits.FILE_SIZE`; links are followed.

    Args:
        path: the file.
        error: the class to raise where it is absent, a folder, a pipe, a device, empty, larger
            than allowed, or cannot be read.
    """
    size = refuse_unreadable(path, error)
    FILE_SIZE.refuse_beyond(size, f"{path} holds", error)
    data = read_head(path, FILE_SIZE.value + 1, error)  # it may grow while it is read
    FILE_SIZE.refuse_beyond(len(data), f"{path} holds", error)
    return data


def read_head(path: str | os.PathLike[str], most: int, error: type[CgxasError]) -> bytes:
    """Read the first bytes of a file, at most as many as given; errors as of `read_bounded`."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            _size(os.fstat(file.fileno()), path, error)  # it may be another one by now
            return file.read(most)
    except CgxasError:
        raise
    except (OSError, ValueError) as problem:
        raise error(f"{path} cannot be read: {_reason(problem)}") from problem


def unpack_bounded(data: bytes, name: str, error: type[CgxasError]) -> bytes:
    """Unpack what gzip, bzip2 or xz packed, to at most `limits.FILE_SIZE`.

    Args:
        data: of the file; returned as it is if it is not packed.
        name: of the file, for messages.
        error: the class to raise where it unpacks to more than allowed, or is damaged.
    """
    unpacked = bytearray()
    at = 0
    for _ in range(_MOST_MEMBERS):
        magic = next((each for each in _UNPACKERS if data.startswith(each, at)), None)
        if magic is None:  # the end, or padding behind the last member
            return bytes(unpacked) if at else data
        member = _UNPACKERS[magic]()
        feed = b""
        while not member.eof:
            if not feed:
                feed = data[at : at + _FEED]
                at += len(feed)
            block, feed = _unpack_block(member, feed, name, error)
            unpacked += block
            FILE_SIZE.refuse_beyond(len(unpacked), f"{name} unpacks to at least", error)
        at -= len(member.unused_data)
    raise error(f"{name} is packed in more than {_MOST_MEMBERS} pieces; pack it again in one")


def _unpack_block(
    member: Any, feed: bytes, name: str, error: type[CgxasError]
) -> tuple[bytes, bytes]:
    """Return the next block of at most `_BLOCK` bytes, and what of the feed is not used yet."""
    try:
        block = member.decompress(feed, _BLOCK)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as problem:
        raise error(f"{name} is packed, and damaged; copy it again") from problem
    if not (block or feed or member.eof):
        raise error(f"{name} is packed, and cut short; copy it again")
    return block, getattr(member, "unconsumed_tail", b"")  # zlib gives back what it did not use


def _size(found: os.stat_result, path: str | os.PathLike[str], error: type[CgxasError]) -> int:
    if stat.S_ISDIR(found.st_mode):
        raise error(f"{path} is a folder; name a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise error(f"{path} is not a regular file, but a pipe or a device; copy it to a file")
    if found.st_size == 0:  # so are the files of /proc, whatever they give
        raise error(f"{path} is empty; copy it again")
    return found.st_size


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for the other end, should it have become a pipe meanwhile."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem)
