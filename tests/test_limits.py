from pathlib import Path

import pytest

from cgxas import limits
from cgxas.errors import ConfigError, CrystalError


def test_a_limit_names_itself_and_its_variable():
    with pytest.raises(CrystalError, match=r"^big.cif lists 20,001 atoms, more than the 20,000"):
        limits.ATOMS.refuse_beyond(20_001, "big.cif lists", CrystalError)
    with pytest.raises(CrystalError, match="CGXAS_MAX_ATOMS"):
        limits.ATOMS.refuse_beyond(float("nan"), "big.cif lists", CrystalError)
    limits.ATOMS.refuse_beyond(20_000, "big.cif lists", CrystalError)


def test_the_variable_sets_the_limit(monkeypatch):
    monkeypatch.setenv("CGXAS_MAX_ATOMS", "5")
    with pytest.raises(CrystalError, match="more than the 5 that"):
        limits.ATOMS.refuse_beyond(6, "x lists", CrystalError)


@pytest.mark.parametrize("text", ["", "0", "-1", "1e4", "many", "²", "9" * 5000])
def test_a_senseless_limit_is_refused(monkeypatch, text):
    monkeypatch.setenv("CGXAS_MAX_ATOMS", text)
    with pytest.raises(ConfigError, match="CGXAS_MAX_ATOMS"):
        limits.ATOMS.refuse_beyond(1, "x lists", CrystalError)


LIMITS = [each for each in vars(limits).values() if isinstance(each, limits.Limit)]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.variable)
def test_every_limit_stands_in_the_documentation(limit):
    page = Path(__file__).parents[1] / "docs" / "reference" / "limits.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    start = f"| `{limit.variable}` | {limit.default:,} | {limit.unit}"
    assert sum(line.startswith(start) for line in lines) == 1
