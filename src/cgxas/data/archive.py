"""Crystal files in a zip archive, unpacked one at a time, into memory and within bounds."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from cgxas.crystals.io.content import HEAD, Content, content_of, plain_name
from cgxas.crystals.io.formats import is_meant_as_crystal, looks_like_crystal
from cgxas.errors import UnreadableCrystal
from cgxas.limits import FILE_SIZE, MEMBERS
from cgxas.reading import refuse_unreadable

MAGIC = b"PK\x03\x04"
"""How an archive begins."""

_END, _END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 1 << 16
_ENTRY_SIZE = 46 + 256
"""Bytes of the list of contents that a file takes, its name included."""


def members(path: Path) -> Iterator[tuple[str, float, Content | UnreadableCrystal | None]]:
    """Yield the files of an archive in the order of their names; hidden ones are left out.

    Yields:
        The file's name in the archive; the share of the files up to it; and what it holds, or why
        that cannot be read, or None for what is no crystal file.

    Raises:
        UnreadableCrystal: it is no archive, damaged, or lists too many files.
    """
    refuse_unreadable(path, UnreadableCrystal)
    _refuse_long_list(path)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = {each.filename: each for each in archive.infolist() if not each.is_dir()}
            MEMBERS.refuse_beyond(len(infos), f"{path} holds", UnreadableCrystal)
            for number, name in enumerate(sorted(infos), start=1):
                if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")):
                    yield name, number / len(infos), _member(archive, infos[name], path / name)
    except (zipfile.BadZipFile, OSError, struct.error) as error:
        raise UnreadableCrystal(f"{path} is not a readable zip archive; copy it again") from error


def _refuse_long_list(path: Path) -> None:
    """Refuse a list of contents that would take many times its size, before it is read."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_SIZE - _LONGEST_COMMENT))
        end = file.read()
    at = end.rfind(_END)
    if at >= 0 and len(end) - at >= _END_SIZE:
        size = int.from_bytes(end[at + 12 : at + 16], "little")
        if size == 0xFFFFFFFF:  # the size stands elsewhere: more than 4 GB
            size = 1 << 32
        MEMBERS.refuse_beyond(size // _ENTRY_SIZE, f"{path} lists about", UnreadableCrystal)


def _member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path
) -> Content | UnreadableCrystal | None:
    if stat.S_ISLNK(info.external_attr >> 16):
        return None
    is_meant = is_meant_as_crystal(plain_name(path.name))
    try:
        if info.flag_bits & 1:
            raise UnreadableCrystal(f"{path} is encrypted; unpack the archive first")
        with archive.open(info) as file:
            data = file.read(HEAD)
            if not (is_meant or looks_like_crystal(Content(path, plain_name(path.name), data))):
                return None
            FILE_SIZE.refuse_beyond(info.file_size, f"{path} unpacks to", UnreadableCrystal)
            data += file.read(FILE_SIZE.value)
        return content_of(path, data)
    except UnreadableCrystal as error:
        return error if is_meant else None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        return UnreadableCrystal(f"{path} is damaged in the archive; pack it again ({error})")
