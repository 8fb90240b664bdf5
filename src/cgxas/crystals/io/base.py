"""What a format of crystal files is: how it is recognised and read."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from pymatgen.core.structure import IMolecule, IStructure

from cgxas.crystals.io.content import Content
from cgxas.errors import CgxasWarning, CrystalError, ReadingWarning, UnreadableCrystal

if TYPE_CHECKING:
    from pathlib import Path

    from ase import Atoms

Frame = Union[Content, "Atoms", UnreadableCrystal]
"""One of several arrangements: what it is read from, or why it cannot be read."""

Found = Union[IStructure, IMolecule, "Atoms"]
"""What a reader returns: a crystal or a molecule, in the classes of pymatgen or ASE."""

_TELLING = ("guess", "assum", "default", "ignor", "dropp", "skipp", "cannot be determined")
"""Parts of warnings of libraries that tell of something invented or left out."""


@dataclass(frozen=True)
class CrystalFormat:
    """One kind of crystal file.

    Attributes:
        name: as it is shown.
        recognises: tells by what a file holds whether it is of this kind.
        read: content -> crystal or molecule. Raises CrystalError; whatever else a library raises
            is turned into one by `reading`.
        names: patterns of lower-case file names that such files have, for what is not recognised.
        frames: path -> the share of the file up to and with a frame, and the frame, for each in
            turn; None where a file holds one arrangement. Raises UnreadableCrystal where the file
            breaks off; the frames before were yielded.
    """

    name: str
    recognises: Callable[[Content], bool]
    read: Callable[[Content], Found]
    names: tuple[str, ...] = ()
    frames: "Callable[[Path], Iterator[tuple[float, Frame]]] | None" = None


@contextmanager
def reading(content: Content, name: str) -> Iterator[None]:
    """Turn what the libraries underneath raise and warn of into cgxas's own, naming the file.

    Args:
        content: the file.
        name: of its format.

    Raises:
        UnreadableCrystal: a library raised something.
    """
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            yield
        except CrystalError:
            raise
        except Exception as error:  # a damaged file fails anywhere in a parser, with any error
            raise UnreadableCrystal(
                f"{content.path} is not a readable {name}: {_reason(error)}"
            ) from error
    said = set()
    for each in heard:
        is_own = issubclass(each.category, CgxasWarning)
        text = str(each.message) if is_own else f"{content.path}: {one_line(each.message)}"
        if text not in said and (is_own or any(part in text.lower() for part in _TELLING)):
            warnings.warn(text, each.category if is_own else ReadingWarning, stacklevel=2)
        said.add(text)


def warn(content: Content, text: str) -> None:
    """Tell what was mended, guessed or left out in a file."""
    warnings.warn(f"{content.path}: {text}", ReadingWarning, stacklevel=3)


def last_of(content: Content, count: int, what: str) -> None:
    """Tell that the last of several frames was taken."""
    if count > 1:
        warn(content, f"the last of its {count:,} {what} was taken")


def _reason(error: Exception) -> str:
    """Return what a library's error tells a user, who knows nothing of its insides."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error.__cause__ or error, IndexError | StopIteration | EOFError):
        return "lines are missing, or words in a line"
    if not str(error):
        return "its lines are not those of such a file"
    missing = "missing or unknown: " if isinstance(error, KeyError) else ""
    return missing + one_line(error)


def one_line(error: object) -> str:
    """Return a message as one short line."""
    text = " ".join(str(error)[:2000].split())
    return text if len(text) <= 160 else text[:157] + "..."
