"""Changed files of every kind: each is read or refused by a named error, within bounds.

A change of a good file is a few of: bits turned, pieces cut out, doubled or swapped, lines moved,
numbers and words replaced by what readers stumble over, another encoding. `tests/test_fuzz.py` does
the same with fewer.

    python benchmarks/fuzz.py --each 2000 --seed 1
"""

import argparse
import re
import resource
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fuzz_examples import EXAMPLES, Example, content_of
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as how
from hypothesis import strategies as st

from cgxas.errors import CgxasError

SECONDS = 5.0
MEMORY = 2**30
"""Most that a reading may take: seconds, and bytes beyond what the process holds already."""

NUMBERS = (
    *("0", "-1", "-0.0", "1e30", "-1e30", "1e400", "1e-300", "nan", "inf", "-inf", "NaN", "", "?"),
    *("0x1F", "1_000", "1,5", "7112.5.5", "9" * 40, "9" * 5000, "1e5", "2147483648", "1/0", "+"),
)
WORDS = (
    *("", "?", ".", "'", '"', ";", "#", "loop_", "data_x", "null", "true", "[", "]", "{", "}"),
    *("Xx", "H2O", "Va", "Fe", "D", "é", "\x00", "\t", "a" * 3000, "../../x", "%s%n", "=cmd", "::"),
)
_NUMBER = re.compile(rb"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"\S+")
_PLACE = st.integers(0, 2**20)


class TooSlow(BaseException):
    """The time was up; no reader catches this."""


def flip(text: bytes, place: int, bit: int) -> bytes:
    """Turn a bit."""
    place %= len(text)
    return text[:place] + bytes([text[place] ^ 1 << bit]) + text[place + 1 :]


def cut(text: bytes, place: int, length: int) -> bytes:
    """Cut a piece out."""
    place %= len(text)
    return text[:place] + text[place + length :]


def double(text: bytes, place: int, length: int) -> bytes:
    """Write a piece twice."""
    place %= len(text)
    return text[: place + length] + text[place:]


def end(text: bytes, place: int) -> bytes:
    """Leave out the rest."""
    return text[: place % len(text)]


def lines(text: bytes, first: int, second: int, change: str) -> bytes:
    """Swap two lines, leave one out, or repeat one."""
    rows = text.split(b"\n")
    first, second = first % len(rows), second % len(rows)
    if change == "swap":
        rows[first], rows[second] = rows[second], rows[first]
    elif change == "leave out":
        del rows[first]
    else:
        rows[first:first] = [rows[first]] * (100 if change == "repeat" else 1)
    return b"\n".join(rows)


def replace(text: bytes, what: re.Pattern[bytes], place: int, new: bytes) -> bytes:
    """Replace a number or a word."""
    found = list(what.finditer(text))
    if not found:
        return text
    chosen = found[place % len(found)]
    return text[: chosen.start()] + new + text[chosen.end() :]


def swap(text: bytes, first: int, second: int) -> bytes:
    """Swap two words."""
    found = list(_WORD.finditer(text))
    if not found:
        return text
    one, other = sorted(
        (found[first % len(found)], found[second % len(found)]), key=lambda m: m.start()
    )
    if one is other:
        return text
    between = text[one.end() : other.start()]
    return text[: one.start()] + other[0] + between + one[0] + text[other.end() :]


def encode(text: bytes, encoding: str) -> bytes:
    """Write the text in another encoding, or with other ends of lines."""
    if encoding in ("\r\n", "\r"):
        return text.replace(b"\n", encoding.encode())
    if encoding == "é":
        return text.replace(b"\n", b" \xe9\n", 3)
    return text.decode("latin-1").encode(encoding)


def changes() -> st.SearchStrategy[tuple]:
    """Return the strategy of one change: a function and what it takes besides the text."""
    length = st.sampled_from((1, 2, 5, 20, 100, 1000))
    numbers = st.sampled_from([word.encode() for word in NUMBERS])
    words = st.sampled_from([word.encode() for word in WORDS])
    kinds = st.sampled_from(("swap", "leave out", "twice", "repeat"))
    codes = st.sampled_from(("utf-16", "utf-8-sig", "utf-32", "utf-7", "\r\n", "\r", "é"))
    return st.one_of(
        st.tuples(st.just(flip), _PLACE, st.integers(0, 7)),
        st.tuples(st.just(cut), _PLACE, length),
        st.tuples(st.just(double), _PLACE, length),
        st.tuples(st.just(end), _PLACE),
        st.tuples(st.just(lines), _PLACE, _PLACE, kinds),
        st.tuples(st.just(replace), st.just(_NUMBER), _PLACE, numbers),
        st.tuples(st.just(replace), st.just(_NUMBER), _PLACE, numbers),
        st.tuples(st.just(replace), st.just(_WORD), _PLACE, words),
        st.tuples(st.just(swap), _PLACE, _PLACE),
        st.tuples(st.just(encode), codes),
    )


@st.composite
def changed(draw: st.DrawFn, example: Example) -> bytes:
    """Return the strategy of the files that one to four changes make of a good one."""
    content = example.content
    for change, *arguments in draw(st.lists(changes(), min_size=1, max_size=4)):
        if not content:
            break
        content = change(content, *arguments)
    file = content_of(example, content)
    if example.packed and draw(st.booleans()):
        file = flip(file, draw(_PLACE), draw(st.integers(0, 7)))
    return file


@contextmanager
def bounded() -> Iterator[None]:
    """Stop what takes longer or more memory than allowed."""

    def stop(*_: object) -> None:
        raise TooSlow

    size = next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        if line.startswith("VmData")
    )
    before = resource.getrlimit(resource.RLIMIT_DATA)
    handler = signal.signal(signal.SIGALRM, stop)
    resource.setrlimit(resource.RLIMIT_DATA, (size + MEMORY, before[1]))
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_DATA, before)
        signal.signal(signal.SIGALRM, handler)


def outcome(example: Example, content: bytes) -> str:
    """Read a file; return "answer" or "refusal", or raise whatever else came of it."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / example.name
        path.write_bytes(content)
        try:
            with bounded():
                example.read(path)
        except CgxasError:
            return "refusal"
    return "answer"


@dataclass
class Figures:
    """What became of the files of one reader."""

    inputs: Counter = field(default_factory=Counter)
    slowest: float = 0.0
    raw: dict[str, tuple[str, bytes, int]] = field(default_factory=dict)


def remember(figures: Figures, example: Example, content: bytes) -> None:
    """Read a file, and count what became of it."""
    begin = time.perf_counter()
    try:
        figures.inputs[outcome(example, content)] += 1
    except (Exception, TooSlow) as error:
        figures.inputs["raw"] += 1
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
        text = "".join(traceback.format_exception(error)).strip()
        known = figures.raw.get(kind, (text, content, 0))
        figures.raw[kind] = (known[0], min(known[1], content, key=len), known[2] + 1)
    figures.slowest = max(figures.slowest, time.perf_counter() - begin)


def try_out(example: Example, figures: Figures, each: int, number: int) -> None:
    """Read so many changed files made of an example."""

    @seed(number)
    @how(
        max_examples=each,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changed(example))
    def read(content: bytes) -> None:
        remember(figures, example, content)

    read()


def main() -> None:
    """Print the figures per reader, and every raw exception with a small file that causes it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--each", type=int, default=500, help="files made of each example")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="readers whose name holds this")
    parser.add_argument("-o", "--output", type=Path, help="folder for files that fail")
    options = parser.parse_args()
    found: dict[str, Figures] = defaultdict(Figures)
    for example in EXAMPLES:
        if options.only in example.reader:
            try_out(example, found[example.reader], options.each, options.seed)
    print(
        f"{'reader':18} {'inputs':>7} {'answers':>8} {'refusals':>9} {'raw':>5} {'slowest (s)':>12}"
    )
    for reader, figures in found.items():
        n = figures.inputs
        print(
            f"{reader:18} {n.total():7} {n['answer']:8} {n['refusal']:9} {n['raw']:5} "
            f"{figures.slowest:12.2f}"
        )
    for reader, figures in found.items():
        for number, (kind, (text, content, times)) in enumerate(figures.raw.items()):
            print(f"\n{reader}: {kind}, {times} times\n" + "\n".join(text.splitlines()[-8:]))
            if options.output:
                options.output.mkdir(parents=True, exist_ok=True)
                name = f"{reader.replace(' ', '_')}_{number}"
                (options.output / name).write_bytes(content)
                print(f"file {options.output / name}")


if __name__ == "__main__":
    main()
