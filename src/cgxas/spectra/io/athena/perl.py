"""Lists of numbers and quoted texts as Perl writes them, and nothing else.

What stands in a file is never evaluated: an operator, a name, a call or a range ends the reading.
Every pattern is possessive, so that each character is looked at once.
"""

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"""
    (?: \s++ | \#[^\n]*+ )*+
    (?: (?P<text> ' [^'\\]*+ (?: \\. [^'\\]*+ )*+ '
                | " [^"\\]*+ (?: \\. [^"\\]*+ )*+ "
                | q\{ [^{}\\]*+ (?: \\. [^{}\\]*+ )*+ \} )
      | (?P<number> [-+]?+ (?: \d++ \.?+ \d*+ | \.\d++ ) (?: [eE] [-+]?+ \d++ )?+ ) (?![\w.])
      | (?P<undef> undef ) \b
      | (?P<comma> , | => )
      | (?P<open> [(\[{] )
      | (?P<close> [)\]}] )
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_END = re.compile(r"[ \t]*+;?+[ \t]*+(?:#[^\n]*+)?+\r?(?:\n|\Z)")
_LONGEST = 10_000
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_ESCAPED = re.compile(r"\\(?:x\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_BACKSLASHED = re.compile(r"\\([\\'{}])")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "e": "\x1b", "f": "\f", "a": "\a"}


class NoLiteral(ValueError):
    """What stands there is no number, no quoted text and no list of them."""

    def __init__(self, at: int) -> None:
        """Tell where in the text reading ended."""
        super().__init__(at)
        self.at = at


def one_literal(text: str, at: int) -> tuple[str, int]:
    """Read ``'text';`` or a number up to the end of its line.

    Args:
        text: of the file.
        at: where the literal begins.

    Returns:
        The literal as it stands (see `text_of`), and where the next line begins.

    Raises:
        NoLiteral: something else stands there.
    """
    found = _token(text, at)
    if found.lastgroup in ("comma", "open", "close"):
        raise NoLiteral(at)
    return found[found.lastgroup or 0], _line_end(text, found.end())


def literal_list(
    text: str, at: int, most: int, refuse: Callable[[int], None]
) -> tuple[list[str], int]:
    """Read ``('a', 1, [...]);`` up to the end of its line; what lies in a list within is left out.

    Args:
        text: of the file.
        at: where the list begins.
        most: numbers and texts, those of lists within included.
        refuse: called with their number as soon as there are more.

    Returns:
        The literals as they stand (see `text_of`), ``undef`` for a list within, and where the next
        line begins.

    Raises:
        NoLiteral: anything but numbers, quoted texts, and lists of them stands there.
    """
    found = _token(text, at)
    if found["open"] != "(":
        raise NoLiteral(at)
    values: list[str] = []
    closing = [")"]
    count = 0
    is_due = True  # a value may come, not only a comma
    while closing:
        found = _token(text, found.end())
        kind = found.lastgroup
        if kind == "comma":
            is_due = True
        elif kind == "close":
            if found["close"] != closing.pop():
                raise NoLiteral(found.start("close"))
            is_due = False
        elif not is_due:
            raise NoLiteral(found.start(kind or 0))
        else:
            count += 1
            if count > most:
                refuse(count)
            if len(closing) == 1:
                values.append("undef" if kind == "open" else found[kind or 0])
            is_due = kind == "open"
            if is_due:
                closing.append(_PAIRS[found["open"]])
    return values, _line_end(text, found.end())


def _token(text: str, at: int) -> re.Match[str]:
    found = _TOKEN.match(text, at)
    if found is None:
        raise NoLiteral(at)
    return found


def text_of(literal: str) -> str:
    """Return what a literal says, without its quotes; of a very long one the beginning."""
    if literal.startswith('"'):
        return _ESCAPED.sub(_unescaped, literal[1:-1][:_LONGEST])
    if literal.startswith(("'", "q{")):
        inside = literal[2 if literal.startswith("q{") else 1 : -1]
        return _BACKSLASHED.sub(r"\1", inside[:_LONGEST])
    return "" if literal == "undef" else literal


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code is None:
        return _LETTERS.get(found[3], found[3])
    number = int(code, 16)
    is_character = number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if is_character else "\N{REPLACEMENT CHARACTER}"


def _line_end(text: str, at: int) -> int:
    found = _END.match(text, at)
    if found is None:  # an operator, or another statement
        raise NoLiteral(at)
    return found.end()
