import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgxas.errors import ConfigError
from cgxas.jsonfile import DEPTH, JsonFile, as_kind, parsed


@dataclass(frozen=True)
class Inner:
    size: float


@dataclass(frozen=True)
class Outer:
    format: Literal[1]
    name: str
    count: int
    parts: tuple[str, ...]
    places: dict[str, Inner]
    folder: Path
    note: str | None = None


GOOD = {
    "format": 1,
    "name": "a",
    "count": 3,
    "parts": ["x", "y"],
    "places": {"b": {"size": 1}},
    "folder": "c/d",
}

TEXTS = {
    "nothing": (b"", "line 1"),
    "cut short": (b'{"a": 1', "line 1"),
    "NaN": (b'{"a": NaN}', "NaN is not a number in JSON"),
    "Infinity": (b'{"format": Infinity}', "Infinity is not a number in JSON"),
    "overflowing": (b'{"a": 1e999}', "1e999 is not a finite number"),
    "digits": (b'{"a": ' + b"9" * 5000 + b"}", "a number of 5000 digits"),
    "a key twice": (b'{"a": 1, "b": 2, "a": 3}', "it tells 'a' twice"),
    "deep list": (b"[" * 200_000, f"nested more than {DEPTH} times"),
    "deep object": (b'{"a":' * 500 + b"1" + b"}" * 500, f"nested more than {DEPTH} times"),
    "a little too deep": (b"[" * 66 + b"]" * 66, f"nested more than {DEPTH} times"),
    "not UTF-8": (b'{"a": "\xe9"}', "not UTF-8"),
    "many values": (b"[" + b"1," * 2_000_000 + b"1]", "set CGXAS_MAX_JSON_VALUES to take more"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_not_strict_json_is_refused_in_words(case):
    text, says = TEXTS[case]
    with pytest.raises(ValueError, match=says):
        parsed(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_json_may_have(encoding):
    assert parsed('{"é": [1, 2.5, null, true]}'.encode(encoding)) == {"é": [1, 2.5, None, True]}


def test_numbers_that_are_not_finite_may_be_let_through():
    assert parsed("[1e999]", finite=False) == [float("inf")]
    assert str(parsed("[NaN]", finite=False)) == "[nan]"


def test_a_document_becomes_a_dataclass():
    found = as_kind(Outer, {**GOOD, "later": 1})
    assert found == Outer(1, "a", 3, ("x", "y"), {"b": Inner(1.0)}, Path("c/d"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 2),
        ("name", None),
        ("name", 3),
        ("count", "3"),
        ("count", 3.5),
        ("count", True),
        ("parts", "xy"),
        ("parts", [1]),
        ("places", [1]),
        ("places", {"b": {"size": "1"}}),
        ("places", {"b": {}}),
        ("folder", 7),
    ],
)
def test_values_of_another_type_are_named(key, value):
    with pytest.raises(ValueError, match=rf"^{key}.*: "):
        as_kind(Outer, {**GOOD, key: value})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(GOOD)), JSON)
def test_any_value_is_taken_or_refused(key: str, value: Any):
    text = json.dumps({**GOOD, key: value})
    try:
        found = as_kind(Outer, parsed(text))
    except ValueError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:
        assert isinstance(found, Outer)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_taken_or_refused(text: bytes):
    try:
        parsed(text)
    except ValueError as error:
        assert "\n" not in str(error)


@pytest.fixture
def file(tmp_path) -> JsonFile:
    (tmp_path / "a.json").write_text(json.dumps(GOOD))
    return JsonFile(tmp_path / "a.json", ConfigError, "thing", "make it anew")


def test_a_file_tells_its_name_and_the_cure(file):
    assert file.as_kind(Outer, newest=1).name == "a"
    assert file.as_kind(Outer, more={"name": "b"}).name == "b"
    with pytest.raises(ConfigError, match=r"a\.json is of format 1, this cgxas reads 0; update"):
        file.as_kind(Outer, newest=0)
    for text, says in (
        ("[1]", "is not a readable thing: it holds no JSON object; make it anew"),
        ('{"a": NaN}', "is not a readable thing: NaN is not a number in JSON; make it anew"),
        ("{}", "is not a readable thing: format: field required; make it anew"),
        ("", "is empty"),
    ):
        file.path.write_text(text)
        with pytest.raises(ConfigError, match=rf"a\.json {says}"):
            file.as_kind(Outer)
    file.path.unlink()
    with pytest.raises(ConfigError, match=r"a\.json is missing; make it anew"):
        file.values()
