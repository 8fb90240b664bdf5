"""Settings check themselves, and say in one sentence what is allowed."""

import json
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from datetime import date
from typing import Annotated, ClassVar, Literal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import Field

import cgxas.settings
from cgxas.errors import ConfigError
from cgxas.settings import FileName, Seed, Settings


@dataclass(frozen=True)
class Inner(Settings):
    title: ClassVar[str] = "outer.inner"

    size: Annotated[float, Field(gt=0, lt=1)] = 0.5
    free: float = 0.0
    weight: Annotated[float, Field(ge=0)] = 0.0


@dataclass(frozen=True)
class Outer(Settings):
    title: ClassVar[str] = "outer"

    name: FileName
    count: Annotated[int, Field(ge=1, le=8)] = 2
    kind: Literal["a", "b", "c"] = "a"
    on: bool = False
    words: tuple[str, ...] = ()
    text: str = ""
    only: Literal["x"] = "x"
    either: int | str = 0
    seed: Seed = 0
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count == 7:
            raise ConfigError("outer.count = 7 is unlucky")


def test_they_are_dataclasses_as_others():
    one = Outer("x", 3, inner=Inner(0.25))
    assert one == Outer(name="x", count=3, inner=Inner(0.25))
    assert [each.name for each in fields(one)][:2] == ["name", "count"]
    assert asdict(one)["inner"] == {"size": 0.25, "free": 0.0, "weight": 0.0}
    assert replace(one, count=4).count == 4
    assert pickle.loads(pickle.dumps(one)) == one
    assert hash(one) == hash(replace(one))
    with pytest.raises(FrozenInstanceError):
        one.count = 4
    with pytest.raises(ConfigError, match=r"^outer\.count = 9; "):
        replace(one, count=9)


def test_plain_values_and_back():
    one = Outer("x", kind="c", words=("a", "b"), inner=Inner(size=0.1))
    assert Outer.from_dict(one.to_dict()) == one
    assert Outer.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert Outer.from_dict({"name": "x"}) == Outer("x")
    assert replace(one, inner={"size": 0.2}) == replace(one, inner=Inner(0.2))


def test_little_is_converted():
    one = Outer.from_dict({"name": "x", "words": ["a"], "inner": {"free": 3}})
    assert one.words == ("a",)
    assert (one.inner.free, type(one.inner.free)) == (3.0, float)
    assert type(Inner(free=np.float64(3)).free) is float


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"count": 0}, "outer.count = 0; it must be a whole number from 1 to 8"),
        ({"count": 2.0}, "outer.count = 2.0; it must be a whole number from 1 to 8"),
        ({"count": "2"}, "outer.count = '2'; it must be a whole number from 1 to 8"),
        ({"count": True}, "outer.count = true; it must be a whole number from 1 to 8"),
        ({"count": None}, "outer.count = None; it must be a whole number from 1 to 8"),
        ({"count": date(2026, 1, 2)}, "outer.count = datetime.date(2026, 1, 2); it must be"),
        ({"count": 7}, "outer.count = 7 is unlucky"),
        ({"count": 10**5000}, "outer.count = a number of thousands of digits; it must be"),
        ({"seed": -1}, "outer.seed = -1; it must be a whole number from 0 to 4294967295"),
        ({"kind": "d"}, "outer.kind = 'd'; it must be a, b or c"),
        ({"kind": ["a"]}, "outer.kind = ['a']; it must be a, b or c"),
        ({"on": "no"}, "outer.on = 'no'; it must be true or false"),
        ({"on": 1}, "outer.on = 1; it must be true or false"),
        ({"words": "FEFF"}, "outer.words = 'FEFF'; it must be a list"),
        ({"words": [1]}, "outer.words = [1]; it must be a list"),
        ({"words": {"a": 1}}, "outer.words = {'a': 1}; it must be a list"),
        ({"text": 3}, "outer.text = 3; it must be a text"),
        ({"only": "y"}, "outer.only = 'y'; it must be x"),
        ({"either": 0.5}, "outer.either = 0.5; it must be something else"),
        ({"text": False}, "outer.text = false; it must be a text"),
        ({"inner": 3}, "outer.inner = 3; it must be a table with keys such as size"),
        ({"inner": [{}]}, "outer.inner = [{}]; it must be a table with keys such as size"),
        ({"inner": {"size": 1}}, "outer.inner.size = 1; it must be a finite number above 0 and"),
        ({"inner": {"size": 0.0}}, "outer.inner.size = 0.0; it must be a finite number above 0"),
        ({"inner": {"size": False}}, "outer.inner.size = false; it must be a finite number"),
        ({"inner": {"free": float("inf")}}, "outer.inner.free = inf; it must be a finite number"),
        ({"inner": {"free": float("nan")}}, "outer.inner.free = nan; it must be a finite number"),
        ({"inner": {"free": 10**400}}, "outer.inner.free = 1000"),
        ({"inner": {"weight": -1}}, "outer.inner.weight = -1; it must be a finite number of at l"),
        ({"inner": {"sice": 1}}, "no key 'sice' in [outer.inner]; did you mean size?"),
        ({"counts": 1}, "there is no key 'counts' in [outer]; did you mean count?"),
        ({"size": 1}, "there is no key 'size' in [outer]; did you mean inner.size?"),
        ({"zzz": 1}, "there is no key 'zzz' in [outer]; there are name, count, kind, on, words"),
        ({"x" * 999: 1}, f"there is no key '{'x' * 56}... in [outer]; there are name"),
    ],
)
def test_the_sentence_names_the_key_and_what_is_allowed(values, sentence):
    with pytest.raises(ConfigError) as refused:
        Outer.from_dict({"name": "x", **values})
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 200


def test_what_has_no_usual_value_is_needed():
    with pytest.raises(ConfigError, match=r"^outer\.name is missing; it must be a name for a file"):
        Outer.from_dict({})


@pytest.mark.parametrize("name", ["", ".", "..", ".a", "a/b", "/a", " a", "a ", "a\nb", "é" * 101])
def test_names_that_no_file_should_have(name):
    with pytest.raises(ConfigError, match=r"^outer\.name = .*; it must be a name for a file: pr"):
        Outer(name)


@pytest.mark.parametrize("name", ["a", "a b", "Größe 😀", "a.b", "\\", "é" * 100])
def test_names_that_files_may_have(name, tmp_path):
    assert Outer(name).name == name
    (tmp_path / f"{name}.safetensors").touch()


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([each.name for each in fields(Outer)]) | st.text(), plain))
@example({"name": "x", "inner": {"size": 10**5000}})
def test_junk_is_refused_in_a_sentence_or_taken_as_it_is(values):
    try:
        one = Outer.from_dict(values)
    except ConfigError as error:
        assert "\n" not in str(error)
        assert "pydantic" not in str(error)
    else:
        assert Outer.from_dict(one.to_dict()) == one


def test_a_machine_that_only_trains_can_read_settings():
    alone = (
        "import sys; sys.modules.update(dict.fromkeys(('tomli_w', 'pyarrow', 'spglib', 'typer')));"
        "import cgxas.training.settings, cgxas.crystals.spec"
    )
    source = str(cgxas.settings.__file__).removesuffix("cgxas/settings.py")
    subprocess.run([sys.executable, "-c", alone], check=True, env={"PYTHONPATH": source})
