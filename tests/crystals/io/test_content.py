"""Files as they come: packed, in any encoding, without end, or no file at all."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import tarfile
import time
import zipfile

import pytest

from cgxas.crystals.io.read import read_crystal
from cgxas.errors import CgxasError, CrystalError, UnreadableCrystal

POSCAR = "x\n1\n4.2 0 0\n0 4.2 0\n0 0 4.2\nMg O\n1 1\nDirect\n0 0 0\n.5 .5 .5\n"
XYZ = '2\nLattice="4.2 0 0 0 4.2 0 0 0 4.2"\nMg 0 0 0\nO 2.1 2.1 2.1\n'
CIF = """\
data_a
_cell_length_a 2.6
_cell_length_b 2.6
_cell_length_c 2.6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Mg1 0 0 0
O1 .5 .5 .5
"""
TEXTS = {"POSCAR": POSCAR, "a.xyz": XYZ, "a.cif": CIF}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    ("pack", "suffix"), [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz")]
)
def test_packed(counted, name, pack, suffix):
    packed = pack(TEXTS[name].encode())
    assert counted(packed, name + suffix) == {"Mg": 1, "O": 1}
    assert counted(packed, "noname") == {"Mg": 1, "O": 1}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_ends_of_lines(counted, name, encoding, end):
    text = TEXTS[name].replace("\n", end)
    assert counted(text.encode(encoding), name) == {"Mg": 1, "O": 1}


def test_titles_in_other_letters(counted):
    assert counted(POSCAR.replace("x", "Å gemäß", 1).encode("latin-1")) == {"Mg": 1, "O": 1}
    assert counted(POSCAR.replace("x", "Å gemäß", 1)) == {"Mg": 1, "O": 1}


def archive_of(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("a.cif", CIF)
    else:
        with tarfile.open(fileobj=buffer, mode=kind) as file:
            file.addfile(tarfile.TarInfo("a.cif"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive_of("zip"), "zip archive"),
        (archive_of("w"), "tar archive"),
        (archive_of("w:gz"), "tar archive"),
        (pickle.dumps({"a": 1}), "pickle"),
        (gzip.compress(CIF.encode())[:60], "packed"),
        (gzip.compress(b"  \n"), "empty"),
        (b" \n" * 50, "empty"),
        (b"", "empty"),
        (bytes(range(256)) * 10, "not a crystal file"),
    ],
    ids=["zip", "tar", "tar.gz", "pickle", "cut", "blank", "blanks", "empty", "noise"],
)
@pytest.mark.parametrize("name", ["a", "a.gz", "a.zip"])
def test_what_is_no_crystal(write, data, message, name):
    with pytest.raises(UnreadableCrystal, match=message):
        read_crystal(write(data, name))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.cif")
    for path in (tmp_path / "pipe.cif", "/dev/zero", "/dev/null"):
        with pytest.raises(UnreadableCrystal, match="not a regular file"):
            read_crystal(path)


@pytest.mark.parametrize("path", ["\0", "a\0b.cif", "x" * 5000, ""])
def test_impossible_names(path):
    with pytest.raises(UnreadableCrystal):
        read_crystal(path)


@pytest.mark.parametrize(
    "given",
    [None, 3, 2.5, b"a.cif", [], {}, (), ["a.cif"], {"lattice": 3}, object(), str, float("nan")],
)
def test_wrong_types(given):
    with pytest.raises(CrystalError, match="is not a crystal; give a file"):
        read_crystal(given)


@pytest.mark.parametrize("name", [*TEXTS, "a.json"])
def test_size_is_bounded_packed_or_not(write, monkeypatch, name):
    monkeypatch.setenv("CGXAS_MAX_FILE_BYTES", "1000")
    for data in (b"x" * 1001, gzip.compress(b"x" * 100_000)):
        with pytest.raises(UnreadableCrystal, match="CGXAS_MAX_FILE_BYTES"):
            read_crystal(write(data, name))


MANY = 300_000
LARGE = {
    "a.xyz": "1000000000\nc\nFe 0 0 0\n",
    "b.xyz": f"{MANY}\nc\n" + "Fe 0 0 0\n" * MANY,
    "POSCAR": POSCAR.replace("1 1\nD", "999999999 999999999\nD"),
    "a.cell": "%block positions_frac\n" + "Fe 0 0 0\n" * MANY,
    "geometry.in": "atom 0 0 0 Fe\n" * MANY,
    "a.pwi": "&system\nibrav=1, celldm(1)=9\n/\nATOMIC_POSITIONS bohr\n" + "Fe 0 0 0\n" * MANY,
    "feff.inp": "POTENTIALS\n0 26 Fe\nATOMS\n" + "0 0 0 0\n" * MANY,
    "atoms.inp": "space fcc\na 3\natoms\n" + "Fe 0 0 0\n" * MANY,
    "a.res": "CELL 1 3 3 3 90 90 90\nLATT 4\nSFAC Fe\n" + "Fe 1 0 0 0 11\n" * MANY,
    "a.json": "[" + "[]," * 1_500_000 + "[]]",
    "a.lmp": "x\n\n999999999 atoms\n1 atom types\n\nAtoms\n\n1 1 0 0 0\n",
    "a.gen": "999999999 S\nFe\n1 1 0 0 0\n",
    "a.cfg": "Number of particles = 999999999\nA = 1.0\n",
    "a.cube": "a\nb\n 9999999 0 0 0\n 9 1 0 0\n 9 0 1 0\n 9 0 0 1\n26 0 0 0 0\n",
    "a.pdb": "HETATM    1  Fe  MOL     1       0.000   0.000   0.000  1.00  0.00          FE\n"
    * MANY,
    "a.cif": CIF + "Fe 0 0 0\n" * MANY,
}


@pytest.mark.parametrize("name", LARGE)
def test_too_many_atoms_are_refused_soon(write, name):
    path = write(LARGE[name], name)
    start = time.monotonic()
    if name == "a.cfg":
        path = write("Number of particles = 999999999\n" * 2, name)
    with pytest.raises(CgxasError, match="CGXAS_MAX_ATOMS"):
        read_crystal(path)
    assert time.monotonic() - start < 5


HEADS = {
    "a": "x",
    "a.xyz": "8\n",
    "POSCAR": "",
    "a.cell": "%block lattice_cart\n",
    "feff.inp": "POTENTIALS\n0 26 Fe\nATOMS\n",
    "a.pwi": "&system\n",
    "a.lmp": "x\n\n2 atoms\n1 atom types\n",
    "a.res": "CELL 1 3 3 3 90 90 90\nSFAC Fe\n",
    "a.pdb": "CRYST1\n",
    "a.gen": "3 S\n",
    "atoms.inp": "space fcc\natoms\n",
    "a.xsf": "CRYSTAL\n",
    "a.json": "{",
    "a.cif": "data_a\n_cell_length_a 3\n",
}


@pytest.mark.parametrize("name", HEADS)
def test_a_line_of_millions_of_blanks(write, name):
    path = write(HEADS[name] + " " * 5_000_000 + "1\n", name)
    start = time.monotonic()
    with pytest.raises(CgxasError):
        read_crystal(path)
    assert time.monotonic() - start < 5
