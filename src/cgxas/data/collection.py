"""Many crystals by few names: files, folders, patterns, archives, data sets, trajectories, objects.

They are handed on one after the other, in an order that depends on the names alone, and mostly
unread: whoever takes one reads it where and when it is wanted.
"""

import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from os import PathLike
from pathlib import Path, PurePosixPath

from cgxas.arguments import as_list
from cgxas.crystals.io.content import HEAD, Content, plain_name
from cgxas.crystals.io.database import MAGIC as DATABASE
from cgxas.crystals.io.database import database_rows
from cgxas.crystals.io.formats import frames_in, is_meant_as_crystal, looks_like_crystal
from cgxas.crystals.io.frames import TRAJECTORY
from cgxas.crystals.io.objects import is_crystal_object
from cgxas.crystals.io.read import CrystalLike
from cgxas.data.archive import MAGIC as ARCHIVE
from cgxas.data.archive import members
from cgxas.data.schema import MaterialRow
from cgxas.elements import SYMBOLS
from cgxas.errors import CgxasError, CrystalError, UnreadableCrystal
from cgxas.reading import read_head, refuse_unreadable

OUTSIDE = "links out of the folder"
"""What links are counted as that lead out of the folder they are in."""

LINKED = "links to folders"
"""What links to folders are counted as, which are not followed."""

_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, eq=False)
class NamedCrystal:
    """One crystal of a collection.

    Attributes:
        id: name that no other crystal of the collection has, and that it has in every run: where
            it lies in the only source, "oxides/NiO.cif", "mp-2657", "md.xyz:12"; with several
            sources the source stands before it. The n-th source, an object, is "crystal n".
        name: what to call it in messages and figures: the path of its file, with the source.
        done: share of the collection, up to 1, that is gone through with it.
        crystal: what a `Predictor` reads it from, or why it cannot be read.
    """

    id: str
    name: str
    done: float
    crystal: CrystalLike | CgxasError


class Collection:
    """The crystals of some sources, as often as they are asked for.

    Attributes:
        sources: what the user named.
        passed_over: kind (".png", "no suffix", `OUTSIDE`) -> how many files of folders and
            archives were no crystals, as far as the last going through them went.
    """

    def __init__(
        self, sources: "CrystalLike | Sequence[CrystalLike]", frames: bool = False
    ) -> None:
        """Name a collection; nothing of it is read yet.

        Args:
            sources: files; folders, with all in them that is a crystal; folders of data sets,
                with a materials.parquet; zip archives; databases of ASE; trajectories; patterns
                such as "*.cif" or "runs/**/CONTCAR"; pymatgen Structures and Molecules, ASE Atoms.
            frames: take every frame of a trajectory, and not the last one alone.

        Raises:
            UnreadableCrystal: none of the sources is there, or one is the symbol of an element.
        """
        is_single = isinstance(sources, str | PathLike) or is_crystal_object(sources)
        what = "sources are files and folders of crystals, or crystals"
        given = as_list([sources] if is_single else sources, object, what, UnreadableCrystal, 1)
        held = {f"crystal {n}": s for n, s in enumerate(given, 1) if is_crystal_object(s)}
        named = [s for s in given if not is_crystal_object(s)]
        files = [str(s) for s in as_list(named, str | PathLike, what, UnreadableCrystal)]
        self.sources = (*files, *held)
        self.frames = frames
        self.passed_over: Counter[str] = Counter()
        paths = dict.fromkeys(p for each in files for p in _matches(each))
        _refuse_missing(files, list(paths))
        self._held, self._paths = held, tuple(paths)

    def __iter__(self) -> Iterator[NamedCrystal]:
        """Yield the crystals.

        Raises:
            CrystalError: there are none.
            DatasetError: a data set is damaged, or has two crystals of one name.
        """
        self.passed_over.clear()
        for n, (name, crystal) in enumerate(self._held.items(), start=1):
            yield NamedCrystal(name, name, n / len(self.sources), crystal)
        seen: set[str] | None = set() if len(self._paths) > 1 else None
        is_empty = True
        for number, path in enumerate(self._paths):
            for each in self._in_source(path):
                is_empty = False
                if seen is None:
                    yield each
                elif each.id not in seen:  # a file, and the folder it is in
                    seen.add(each.id)
                    done = (number + each.done) / len(self._paths)
                    yield NamedCrystal(each.id, each.name, done, each.crystal)
        if is_empty and not self._held:
            raise CrystalError(f"{', '.join(self.sources[:3])}: no crystal in it{self._others()}")

    @property
    def title(self) -> str:
        """What the whole is called: its only source, or the first of several and how many more."""
        more = len(self.sources) - 1
        return self.sources[0] + (f" and {more} more" if more else "")

    def told(self) -> str:
        """Return what was passed over in a few words, "3 .png, 1 no suffix"; empty for nothing."""
        return ", ".join(f"{n} {kind}" for kind, n in self.passed_over.most_common())

    def _others(self) -> str:
        return f"; it holds {self.told()}" if self.passed_over else ""

    def _in_source(self, path: Path) -> Iterator[NamedCrystal]:
        is_only = len(self._paths) == 1
        if path.name == MaterialRow.FILE and path.is_file():
            path = path.parent
        if (path / MaterialRow.FILE).is_file():
            yield from _of_dataset(path, is_only)
        elif path.is_dir():
            yield from self._in_folder(path, is_only)
        else:
            is_archive = path.is_file() and zipfile.is_zipfile(path)
            yield from self._in_file(path, "" if is_only and is_archive else path.as_posix())

    def _in_folder(self, folder: Path, is_only: bool) -> Iterator[NamedCrystal]:
        total = sum(1 for _ in _files(folder))
        for number, path in enumerate(_files(folder)):
            if kind := _not_wanted(path, folder):
                self.passed_over[kind] += 1
                continue
            name = path.relative_to(folder).as_posix() if is_only else path.as_posix()
            for each in self._in_file(path, name):
                done = (number + each.done) / max(total, number + 1)
                yield NamedCrystal(each.id, each.name, done, each.crystal)

    def _in_file(self, path: Path, name: str) -> Iterator[NamedCrystal]:
        """Yield what is in one file; where it breaks off, the error is the last of it.

        Args:
            path: the file.
            name: what the ids of its crystals begin with; empty: with what it calls them.
        """
        done = 0.0
        try:
            for inner, done, crystal in self._opened(path):
                own = name + inner if name else inner.removeprefix("/")
                yield NamedCrystal(own, f"{path}{inner}", done, crystal)
        except CgxasError as error:
            rest = f"{name or path}:rest" if done else name or str(path)
            yield NamedCrystal(rest, str(path), 1.0, error)

    def _opened(self, path: Path) -> Iterator[tuple[str, float, CrystalLike | CgxasError]]:
        """Yield the ends of names, shares and crystals of a file."""
        refuse_unreadable(path, UnreadableCrystal)
        head = read_head(path, HEAD, UnreadableCrystal)
        if head.startswith(ARCHIVE):
            for inner, done, content in members(path):
                if content is None:
                    self.passed_over[kind_of(inner)] += 1
                else:
                    yield f"/{inner}", done, content
        elif head.startswith(DATABASE):
            for number, done, row in database_rows(path):
                yield f":{number}", done, row
        elif self.frames and (frames := frames_in(path, head)) is not None:
            for number, (done, frame) in enumerate(frames):
                yield f":{number}", done, frame
        else:
            yield "", 1.0, path


def kind_of(name: str) -> str:
    """Return the kind of a file by its name, for counting: its suffix in small letters."""
    return PurePosixPath(name).suffix.lower() or "no suffix"


def _refuse_missing(sources: Sequence[str], paths: Sequence[Path]) -> None:
    """Refuse names of which there is none, and symbols of elements in their place."""
    if sources and not any(path.exists() for path in paths):
        missing = ", ".join(sources[:3]) + (", ..." if len(sources) > 3 else "")
        raise UnreadableCrystal(f"{missing}: no such file or folder; check the name")
    for each in sources:
        if each in SYMBOLS and not Path(each).exists():  # -a Fe O, where -a Fe -a O is meant
            raise UnreadableCrystal(
                f"{each} is no file, but an element: say --absorber before each absorber"
            )


def _matches(source: str) -> list[Path]:
    """Return the paths that a source stands for: itself, or what fits a pattern, in order."""
    path = Path(source)
    if path.exists() or not _PATTERN.search(source):
        return [path]
    return [Path(each) for each in sorted(glob(source, recursive=True))]  # noqa: PTH207  (it may begin anywhere)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and those below it by name, and links to folders.

    Hidden ones are left out.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        links = [each for each in folders if Path(place, each).is_symlink()]
        for name in sorted([*names, *links]):
            if not name.startswith("."):
                yield Path(place, name)


def _not_wanted(path: Path, folder: Path) -> str:
    """Return as what a file of a folder that is no crystal is counted; empty for a crystal."""
    if path.is_symlink():
        if path.is_dir():
            return LINKED
        if not path.resolve().is_relative_to(folder.resolve()):
            return OUTSIDE
    return "" if _is_crystal(path) else kind_of(path.name)


def _is_crystal(path: Path) -> bool:
    """Tell whether a file of a folder is a crystal or holds some, be it a damaged one."""
    if is_meant_as_crystal(plain_name(path.name)):
        return True
    try:
        refuse_unreadable(path, UnreadableCrystal)
        head = read_head(path, HEAD, UnreadableCrystal)
    except UnreadableCrystal:
        return False
    if head.startswith((ARCHIVE, DATABASE, *TRAJECTORY)):
        return True
    return looks_like_crystal(Content(path, plain_name(path.name), head))


def _of_dataset(folder: Path, is_only: bool) -> Iterator[NamedCrystal]:
    from ase import Atoms

    from cgxas.data.folder import dataset_name, material_of
    from cgxas.data.tables import Incomplete, count_materials, read_rows

    def crystal_of(row: MaterialRow | Incomplete) -> Atoms | CgxasError:
        if isinstance(row, Incomplete):
            return UnreadableCrystal(f"{row.name} has no {row.column} in {folder}")
        try:
            cell = material_of(row, folder).cell
        except CgxasError as error:
            return error
        return Atoms(numbers=cell.numbers, cell=cell.lattice, scaled_positions=cell.frac, pbc=True)

    total, name = count_materials(folder), dataset_name(folder)
    for number, row in enumerate(read_rows(folder, MaterialRow), start=1):
        own = row.name if isinstance(row, Incomplete) else row.material_id
        given = own if is_only else f"{folder}/{own}"
        yield NamedCrystal(given, f"{name}/{own}", number / total, crystal_of(row))
