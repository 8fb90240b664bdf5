"""Names and units of columns, out of the lines above the numbers; none where they do not fit.

A label is only worth something if it stands for its own column. So labels are taken where they
are numbered, or where as many of them as columns are told apart without doubt, and where the one
that is called energy runs like energies. Otherwise there are no names, and a reason.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cgxas.spectra.io.table.axis import is_count, looks_like_energies
from cgxas.spectra.io.table.names import is_achieved, is_energy, is_known, is_wanted, plain
from cgxas.spectra.io.text.numbers import split_quoted
from cgxas.typing import FloatArray

_MARK = re.compile(r"(#[LC]\b|[#%;!*$]+)?")
_UNIT_WORDS = "k?eV|deg(?:rees?)?|°|rad|mrad"
_UNIT = re.compile(rf"[ \t]{{0,4}}[(\[][ \t]{{0,4}}({_UNIT_WORDS})[ \t]{{0,4}}[)\]]", re.IGNORECASE)
_OF_DETECTORS = re.compile(
    r"[ \t]{0,4}[(\[](?:s|sec|ms|[mun\u00b5p]?A|m?V|counts?|cts|cps|hz|a\.?u\.?"
    r"|arb\.?(?: ?units?)?)[)\]]$",
    re.IGNORECASE,
)
_SLASH = re.compile(r"(?<=\w) / (?=k?eV\b)")
_UNITS_ROW = re.compile(
    rf"[(\[]?(?:{_UNIT_WORDS}|s|sec|ms|mA|nA|A|V|counts?|cts|cps|a\.?u\.?|arb\.?(?:units?)?|units?|none|-|1|#)?[)\]]?",
    re.IGNORECASE,
)
# "# Column.1: energy eV || address" of XDI, "Col 1 ENERGY DOUBLE" of DESY's .fio
_NUMBERED = re.compile(
    r"[#\s]*Col(?:umn)?(?:\.|\s{1,9})(\d{1,5})\s{0,9}:?\s{1,9}([^\s|#]+)(?:\s{1,9}(?:units=)?([^\s|#]+))?",
    re.IGNORECASE,
)
_TYPES = ("DOUBLE", "FLOAT", "INTEGER")
_LEGEND = re.compile(r"(?<!\S)(\d{1,4})\)\s")
_PREFIXED = re.compile(r"(?<!\S)(\d{1,4})_(?=\S)")
_PER_LINE = re.compile(r"[#\s]*(\d{1,4})\s{0,9}[:=]\s{0,9}(\S.*)")
_LAST_LINES = 6
_A_LEGEND = 3  # names make one
_QUALIFIERS = ["mono", "monochromator", "photon", "beam", "incident", "xray", "x-ray"]


@dataclass(frozen=True)
class Labels:
    """What the columns are called.

    Attributes:
        names: (C,), or none.
        units: (C,), empty where none is stated, or none.
        doubt: why there are no names though there are labels, or empty.
    """

    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    doubt: str = ""


def labels(above: Sequence[str], data: FloatArray) -> Labels:
    """Return the names and units of columns.

    Args:
        above: the lines above the numbers, without the blanks at their ends.
        data: (C, P).
    """
    n = len(data)
    numbered = _numbered(above)
    if numbered and max(numbered) > n:
        return Labels(doubt=f"its labels are those of {max(numbered)} columns, and it has {n}")
    legend = _marked(above, _LEGEND)
    if len(legend) >= _A_LEGEND and sorted(legend) != list(range(1, n + 1)):
        return Labels(doubt=f"its legend of {len(legend)} names does not fit its {n} columns")
    line = _label_line(above, n, data)
    sources = [
        [name for name, _ in (numbered[at] for at in sorted(numbered))]
        if len(numbered) == n
        else [],
        *_listed(above, n),
        line or [],
    ]
    found = [names for names in sources if len(names) == n]
    if any(_contradict(first, other) for first in found for other in found):
        return Labels(doubt="its labels contradict each other")
    if not found and not numbered:
        return Labels(doubt=_doubt(above, n))
    names = list(found[0]) if found else [f"column{at}" for at in range(1, n + 1)]
    units = [_unit(name) for name in names]
    for at, (name, unit) in numbered.items():
        names[at - 1], units[at - 1] = name, unit or _unit(name)
    return _checked(Labels(tuple(map(_without_unit, names)), tuple(units)), data)


def _checked(found: Labels, data: FloatArray) -> Labels:
    """Return the labels if what is called energy runs like energies, or nothing else does."""
    called = [n for n, name in enumerate(found.names) if is_energy(name)]
    runs = [looks_like_energies(column) and not is_count(column) for column in data]
    if called and not any(runs[n] for n in called) and any(runs):
        name = found.names[called[0]]
        return Labels(
            doubt=f"its labels do not fit its columns, for what is called {name} "
            "does not run like energies"
        )
    return found


def _contradict(first: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two lists of labels give one name to different columns."""
    where = {plain(name): n for n, name in enumerate(other) if plain(name)}
    return any(
        where.get(plain(name), n) != n and plain(other[n]) != plain(name)
        for n, name in enumerate(first)
    )


def _doubt(above: Sequence[str], n: int) -> str:
    lines = [_MARK.sub("", line, count=1) for line in above[-_LAST_LINES:]]
    words = [re.split(r"[\s,;]+", line.strip()) for line in lines]
    is_labelled = any(len(each) > 1 and any(map(is_known, each)) for each in words)
    return f"its labels do not fit its {n} columns" if is_labelled else ""


def _numbered(above: Sequence[str]) -> Mapping[int, tuple[str, str]]:
    """Return number -> name and unit of columns, of XDI and .fio."""
    found = {}
    for each in filter(None, map(_NUMBERED.match, above)):
        found[int(each[1])] = (each[2], "" if each[3] in (None, *_TYPES) else each[3])
    return {} if 0 in found else found


def _listed(above: Sequence[str], n: int) -> Iterator[list[str]]:
    """Yield names that are numbered, or that stand one to a line below ``Data:`` (SSRL)."""
    for pattern in (_LEGEND, _PREFIXED):
        found = _marked(above, pattern)
        if sorted(found) == list(range(1, n + 1)):
            yield [found[at] for at in range(1, n + 1)]
    per_line = {int(each[1]): each[2] for each in map(_PER_LINE.match, above) if each}
    if sorted(per_line) == list(range(1, n + 1)):
        yield [per_line[at].strip() for at in range(1, n + 1)]
    starts = [at for at, line in enumerate(above) if line == "Data:"]
    if starts and len(above) - starts[-1] - 1 == n:
        yield list(above[starts[-1] + 1 :])


def _marked(above: Sequence[str], pattern: re.Pattern[str]) -> dict[int, str]:
    """Return number -> name, where numbers stand before names, several to a line."""
    found: dict[int, str] = {}
    for line in above:
        marks = list(pattern.finditer(line))
        ends = [mark.start() for mark in marks[1:]] + [len(line)] * bool(marks)
        for mark, end in zip(marks, ends, strict=True):
            name = line[mark.end() : end].strip().removesuffix("*").strip()
            found.setdefault(int(mark[1]), name)
    return found


def _label_line(above: Sequence[str], n: int, data: FloatArray) -> list[str] | None:
    """Return the labels of one line: the nearest one that names an energy, else the nearest."""
    spec = [line for line in above if line.startswith("#L")]
    lines = spec[-1:] or list(above[-_LAST_LINES:])[::-1]
    found: list[list[str]] = []
    units: list[str] = []
    for line in lines:
        if row := _units_of(line, n):
            units = row
            continue
        if words := _split(line, n) or _beside_an_index(line, data):
            pairs = zip(words, units or [""] * n, strict=True)
            found.append([f"{word} ({unit})" if unit else word for word, unit in pairs])
        units = []
    return next((words for words in found if any(map(is_energy, words))), next(iter(found), None))


def _units_of(line: str, n: int) -> list[str]:
    """Return the units of energies and angles in a row of units, (C,); nothing of another line."""
    text = _MARK.sub("", line, count=1).strip()
    words = [word.strip() for word in re.split(r"[,;\t]| {1,9}", text) if word.strip()]
    if len(words) > n or not all(map(_UNITS_ROW.fullmatch, words)):
        return []
    known = [word.strip("()[] ") for word in words]
    if not any(re.fullmatch("k?ev", word, re.IGNORECASE) for word in known):
        return []
    kept = [word if re.fullmatch(_UNIT_WORDS, word, re.IGNORECASE) else "" for word in known]
    return kept + [""] * (n - len(kept))


def _beside_an_index(line: str, data: FloatArray) -> list[str] | None:
    """Return the labels of all columns but the first, which only counts, as R writes them."""
    words = _split(line, len(data) - 1) if len(data) > 2 and is_count(data[0]) else None
    return ["", *words] if words and any(map(is_energy, words)) else None


def _split(line: str, n: int) -> list[str] | None:
    """Return the labels in a line, if there are n and it is clear where each one ends."""
    text = _MARK.sub("", line, count=1).strip().removesuffix("@#").strip()
    if not any(letter.isalpha() for letter in text):
        return None
    text = _SLASH.sub("/", text)
    for words in _clearly_split(text):
        if len(words) == n and any(words):
            return words
    joined = _UNIT.sub(lambda found: f"({found[1]})", text)  # "Energy (eV)" is one name
    words = joined.split()
    return words if len(words) == n and _are_single(words, joined) else None


def _clearly_split(text: str) -> Iterator[list[str]]:
    """Yield the labels between commas, semicolons, tabs, quotes, and two blanks or more."""
    for separator in ",;\t":
        if separator in text:
            row = split_quoted(text, separator)
            words = [word.strip().strip("\"'").strip() for word in row]
            yield words
            yield words[:-1] if words and not words[-1] else words
    if "\t" in text:
        yield [word.strip() for word in text.split("\t") if word.strip()]
    if '"' in text or "'" in text:
        quoted = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^\s\"']+)", text)
        yield [max(each, key=len) for each in quoted]
    yield re.split(r"[ \t]{2,}", text)


def _are_single(words: Sequence[str], text: str) -> bool:
    """Tell whether single blanks part names, and do not stand within them.

    Where some stand two blanks apart, the words of a part with single blanks must be names that
    are known; signs alone, and what begins with a bracket, belong to the word before.
    """
    if any(not any(c.isalnum() for c in word) or word[0] in "([" for word in words):
        return False
    if any(plain(word) == "energy" and _qualifies(words[n]) for n, word in enumerate(words[1:])):
        return False
    parts = [part.split() for part in re.split(r"[ \t]{2,}", text)]
    if len(parts) == 1:
        return True
    return all(is_known(_UNIT.sub("", word)) for part in parts if len(part) > 1 for word in part)


def _qualifies(word: str) -> bool:
    """Tell the first word of the name of an energy: Mono Energy, achieved energy."""
    return word.lower() in _QUALIFIERS or is_achieved(word) or is_wanted(word)


def _without_unit(name: str) -> str:
    """Return I0 of "I0 (cts)", and energy of "energy (eV)"."""
    return _OF_DETECTORS.sub("", _UNIT.sub("", name)).strip()


def _unit(name: str) -> str:
    found = _UNIT.search(name)
    return found[1] if found else ""
