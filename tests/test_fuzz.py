"""Changed files of every kind are read or refused by a named error, in bounded time and memory.

The examples, the changes and the bounds are those of `benchmarks/fuzz.py`, which tries many more
and tells the figures. The changes are the same in every run.
"""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

pytest.importorskip("larch")
pytest.importorskip("pyarrow")

FILES_PER_EXAMPLE = 100
BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")

sys.path.insert(0, BENCHMARKS)
try:
    import fuzz
finally:
    sys.path.remove(BENCHMARKS)


@pytest.fixture(params=fuzz.EXAMPLES, ids=lambda example: f"{example.reader}: {example.name}")
def example(request):
    return request.param


def test_an_example_is_good(example):
    assert fuzz.outcome(example, fuzz.content_of(example, example.content)) == "answer"


def test_changed_files_are_read_or_refused(example):
    @settings(
        max_examples=FILES_PER_EXAMPLE,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(fuzz.changed(example))
    def read(content):
        assert fuzz.outcome(example, content) in ("answer", "refusal")

    read()


def test_what_takes_too_long_is_stopped(monkeypatch):
    def forever(_):
        while True:
            pass

    monkeypatch.setattr(fuzz, "SECONDS", 0.1)
    with pytest.raises(fuzz.TooSlow):
        fuzz.outcome(fuzz.Example("none", "a.txt", b"a", forever), b"a")


def test_what_takes_too_much_memory_is_stopped(monkeypatch):
    monkeypatch.setattr(fuzz, "MEMORY", 2**26)
    with pytest.raises(MemoryError):
        fuzz.outcome(fuzz.Example("none", "a.txt", b"a", lambda _: bytearray(2**28)), b"a")
