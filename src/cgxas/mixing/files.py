"""What the user names -> the files of a series, each once, in the order people count in."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from glob import glob
from pathlib import Path

from cgxas.errors import UnreadableSpectrum

_NO_DATA = (
    *(".md", ".rst", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ods", ".log"),
    *(".png", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".gif"),
    *(".py", ".ipynb", ".toml", ".yaml", ".yml", ".ini", ".zip", ".gz"),
    *(".tmp", ".part", ".lock", ".bak"),
)
"""Suffixes of what lies beside scans in a folder and is none."""

_DIGITS = re.compile(r"(\d+)")
_WILD = re.compile(r"[*?\[]")


def natural(path: Path) -> list[tuple[int, int | str]]:
    """Return a key that sorts scan2 before scan10."""
    parts = _DIGITS.split(str(path).casefold())
    return [(0, int(part)) if n % 2 else (1, part) for n, part in enumerate(parts)]


def in_folder(folder: Path, leave_out: Iterable[Path] = ()) -> list[Path]:
    """Return the files of a folder that may be scans, in natural order.

    Hidden files, pictures, notes and archives are none, nor is what is being written there.

    Args:
        folder: it.
        leave_out: files that are none, such as the table that is written.
    """
    others = {path.resolve() for path in leave_out}
    found = (
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.name.startswith((".", "~"))
        and path.suffix.lower() not in _NO_DATA
        and path.resolve() not in others
    )
    return sorted(found, key=natural)


def expanded(
    words: Sequence[str], what: str, leave_out: Iterable[Path] = ()
) -> list[tuple[Path, str | None]]:
    """Return the files that words name, and the group where one is chosen, each once.

    Args:
        words: files, FILE:GROUP, folders, and patterns that the shell has left as they are.
        what: what they are, for a message: "scans".
        leave_out: files that are none.

    Raises:
        UnreadableSpectrum: a word names nothing.
    """
    found: dict[tuple[Path, str | None], None] = {}
    for word in words:
        path = Path(word)
        if path.is_dir():
            inside = in_folder(path, leave_out)
            if not inside:
                raise UnreadableSpectrum(f"the folder {word} holds no files of {what}")
            found |= dict.fromkeys((each, None) for each in inside)
        elif path.exists():
            found[path, None] = None
        elif matches := _matches(word):
            found |= dict.fromkeys((each, None) for each in matches if each.is_file())
        else:
            found[_with_group(word, what)] = None
    return list(found)


def _matches(word: str) -> list[Path]:
    """Return what fits a pattern, in natural order; nothing for a word that is none."""
    found = glob(word, recursive=True) if _WILD.search(word) else []  # noqa: PTH207  (as in a shell)
    return sorted(map(Path, found), key=natural)


def _with_group(word: str, what: str) -> tuple[Path, str]:
    """Return the parts of FILE:GROUP; the name of the file may hold colons itself."""
    parts = word.split(":")
    for n in range(len(parts) - 1, 0, -1):
        path = Path(":".join(parts[:n]))
        if path.is_file():
            return path, ":".join(parts[n:])
    raise UnreadableSpectrum(f"there are no {what} at {word}: name files, a folder or a pattern")


def unique_names(names: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a name for each: its last part, or as many parts as tell it from the others.

    Args:
        names: of each the parts of its name, from the outermost, empty ones left out.
    """
    shown = [parts[-1] for parts in names]
    for n in range(2, max(map(len, names), default=0) + 1):
        counts = Counter(shown)
        shown = [
            ":".join(parts[-n:]) if counts[name] > 1 else name
            for parts, name in zip(names, shown, strict=True)
        ]
    seen: dict[str, int] = {}
    for at, name in enumerate(shown):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            shown[at] = f"{name} ({seen[name]})"
    return shown
