"""Atoms per cell: cgxas against gemmi, for every CIF that installed packages carry.

The files are those of the mineral database that comes with larixite (a part of Larch), every .cif
in the folder of installed packages, and every CIF that stands as a text in their Python sources.
They are written to a folder and read by both: here by cgxas, and by gemmi in an environment of its
own (``pip install gemmi``), which need hold nothing else. Compared is the sum of the occupancies
of each element in the unit cell.

    python benchmarks/gemmi_counts.py --python GEMMI/bin/python -o counts.json
"""

import argparse
import ast
import json
import re
import shutil
import subprocess
import sysconfig
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from rich.progress import track

from cgxas.crystals.io.read import read_structure
from cgxas.errors import CgxasError, CgxasWarning

PACKAGES = Path(sysconfig.get_paths()["purelib"])
TOLERANCE = 0.02
"""Sums of occupancies this near are equal: files give them with two or three digits."""


def minerals() -> Iterator[tuple[str, str]]:
    """Yield name and text of every structure of larixite's database."""
    from larixite.amcsd import AMCSD

    with tempfile.TemporaryDirectory() as folder:
        # Opening it may alter it, and it belongs to the package: a copy is opened.
        copy = shutil.copy(PACKAGES / "larixite" / "amcsd_cif1.db", folder)
        database = AMCSD(copy)
        table = database.tables["cif"]
        for row in database.execall(table.select().with_only_columns(table.c.id)):
            yield f"amcsd_{row[0]:05}.cif", database.get_cif(row[0], as_strings=True).ciftext
        database.close()


def carried() -> Iterator[tuple[str, str]]:
    """Yield name and text of the CIFs that lie among the installed packages."""
    for path in sorted(PACKAGES.rglob("*.cif")):
        yield path.name, path.read_text(encoding="utf-8")
    for path in sorted(PACKAGES.rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if "_cell_length_a" in text and "_atom_site_fract_x" in text:
            yield from inside(path, text)


def inside(path: Path, source: str) -> Iterator[tuple[str, str]]:
    """Yield the CIFs that stand as texts in a Python source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value.strip()
            if re.search(r"(?m)^data_", text) and "_atom_site_fract_x" in text:
                yield f"{path.stem}_line_{node.lineno}.cif", text


def ours(path: Path) -> dict[str, object]:
    """Return what cgxas makes of a CIF: counts and warnings, or the refusal."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", CgxasWarning)
        try:
            structure = read_structure(path)
        except CgxasError as error:
            return {"refused": str(error).replace(str(path), "FILE")}
    counts: Counter[str] = Counter()
    for species, amount in structure.composition.items():
        counts[species.symbol] += amount
    told = [str(each.message).replace(str(path), "FILE") for each in said]
    return {"counts": counts, "told": told}


def gemmis(python: str, folder: Path) -> dict[str, dict]:
    """Return what gemmi makes of the CIFs of a folder, by file name."""
    worker = Path(__file__).with_name("gemmi_cells.py")
    found = subprocess.run([python, worker, folder], check=True, capture_output=True, text=True)
    return {each["file"]: each for each in map(json.loads, found.stdout.splitlines())}


def are_equal(one: dict[str, float], other: dict[str, float]) -> bool:
    """Tell whether two cells hold the same atoms; deuterium counts as hydrogen."""
    first, second = Counter(), Counter()
    for counts, cell in ((one, first), (other, second)):
        for symbol, amount in counts.items():
            cell["H" if symbol == "D" else symbol] += amount
    return all(abs(first[each] - second[each]) <= TOLERANCE for each in first | second)


def shape(sentence: str) -> str:
    """Return a refusal without what is peculiar to the file, so that equal ones are counted."""
    sentence = re.sub(r"'[^']*'", "'...'", sentence)
    return re.sub(r"[\w.+-]*\d[\w.+-]*", "N", sentence)[:110]


def outcome(mine: dict, theirs: dict) -> str:
    """Name how the two readings of a file compare."""
    if "refused" in mine:
        return "refused by both" if "refused" in theirs else "refused by cgxas"
    if "refused" in theirs:
        return "refused by gemmi"
    return "equal" if are_equal(mine["counts"], theirs["counts"]) else "different"


def report(rows: list[dict]) -> None:
    """Print the table, the differences, and the refusals by the shape of their sentence."""
    for name, number in Counter(row["outcome"] for row in rows).most_common():
        print(f"{name:18} {number:6}")
    told, refusals = Counter(), defaultdict(list)
    for row in rows:
        told.update(shape(each) for each in row["cgxas"].get("told", ()))
        if "refused" in row["cgxas"]:
            refusals[shape(row["cgxas"]["refused"])].append(row["file"])
        if row["outcome"] == "different":
            stated = row["gemmi"]["stated"]
            cells = [
                " ".join(f"{e}{n:g}" for e, n in sorted(row[who]["counts"].items()))
                for who in ("cgxas", "gemmi")
            ]
            print(f"{row['file']}: cgxas {cells[0]} | gemmi {cells[1]} | {stated}")
    print("\nrefused by cgxas")
    for sentence, files in sorted(refusals.items(), key=lambda each: -len(each[1])):
        print(f"{len(files):6}  {sentence}  ({', '.join(files[:3])})")
    print("\ntold by cgxas")
    for sentence, number in told.most_common():
        print(f"{number:6}  {sentence}")


def main() -> None:
    """Write the files, read them twice, and print what differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--python", required=True, help="a Python with gemmi")
    parser.add_argument("--every", type=int, default=1, help="take every n-th file only")
    parser.add_argument("-o", "--output", type=Path, help="all results, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in [*minerals(), *carried()][:: options.every]:
            (folder / file).write_text(text, encoding="utf-8")
        theirs, rows, begin = gemmis(options.python, folder), [], time.perf_counter()
        for file in track(sorted(theirs), "cgxas reads"):
            mine = ours(folder / file)
            rows.append(
                {
                    "file": file,
                    "outcome": outcome(mine, theirs[file]),
                    "cgxas": mine,
                    "gemmi": theirs[file],
                }
            )
    print(f"{len(rows)} files, {time.perf_counter() - begin:.0f} s for cgxas\n")
    report(rows)
    if options.output:
        options.output.write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
