import bz2
import gzip
import lzma
import os
import socket
import stat
from pathlib import Path

import pytest

from cgxas.errors import UnreadableSpectrum
from cgxas.reading import read_bounded, refuse_unreadable, unpack_bounded

ERROR = UnreadableSpectrum
PACKERS = (gzip.compress, bz2.compress, lzma.compress)


def test_a_file_is_read_whole_also_through_a_link(tmp_path):
    (tmp_path / "a").write_bytes(b"1 2\n")
    (tmp_path / "link").symlink_to("a")
    assert read_bounded(tmp_path / "a", ERROR) == read_bounded(tmp_path / "link", ERROR) == b"1 2\n"


def odd(folder):
    """Return what is no file to read, and why."""
    (folder / "empty").touch()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "to_pipe").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "socket"))
    return {
        folder / "nothing": "no such file",
        folder: "is a folder",
        folder / "empty": "is empty",
        folder / "pipe": "pipe or a device",
        folder / "to_pipe": "pipe or a device",
        folder / "socket": "pipe or a device",
        "/dev/zero": "pipe or a device",
        "/proc/self/environ": "is empty",
        folder / "loop": "symbolic links",
        folder / ("n" * 5000): "too long",
        folder / "empty" / "below": "Not a directory",
        "null\0": "null",
    }


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    refused = odd(tmp_path)
    monkeypatch.setattr(os, "open", None)
    for path, why in refused.items():
        with pytest.raises(ERROR, match=why):
            refuse_unreadable(path, ERROR)
        with pytest.raises(ERROR, match=why):
            read_bounded(path, ERROR)


def test_what_becomes_a_pipe_or_goes_away_is_refused(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"1")
    regular = (tmp_path / "file").stat()
    monkeypatch.setattr(Path, "stat", lambda path: regular)
    with pytest.raises(ERROR, match="pipe or a device"):
        read_bounded(tmp_path / "pipe", ERROR)
    with pytest.raises(ERROR, match="cannot be read: No such file"):
        read_bounded(tmp_path / "gone", ERROR)


def test_a_file_too_large_is_not_opened(tmp_path, monkeypatch):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(10**12)
    monkeypatch.setattr(os, "open", None)
    with pytest.raises(ERROR, match=r"large holds 1,000,000,000,000 bytes.*CGXAS_MAX_FILE_BYTES"):
        read_bounded(tmp_path / "large", ERROR)


def test_a_file_that_grows_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"1" * 100)
    small = os.stat_result((stat.S_IFREG, *[1] * 9))
    monkeypatch.setenv("CGXAS_MAX_FILE_BYTES", "50")
    monkeypatch.setattr(Path, "stat", lambda path: small)
    with pytest.raises(ERROR, match="51 bytes"):
        read_bounded(tmp_path / "a", ERROR)


@pytest.mark.parametrize("pack", PACKERS)
def test_packed_bytes_are_unpacked(pack):
    text = os.urandom(3_000_000) + b"0" * 5_000_000
    assert unpack_bounded(pack(text), "a", ERROR) == text
    assert unpack_bounded(pack(text) + pack(b"more") + b"\0\0", "a", ERROR) == text + b"more"
    assert unpack_bounded(text[:10], "a", ERROR) == text[:10]


@pytest.mark.parametrize("pack", PACKERS)
def test_packed_bytes_that_are_damaged_or_cut_are_refused(pack):
    packed = pack(os.urandom(10_000))
    for bad in (packed[:1000], packed[:-3], packed[:500] + b"\0\1\2\3" * 25 + packed[600:]):
        with pytest.raises(ERROR, match=r"a is packed, and (damaged|cut short)"):
            unpack_bounded(bad, "a", ERROR)


@pytest.mark.parametrize("pack", PACKERS)
def test_a_bomb_is_refused_when_it_is_beyond_the_limit(pack, monkeypatch):
    monkeypatch.setenv("CGXAS_MAX_FILE_BYTES", "2000000")
    with pytest.raises(ERROR, match=r"a unpacks to at least [23],.* more than the 2,000,000"):
        unpack_bounded(pack(bytes(100_000_000)), "a", ERROR)


def test_very_many_pieces_are_refused_at_once():
    with pytest.raises(ERROR, match="pieces"):
        unpack_bounded(gzip.compress(b"1") * 1_000_000, "a", ERROR)
