"""Files that try to do more than to be read, or never to end; `hostile.py` runs cgxas on them."""

import bz2
import gzip
import io
import json
import os
import pickle
import socket
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SECRET = "canary-4711"
ENERGY = [7000 + 0.5 * n for n in range(400)]
ROW = "(" + ",".join(f"'{each}'" for each in ENERGY) + ")"
PROJECT = "# Athena project file -- Demeter version 0.9.26\n\n$old_group = 'aaaaa';\n"
CIF = """data_a
_cell_length_a {a}
_cell_length_b 2.87
_cell_length_c 2.87
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_symmetry_equiv_pos_as_xyz
{operation}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{atoms}
"""
ATOM = "Fe1 Fe 0 0 0"


@dataclass(frozen=True)
class Case:
    """One hostile input.

    Attributes:
        name: what it is.
        words: of the command line; ``{f}`` stands for the file.
        file: its name in the folder; empty for one that is there already.
        make: writes it; None: nothing is written.
        may_answer: whether a right answer is as good as a refusal.
    """

    name: str
    words: tuple[str, ...]
    file: str
    make: Callable[[Path], object] | None
    may_answer: bool = False


class _Obeyed:
    """A pickle that writes a file when it is opened."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch obeyed_by_pickle",)


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


def _bytes(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def _many(line: str, times: int, head: str = "", tail: str = "") -> Callable[[Path], object]:
    return lambda path: path.write_text(head + line * times + tail, encoding="utf-8")


def _sparse(size: int) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _packed(pack: Callable[[bytes], bytes], head: str, size: int) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(pack(head.encode() + b" " * size))


def _zip(inner: str, size: int) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(inner, b"0" * size)

    return make


def _tar(inner: str, size: int) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with tarfile.open(path, "w:gz") as file:
            entry = tarfile.TarInfo(inner)
            entry.size = size
            file.addfile(entry, io.BytesIO(b" " * size))

    return make


def _hdf5(kind: str) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        import h5py
        import numpy as np

        secret = path.parent / "secret"
        with h5py.File(path, "w") as root:
            data = root.create_group("entry/data")
            data["energy"] = np.array(ENERGY)
            if kind == "external link":
                with h5py.File(path.parent / "outside.h5", "w") as outside:
                    outside["mu"] = np.arctan(np.array(ENERGY) - 7112)
                data["mu"] = h5py.ExternalLink("outside.h5", "/mu")
            elif kind == "external storage":
                places = [(str(secret), 0, 8 * len(ENERGY))]
                data.create_dataset("mu", (len(ENERGY),), "f8", external=places)
            elif kind == "virtual":
                layout = h5py.VirtualLayout((len(ENERGY),), "f8")
                layout[:] = h5py.VirtualSource("outside.h5", "mu", (len(ENERGY),))
                data.create_virtual_dataset("mu", layout)
            elif kind == "endless":
                del data["energy"]
                for name in ("energy", "mu"):
                    data.create_dataset(name, (10**12,), "f8", chunks=(1000,))
            elif kind == "circle":
                data["again"] = h5py.SoftLink("/entry")
                data["mu"] = h5py.SoftLink("/entry/data/mu")
            elif kind == "deep":
                group = data
                for _ in range(3000):
                    group = group.create_group("a")

    return make


def _command(*words: str) -> Callable[..., Case]:
    def of(name: str, file: str, make: Callable[[Path], object] | None, **more: bool) -> Case:
        return Case(name, (*words, "{f}"), file, make, **more)

    return of


SPECTRUM = _command("spectrum")
CRYSTAL = _command("predict", "-a", "Fe", "--")
MODEL = _command("predict", "iron.cif", "-a", "Fe", "-m")

PERL = (
    "(1..1e9)",
    "(9**9**9)",
    "('a' x 1e10)",
    "('a'*10**10)",
    "(`cat secret`)",
    "(system('touch obeyed'))",
    "(open('secret').read())",
    "(open('obeyed', 'w').write('x'))",
    "(__import__('os').system('touch obeyed'))",
    "(urlopen('{url}'))",
    "(LWP::Simple::get('{url}'))",
    "[x for x in range(10**12)]",
    "('1'); while (1) {{}}",
    "qx{{touch obeyed}}",
    "(numpy.ones(10**11))",
)


def projects(url: str) -> list[Case]:
    """Return Athena projects."""
    cases = []
    for code in (each.format(url=url) for each in PERL):
        text = f"{PROJECT}@args = ('label','a');\n@x = {code};\n@y = {ROW};\n[record]\n1;\n"
        cases.append(SPECTRUM(f"project: @x = {code}", "code.prj", _text(text)))
    code = "(open('obeyed','w'), system('touch obeyed'))"
    args = f"{PROJECT}@args = {code};\n@x = {ROW};\n@y = {ROW};\n[record]\n1;\n"
    journal = f"{PROJECT}@x = {ROW};\n@y = {ROW};\n[record]\n@journal = {code};\n{code};\n1;\n"
    head = PROJECT.encode()
    heads = json.dumps({"_____header1": PROJECT.splitlines()[0]})[:-1]
    return [
        *cases,
        SPECTRUM("project: code in @args", "args.prj", _text(args)),
        SPECTRUM("project: code in the journal", "journal.prj", _text(journal), may_answer=True),
        SPECTRUM("project: gzip bomb, 1 GB", "bomb.prj", _gzip_bomb(head, 1000)),
        SPECTRUM(
            "project: 5 million groups", "groups.prj", _many("[record]\n", 5_000_000, PROJECT)
        ),
        SPECTRUM(
            "project: 10 million parameters",
            "args2.prj",
            _many("'',", 10**7, PROJECT + "@args = ("),
        ),
        SPECTRUM(
            "project: endless quote", "quote.prj", _many("\\'", 2 * 10**7, PROJECT + "@args = ('")
        ),
        SPECTRUM(
            "project: endless brackets", "open.prj", _many("(", 4 * 10**7, PROJECT + "@args = ")
        ),
        SPECTRUM("project: endless x", "x.prj", _many("1,", 2 * 10**7, PROJECT + "@x = (")),
        SPECTRUM("project: JSON without end", "deep.prj", _many("[", 4 * 10**7, heads + ',"a":')),
        SPECTRUM("project: pickle", "pickle.prj", _bytes(pickle.dumps(_Obeyed()))),
    ]


def _gzip_bomb(head: bytes, megabytes: int) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with gzip.open(path, "wb") as file:
            file.write(head)
            for _ in range(megabytes):
                file.write(b" " * 1_000_000)

    return make


def spectra(url: str) -> list[Case]:
    """Return files of spectra but Athena projects, and what is no file."""
    names = ("a\nb.dat", "a\x1b[2J\x1b]0;x\x07.dat", "-rf.dat", "$(touch obeyed).dat", "`x`;|&.dat")
    lines = "".join(f"{each} 0.1\n" for each in ENERGY)
    formulas = {
        "a call": "__import__('os').system('touch obeyed')",
        "a power": "9**9**9",
        "deep brackets": "(" * 50_000 + "i0" + ")" * 50_000,
        "a long sum": "+".join(["i0"] * 30_000),
    }
    return [
        *(
            Case(
                f"formula: {name}",
                ("spectrum", "{f}", "--mu", formula),
                "i0.dat",
                _text("# energy i0 it\n" + "".join(f"{each} 3 2\n" for each in ENERGY)),
            )
            for name, formula in formulas.items()
        ),
        *(SPECTRUM(f"name {name!r}", name, _text("1 2\n")) for name in names if name[0] != "-"),
        Case("name '-rf.dat'", ("spectrum", "--", "{f}"), "-rf.dat", _text("1 2\n")),
        SPECTRUM(
            "a million blanks", "blanks.dat", _many(" ", 10**6, "# ", "\n" + lines), may_answer=True
        ),
        SPECTRUM(
            "blanks between words",
            "b2.dat",
            _many(" ", 10**6, "# a", "b\n" + lines),
            may_answer=True,
        ),
        SPECTRUM(
            "a million commas", "commas.dat", _many(",", 10**6, "# ", "\n" + lines), may_answer=True
        ),
        SPECTRUM("a million tabs and numbers", "tabs.dat", _many("1\t", 10**6)),
        SPECTRUM("a line of 30 MB", "line.dat", _many("1 2 3 ", 5_000_000)),
        SPECTRUM("a word of 30 MB", "word.dat", _many("a", 30_000_000)),
        SPECTRUM("a number of 30 MB", "digits.dat", _many("1", 30_000_000)),
        SPECTRUM("3 million lines", "lines.dat", _many("7112.5 0.345\n", 3_000_000)),
        SPECTRUM(
            "300,000 lines of header",
            "head.dat",
            _many("# a b c\n", 300_000, "", lines),
            may_answer=True,
        ),
        SPECTRUM("3,000 columns", "wide.dat", _many("1 " * 3000 + "\n", 100)),
        SPECTRUM("60 MB", "large.dat", _many("7112.5 0.345\n", 5_000_000)),
        SPECTRUM("a terabyte", "sparse.dat", _sparse(10**12)),
        SPECTRUM("null bytes", "null.dat", _sparse(10_000_000)),
        SPECTRUM(
            "CSV: 3 million lines", "lines.csv", _many("7112.5,0.345\n", 3_000_000, "energy,mu\n")
        ),
        SPECTRUM("CSV: a line of 30 MB", "line.csv", _many("1,", 15_000_000, "energy,mu\n")),
        SPECTRUM(
            "XDI: a field of blanks",
            "a.xdi",
            _many(" ", 10**6, "# XDI/1.0\n# A.b", ":\n" + lines),
            may_answer=True,
        ),
        SPECTRUM(
            "XDI: a million fields",
            "f.xdi",
            _many("# A.b: 1\n", 10**6, "# XDI/1.0\n", lines),
            may_answer=True,
        ),
        SPECTRUM("a pipe", "pipe.dat", os.mkfifo),
        SPECTRUM("a link to a pipe", "to_pipe.xdi", lambda path: path.symlink_to("pipe.dat")),
        SPECTRUM("a socket", "socket.dat", _socket),
        SPECTRUM("a link to itself", "loop.dat", lambda path: path.symlink_to("loop.dat")),
        SPECTRUM("/dev/zero", "/dev/zero", None),
        SPECTRUM("/proc/self/environ", "/proc/self/environ", None),
        SPECTRUM("a folder", ".", None),
        SPECTRUM("pickle", "pickle.dat", _bytes(pickle.dumps(_Obeyed()))),
        SPECTRUM("zip bomb", "zip.dat", _zip("a.dat", 200_000_000)),
        SPECTRUM("gzip bomb", "gz.dat", _gzip_bomb(b"", 1000)),
        SPECTRUM("XML that calls", "xml.dat", _text(_xml(url))),
        SPECTRUM("JSON: deep", "deep.json", _many("[", 10**7)),
        SPECTRUM("JSON: 16 million objects", "objects.json", _many("{},", 16 * 10**6, "[", "{}]")),
        SPECTRUM("JSON: 10 million texts", "texts.json", _many('"ab",', 9 * 10**6, "[", '""]')),
        SPECTRUM("JSON: a huge number", "huge.json", _many("9", 10**7, '{"energy": [', "]}")),
        SPECTRUM("JSON: class names", "class.json", _text(_module_json())),
        SPECTRUM("JSON: format Infinity", "inf.json", _text('{"kind": Infinity, "energy": 1e400}')),
        SPECTRUM("HDF5: external link", "link.h5", _hdf5("external link")),
        SPECTRUM("HDF5: external storage", "storage.h5", _hdf5("external storage")),
        SPECTRUM("HDF5: virtual", "virtual.h5", _hdf5("virtual")),
        SPECTRUM("HDF5: a trillion points", "endless.h5", _hdf5("endless")),
        SPECTRUM("HDF5: circle", "circle.h5", _hdf5("circle")),
        SPECTRUM("HDF5: 3,000 deep", "deep.h5", _hdf5("deep")),
    ]


def _module_json() -> str:
    fields = {"@module": "os", "@class": "system", "command": "touch obeyed", "energy": [1, 2]}
    return json.dumps(fields)


def _xml(url: str) -> str:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return (
        '<?xml version="1.0"?>\n<!DOCTYPE modeling [<!ENTITY l0 "lol">'
        f'<!ENTITY f SYSTEM "secret"><!ENTITY u SYSTEM "{url}">{laughs}]>\n'
        "<modeling>&f;&u;&l11;</modeling>\n"
    )


def crystals(url: str) -> list[Case]:
    """Return crystal files."""
    whole = CIF.format(a=2.87, operation="x,y,z", atoms=ATOM)
    code = "x,y,z+__import__('os').system('touch obeyed')"
    atoms = "".join(f"Fe Fe 0.{n:06} 0 0\n" for n in range(10**6))
    module = _module_json()
    deep = "[" * 10**6
    return [
        CRYSTAL(
            "CIF: a million atoms",
            "million.cif",
            _text(CIF.format(a=1e5, operation="x,y,z", atoms=atoms)),
        ),
        CRYSTAL("CIF: a line of 30 MB", "line.cif", _many("Fe 0 0 0 ", 3_300_000, whole)),
        CRYSTAL(
            "CIF: a million blanks",
            "blanks.cif",
            _many(" ", 10**6, whole + "_a", "'b'\n"),
            may_answer=True,
        ),
        CRYSTAL("CIF: an open quote", "quote.cif", _many("a\n", 10**7, whole + "_a\n;")),
        CRYSTAL(
            "CIF: code for an operation",
            "code.cif",
            _text(CIF.format(a=2.87, operation=f"'{code}'", atoms=ATOM)),
            may_answer=True,
        ),
        CRYSTAL(
            "CIF: a power for a length",
            "power.cif",
            _text(CIF.format(a="9**9**9", operation="x,y,z", atoms=ATOM)),
        ),
        CRYSTAL(
            "CIF: a cell of 1e9 A",
            "wide.cif",
            _text(CIF.format(a=1e9, operation="x,y,z", atoms=ATOM)),
        ),
        CRYSTAL("CIF: gzip bomb", "bomb.cif.gz", _gzip_bomb(whole.encode(), 1000)),
        CRYSTAL("CIF: bzip2 bomb", "bomb.cif.bz2", _packed(bz2.compress, whole, 200_000_000)),
        CRYSTAL(
            "POSCAR of 1e9 atoms",
            "POSCAR",
            _text("a\n1\n3 0 0\n0 3 0\n0 0 3\nFe\n1000000000\nDirect\n0 0 0\n"),
        ),
        CRYSTAL("XYZ of 1e12 atoms", "count.xyz", _text("1000000000000\n\nFe 0 0 0\n")),
        CRYSTAL("XYZ of a million atoms", "atoms.xyz", _many("Fe 1 2 3\n", 10**6, "1000000\n\n")),
        CRYSTAL("JSON: class names", "class.json", _text(module)),
        CRYSTAL("JSON: deep", "deep.json", _text(deep)),
        CRYSTAL("JSON: 16 million objects", "objects.json", _many("{},", 16 * 10**6, "[", "{}]")),
        CRYSTAL(
            "YAML: class names",
            "a.yaml",
            _text("!!python/object/apply:os.system ['touch obeyed']\n"),
        ),
        CRYSTAL("Python", "a.py", _text("import os\nos.system('touch obeyed')\n")),
        CRYSTAL("XML that calls and laughs", "vasprun.xml", _text(_xml(url))),
        CRYSTAL("pickle", "a.pckl", _bytes(pickle.dumps(_Obeyed()))),
        CRYSTAL("pickle called CIF", "pickle.cif", _bytes(pickle.dumps(_Obeyed()))),
        CRYSTAL("zip bomb", "zip.cif", _zip("a.cif", 200_000_000)),
        CRYSTAL("a name like a data base", "postgresql:a@b.json", _text("{}")),
        CRYSTAL("a name like an address", "https:a.cif", _text("data_a\n")),
        CRYSTAL("a pipe", "pipe.cif", os.mkfifo),
        CRYSTAL("a terabyte", "sparse.cif", _sparse(10**12)),
        CRYSTAL("null bytes", "null.cif", _sparse(10_000_000)),
        CRYSTAL("/dev/zero", "/dev/zero", None),
        CRYSTAL(
            "a folder of ASE's",
            "a.bundle",
            lambda path: (path.mkdir(), (path / "metadata.json").write_text("{}")),
        ),
    ]


def others() -> list[Case]:
    """Return model files, settings, and data sets."""
    length = (2**62).to_bytes(8, "little")
    deep = _many("[", 10**6, "a = ")
    table = (_command("dataset", "info"), _command("dataset", "check"))
    load = _command("dataset", "import", "-o", "new_set")
    return [
        MODEL("model: pickle", "a.safetensors", _bytes(pickle.dumps(_Obeyed()))),
        MODEL("model: header of 2^62 bytes", "b.safetensors", _bytes(length + b"{}")),
        MODEL(
            "model: deep header",
            "c.safetensors",
            _bytes((10**6).to_bytes(8, "little") + b"[" * 10**6),
        ),
        MODEL("model: format Infinity", "d.safetensors", _thin('{"format": Infinity}')),
        MODEL("model: deep description", "e.safetensors", _thin("[" * 100_000)),
        MODEL("model: a description of null", "f.safetensors", _thin("null")),
        MODEL("model: a terabyte", "g.safetensors", _sparse(10**12)),
        MODEL("model: a pipe", "h.safetensors", os.mkfifo),
        MODEL("model: /dev/zero", "/dev/zero", None),
        MODEL("model: a folder", ".", None),
        Case("settings: deep", ("train", "{f}", "--data", ".", "-o", "run"), "deep.toml", deep),
        Case(
            "settings: a pipe", ("train", "{f}", "--data", ".", "-o", "run"), "pipe.toml", os.mkfifo
        ),
        Case(
            "settings: /dev/zero", ("train", "{f}", "--data", ".", "-o", "run"), "/dev/zero", None
        ),
        *(
            of(f"data set: a pipe ({n})", f"pipe{n}", _folder(os.mkfifo))
            for n, of in enumerate(table)
        ),
        *(
            of(f"data set: a pickle ({n})", f"pickle{n}", _folder(_bytes(pickle.dumps(_Obeyed()))))
            for n, of in enumerate(table)
        ),
        *(
            of(f"data set: sparse ({n})", f"sparse{n}", _folder(_sparse(10**12)))
            for n, of in enumerate(table)
        ),
        load("documents: deep", "docs.json", _many("[", 10**6)),
        load("documents: tar bomb", "bomb.tgz", _tar("a.json", 300_000_000)),
        load("documents: tar that climbs", "climb.tgz", _tar("../../obeyed.json", 10)),
        load("documents: a pipe", "docs_pipe.json", os.mkfifo),
        load("documents: class names", "class_docs.json", _text(f"[{_module_json()}]")),
    ]


def _thin(description: str) -> Callable[[Path], object]:
    """Write a model file without weights whose description is the given JSON."""
    header = json.dumps({"__metadata__": {"cgxas": description}}).encode()
    return _bytes(len(header).to_bytes(8, "little") + header)


def _folder(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def of(path: Path) -> None:
        path.mkdir()
        make(path / "materials.parquet")
        make(path / "spectra.parquet")

    return of


def all_cases(url: str) -> list[Case]:
    """Return every case; the url is where a canary listens."""
    return [*projects(url), *spectra(url), *crystals(url), *others()]
