"""A crystal file, read once: checked, unpacked and decoded within bounds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from cgxas import limits
from cgxas.errors import UnreadableCrystal
from cgxas.reading import read_bounded, unpack_bounded

HEAD = 65_536
"""Characters at the start of a file that tell what it is."""

_FIRST = 12

LONGEST_LINE = 100_000
"""Characters of a line that a reader works on; no line of a crystal file is as long."""

_ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\x1f\x9d": "compressed by compress",
    b"\x80\x02": "a Python pickle, which could run code",
    b"\x80\x03": "a Python pickle, which could run code",
    b"\x80\x04": "a Python pickle, which could run code",
    b"\x80\x05": "a Python pickle, which could run code",
}
_TAR = (257, b"ustar")
_PACKED_SUFFIXES = (".gz", ".bz2", ".xz")


@dataclass(frozen=True)
class Content:
    """What a crystal file holds.

    Attributes:
        path: of the file, as it was named.
        name: lower-case file name without the suffix of a compression.
        data: its bytes, unpacked.
    """

    path: Path
    name: str
    data: bytes = field(repr=False)

    @property
    def is_binary(self) -> bool:
        """Whether it is no text in any encoding."""
        return b"\0" in self.data[:HEAD] and _encoding(self.data) in ("utf-8", "latin-1")

    @cached_property
    def text(self) -> str:
        """The text, with lines that end with a line feed; empty for what is no text."""
        if self.is_binary:
            return ""
        text = self.data.decode(_encoding(self.data), errors="replace")
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    @cached_property
    def head(self) -> str:
        """The first characters of the text."""
        return self.text[:HEAD]

    @cached_property
    def first(self) -> tuple[str, ...]:
        """The first twelve lines, cut where longer than honest ones; empty where missing."""
        lines = [line[:LONGEST_LINE] for line in islice(self.lines(), _FIRST)]
        return tuple(lines + [""] * (_FIRST - len(lines)))

    def lines(self, start: int = 0) -> Iterator[str]:
        """Yield the lines from a character on, without their ends, one at a time.

        A list of the lines of a hostile file would take many times its size.
        """
        text = self.text
        while start < len(text):
            end = text.find("\n", start)
            if end < 0:
                end = len(text)
            yield text[start:end]
            start = end + 1

    def refuse_long_lines(self) -> None:
        """Refuse lines that would keep the readers of libraries busy.

        Raises:
            UnreadableCrystal: there is one.
        """
        longest = max(map(len, self.lines()), default=0)
        if longest > LONGEST_LINE:
            raise UnreadableCrystal(
                f"{self.path} has a line of {longest:,} characters: it is no crystal file"
            )

    def refuse_many_lines(self, for_each_atom: int) -> None:
        """Refuse a file that is longer than the atoms that are taken could make it.

        Args:
            for_each_atom: lines that a file of the kind may have for each atom.

        Raises:
            UnreadableCrystal: it is longer.
        """
        lines = self.text.count("\n")
        if lines > for_each_atom * limits.ATOMS.value:
            raise UnreadableCrystal(
                f"{self.path} has {lines:,} lines, more than {limits.ATOMS.value:,} atoms need; "
                f"set {limits.ATOMS.variable} to take more"
            )
        self.refuse_long_lines()


def read_content(path: Path) -> Content:
    """Read a file within its bounds.

    Raises:
        UnreadableCrystal: there is no such file, it is none, empty, too large, or an archive.
    """
    return content_of(path, read_bounded(path, UnreadableCrystal))


def content_of(path: Path, packed: bytes) -> Content:
    """Return the content of a file whose bytes are here already.

    Args:
        path: what the file is called in messages; its name may tell the format.
        packed: all of its bytes, which gzip, bzip2 or xz may have packed.

    Raises:
        UnreadableCrystal: it is empty, too large, damaged, or an archive.
    """
    refuse_archive(path, packed)
    data = unpack_bounded(packed, str(path), UnreadableCrystal)
    refuse_archive(path, data)
    if not data or data.isspace():
        raise UnreadableCrystal(f"{path} is empty; copy it again")
    return Content(path, plain_name(path.name), data)


def plain_name(name: str) -> str:
    """Return the name of a file in small letters, without the suffix of a compression."""
    plain = name.lower()
    for suffix in _PACKED_SUFFIXES:
        plain = plain.removesuffix(suffix)
    return plain


def refuse_archive(path: Path, data: bytes) -> None:
    """Refuse what holds other files, or code.

    Raises:
        UnreadableCrystal: it does.
    """
    what = next((what for magic, what in _ARCHIVES.items() if data.startswith(magic)), "")
    if data[_TAR[0] :].startswith(_TAR[1]) or data[_TAR[0] : _TAR[0] + 5] == _TAR[1]:
        what = "a tar archive"
    if what:
        raise UnreadableCrystal(
            f"{path} is {what}: give the crystal file itself, such as a CIF or POSCAR"
        )


_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def _encoding(data: bytes) -> str:
    """Return the encoding that a mark at the start or the pattern of null bytes tells."""
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if marked:
        return marked
    low, high = data[:200:2], data[1:200:2]
    if 0 not in low and high.count(0) > 0.8 * len(high) > 0:
        return "utf-16-le"
    if 0 not in high and low.count(0) > 0.8 * len(low):
        return "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"
