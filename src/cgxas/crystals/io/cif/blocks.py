"""The text of a CIF -> its data blocks: loops of tags and values."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cgxas.errors import UnreadableCrystal
from cgxas.limits import ATOMS

_TOKEN = re.compile(
    r"""'(?P<single>[^']*(?:'(?=\S)[^']*)*)'(?=\s|$)
    |"(?P<double>[^"]*(?:"(?=\S)[^"]*)*)"(?=\s|$)
    |(?P<open>['"].*)
    |(?P<bare>\S+)""",
    re.VERBOSE,
)
_EMPTY_LINES = re.compile(r"\n[ \t\n]*\n")
_SPECIAL = re.compile(r"""['"#_]""")
_WANTED = re.compile(r"_(atom_site|cell|symmetry|space_group|chemical_formula|exptl_crystal)_")
_MOST_BLOCKS = 1_000
_MOST_LINES = 5_000_000
_MOST_TAGS = 10_000
_MOST_WORDS = 500_000
"""Besides lines of nothing but numbers, which are read faster."""
_NOTHING = frozenset({"?", ".", ""})


@dataclass(frozen=True)
class Loop:
    """Tags and the rows of their values; a single item is a loop of one row."""

    tags: tuple[str, ...]
    values: Sequence[str] = field(repr=False)


@dataclass(eq=False)
class Block:
    """A data block.

    Attributes:
        name: what follows `data_`.
        loops: by each of their tags, in lower case and with `_` for the `.` of newer dictionaries.
        repeated: tags that stand in the block twice, with different values.
    """

    name: str
    loops: dict[str, Loop] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)

    def add(self, loop: Loop) -> None:
        """Take a loop, unless the block has it already."""
        for tag in loop.tags:
            if tag not in self.loops:
                self.loops[tag] = loop
            elif self.loops[tag].values != loop.values:
                self.repeated.append(tag)

    def column(self, where: str, *tags: str) -> list[str] | None:
        """Return the values of the first of some tags that the block has.

        Args:
            where: file and block, for messages.
            tags: in lower case.

        Raises:
            UnreadableCrystal: values are missing, or left over.
        """
        tag = next((tag for tag in tags if tag in self.loops), None)
        if tag is None:
            return None
        loop = self.loops[tag]
        width = len(loop.tags)
        if len(loop.values) % width:
            raise UnreadableCrystal(
                f"{where}: the loop of {tag} has {width} columns and {len(loop.values)} values: "
                "a value is missing, or blanks stand in one without quotes"
            )
        return list(loop.values[loop.tags.index(tag) :: width])

    def first(self, *tags: str) -> str | None:
        """Return the first stated value of some tags, or None."""
        for tag in tags:
            loop = self.loops.get(tag)
            at = loop.tags.index(tag) if loop else 0
            if loop and at < len(loop.values) and loop.values[at].strip() not in _NOTHING:
                return " ".join(loop.values[at].split())
        return None


def blocks_of(text: str, name: str) -> list[Block]:
    """Return the data blocks of a CIF, with what concerns its crystal.

    Args:
        text: of the CIF, its lines ended by line feeds.
        name: of the file, for messages.

    Raises:
        UnreadableCrystal: it goes on for ever, or ends in the middle of a value.
    """
    text = _EMPTY_LINES.sub("\n", text)
    lines = text.count("\n")
    if lines > _MOST_LINES:
        raise UnreadableCrystal(
            f"{name} has {lines:,} lines, and no CIF has more than {_MOST_LINES:,}; give the "
            "crystal without its measured data"
        )
    reader = _Reader(name)
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        reader.take(text[start:end])
        start = end + 1
    return reader.finished()


class _Reader:
    """Takes lines; what is read of the present loop is kept until something else begins."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.blocks = [Block("")]
        self.tags: list[str] = []
        self.values: list[str] = []
        self.is_loop = False
        self.is_wanted = False
        self.in_frame = False
        self.text: list[str] | None = None
        self.text_start = ""
        self.count = 0

    def take(self, line: str) -> None:
        if self.text is not None:
            if not line.startswith(";"):
                if self.is_wanted:
                    self.text.append(line)
                return
            self.value("\n".join(self.text))
            self.text, line = None, line[1:]
        elif line.startswith(";"):
            self.text, self.text_start = [line[1:]], line[:40]
            return
        if _SPECIAL.search(line) is None:  # nothing but values, as in tables of reflections
            if self.is_wanted:
                for word in line.split():
                    self.value(word)
            elif line and not line.isspace():
                self.value("")
            return
        for word, is_quoted in _words(line):
            self.word(word, is_quoted)
            self.count += 1
            if self.count > _MOST_WORDS:
                raise UnreadableCrystal(
                    f"{self.name} holds more than {_MOST_WORDS:,} tags, names and texts, and no "
                    "CIF of one crystal does; give the crystal alone"
                )

    def word(self, word: str, is_quoted: bool) -> None:
        lower = word[:8].lower()
        if is_quoted:
            self.value(word)
        elif word[0] == "_":
            self.tag(word.lower().replace(".", "_"))
        elif lower.startswith("loop_") and len(word) == 5:
            self.end_of_loop()
            self.is_loop = True
        elif lower.startswith("data_"):
            self.end_of_loop()
            self.in_frame = False
            self.blocks.append(Block(word[5:80]))
            if len(self.blocks) > _MOST_BLOCKS:
                raise UnreadableCrystal(
                    f"{self.name} holds more than {_MOST_BLOCKS:,} data blocks; give one crystal"
                )
        elif lower.startswith("save_"):
            self.end_of_loop()
            self.in_frame = len(word) > 5
        elif lower in {"global_", "stop_"}:
            self.end_of_loop()
        else:
            self.value(word)

    def tag(self, tag: str) -> None:
        if self.values:
            self.end_of_loop()
        self.tags.append(tag)
        if len(self.tags) > _MOST_TAGS:
            raise UnreadableCrystal(
                f"{self.name} names more than {_MOST_TAGS:,} tags in a row, without values"
            )
        wanted = _WANTED.match(tag) is not None and not self.in_frame
        self.is_wanted = wanted or (self.is_wanted and len(self.tags) > 1)

    def value(self, word: str) -> None:
        if not self.is_wanted:
            self.values = [""]
        elif self.is_loop or len(self.tags) > 1 or not self.values:
            self.values.append(word)
            most = ATOMS.value * len(self.tags)
            if len(self.values) > most:
                ATOMS.refuse_beyond(
                    -(-len(self.values) // len(self.tags)),
                    f"{self.name} lists at least",
                    UnreadableCrystal,
                )

    def end_of_loop(self) -> None:
        """Keep what was read since the last loop or item began."""
        tags, values = self.tags, self.values
        if self.is_wanted and values:
            if not self.is_loop and len(values) % len(tags):
                tags = tags[-1:]  # those before it were left without a value
            self.blocks[-1].add(Loop(tuple(tags), values))
            if len(self.blocks[-1].loops) > _MOST_TAGS:
                raise UnreadableCrystal(
                    f"{self.name} has more than {_MOST_TAGS:,} tags in one block; give the crystal "
                    "alone"
                )
        self.tags, self.values = [], []
        self.is_loop = self.is_wanted = False

    def finished(self) -> list[Block]:
        if self.text is not None:
            raise UnreadableCrystal(
                f"{self.name} ends within the text that begins with {self.text_start!r}; end it "
                "with a line of ';'"
            )
        self.end_of_loop()
        return [block for block in self.blocks if block.loops]


def _words(line: str) -> Iterator[tuple[str, bool]]:
    """Yield the words of a line up to its comment, and whether each stands in quotes."""
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        if line[at] == "#":
            return
        match = _TOKEN.match(line, at)
        if match is None:  # pragma: no cover  (whatever is no blank is a word)
            return
        at = match.end()
        kind = match.lastgroup or ""
        word = match[kind]
        yield (word[1:] if kind == "open" else word), kind != "bare"
