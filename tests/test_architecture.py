"""Imports point down, heavy guests stay in their rooms, files and functions stay small."""

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "cgxas"
FILES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
    for path in sorted(SOURCE.rglob("*.py"))
}
# A room may import itself and lower floors, never sideways or up.
FLOORS = {
    "errors": 0,
    "arguments": 1,
    "elements": 1,
    "limits": 1,
    "settings": 1,
    "typing": 1,
    "writing": 1,
    "reading": 2,
    "jsonfile": 3,
    "spectra": 4,
    "crystals": 4,
    "physics": 5,
    "model": 6,
    "data": 7,
    "evaluation": 8,
    "training": 9,
    "predict": 9,
    "simulation": 9,
    "figures": 9,
    "calibration": 10,
    "matching": 10,
    "mixing": 10,
    "report": 10,
    "screening": 10,
    "verbs": 11,
    "__init__": 12,
    "serve": 12,
    "cli": 13,
    "__main__": 14,
}
HEAVY = {
    "fastapi": ("serve.app",),
    "starlette": ("serve",),
    "uvicorn": ("serve.connection",),
    "torch": (
        "crystals.batch",
        "model",
        "physics.scattering",
        "data.compile",
        "data.dataset",
        "evaluation.asking",
        "evaluation.embedding",
        "evaluation.testing",
        "calibration",
        "training",
        "predict",
    ),
    "pydantic": (
        "jsonfile",
        "settings",
        "calibration.run",
        "crystals.spec",
        "data.split",
        "model",
        "serve.forms",
        "serve.schemas",
        "training.folder",
        "training.settings",
        "training.state",
    ),
    "tomli_w": (),
    "safetensors": ("model.checkpoint",),
    "matplotlib": ("figures", "report.figures"),
    "pymatgen": ("crystals",),
    "spglib": ("crystals",),
    "ase": (),
    "larch": (),
    "xraydb": (),
    "h5py": (),
    "feff10": (),
    "mp_api": (),
    "emcee": (),
    "lmfit": (),
    "pymcr": (),
    "sklearn": (),
    "ray": (),
    "pyarrow": (
        "data.tables",
        "evaluation.sites",
        "evaluation.tested",
        "screening.rows",
        "spectra.io.parquet",
    ),
}


def room(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the full names of what a piece of code imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports within the package are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inner(tree: ast.AST) -> set[str]:
    """Return the modules of the package that a piece of code imports, as `FILES` names them."""
    found = set()
    for name in imports(tree):
        first, _, rest = name.partition(".")
        while rest and rest not in FILES and f"{rest}.__init__" not in FILES:
            rest = rest.rpartition(".")[0]
        if first == "cgxas":
            found.add(rest if rest in FILES else f"{rest}.__init__".lstrip("."))
    return found


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return a circle of modules that import each other, the first one again at the end."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1][::-1]
    return []


def without_functions(tree: ast.Module) -> ast.Module:
    """Return what stands outside of functions, type checking included."""

    class Outside(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
            return ast.Pass()

    return Outside().visit(tree)


def at_module_level(tree: ast.Module) -> Iterator[str]:
    """Yield what is imported when the module is, leaving out functions and type checking."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from imports(node)


@pytest.fixture(params=FILES, ids=str)
def module(request) -> str:
    return request.param


@pytest.fixture
def tree(module) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def test_every_room_has_a_floor():
    assert {room(name) for name in FILES} <= set(FLOORS)


def test_imports_point_down(module, tree):
    for name in imports(tree):
        first, _, rest = name.partition(".")
        if first != "cgxas":
            continue
        target = room(rest) if room(rest) in FLOORS else "__init__"
        own = room(module)
        assert target == own or FLOORS[target] < FLOORS[own], f"{module} imports {name}"


def test_no_modules_import_each_other():
    """Neither when they are imported, nor hidden from that by TYPE_CHECKING or in a function.

    An import inside a function that would close a circle only puts it off; there is no exception.
    """
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}
    everywhere = {name: inner(tree) - {name} for name, tree in trees.items()}
    outside = {name: inner(without_functions(tree)) - {name} for name, tree in trees.items()}
    assert not circle(outside), "imported at module level or for type checking"
    assert not circle(everywhere), "imported inside functions"


def test_a_circle_is_found():
    lines = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cgxas.data import folder"
    assert inner(ast.parse(lines)) == {"data.folder"}
    inside = ast.parse("def f():\n    from cgxas.data.record import Record")
    assert inner(inside) == {"data.record"}
    assert inner(without_functions(inside)) == set()
    assert inner(ast.parse("import cgxas.report.page\nfrom cgxas import load")) == {
        "report.page",
        "__init__",
    }
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})[0] in "abc"
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_heavy_guests_stay_in_their_rooms(module, tree):
    loaded = {name.split(".")[0] for name in at_module_level(tree)}
    for guest in loaded & HEAVY.keys():
        allowed = any(module == r or module.startswith(f"{r}.") for r in HEAVY[guest])
        assert allowed, f"{module} imports {guest} when it is imported itself"


def test_third_parties_are_declared(tree):
    known = {*HEAVY, "cgxas", "numpy", "rich", "scipy", "typer", "click", *sys.stdlib_module_names}
    assert {name.split(".")[0] for name in imports(tree)} <= known


def test_size_and_habits(module, tree):
    text = FILES[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert "TODO" not in text
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"
        is_print = isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
        assert not is_print, f"line {getattr(node, 'lineno', 0)} prints"
