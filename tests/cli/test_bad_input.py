"""Bad crystals, absorbers and outputs: one sentence, exit 2, nothing written."""

from pathlib import Path

import pytest

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00"
CELL = ["Fe", "1.0", "2.87 0 0", "0 2.87 0", "0 0 2.87", "Fe", "2", "Direct"]


def poscar(*lines: str, replace: dict[int, str] | None = None) -> str:
    words = [*CELL, *(lines or ("0 0 0", "0.5 0.5 0.5"))]
    for n, text in (replace or {}).items():
        words[n] = text
    return "\n".join(words) + "\n"


def cif(*atoms: str, name: str = "iron", a: str = "2.87") -> str:
    """A cubic CIF; an atom is 'label symbol x y z occupancy'."""
    return f"""data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_symmetry_equiv_pos_as_xyz
 'x, y, z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
""" + "".join(f"{atom}\n" for atom in atoms)


TWO = ("Fe1 Fe 0 0 0 1", "Fe2 Fe 0.5 0.5 0.5 1")

# name of the case: (file name, its content, what the sentence says)
CRYSTALS: dict[str, tuple[str, str | bytes, str]] = {
    "empty file": ("empty.cif", "", "is empty"),
    "whitespace only": ("blank.cif", " \n\t\n", "is empty"),
    "binary garbage": ("noise.cif", bytes(range(256)) * 8, "is not a text"),
    "a picture named POSCAR": ("POSCAR", PNG, "not a readable POSCAR"),
    "a picture named cif": ("figure.cif", PNG, "is not a text"),
    "a text": ("letter.txt", "Dear editor,\nsee the crystal.\n", "not a crystal file"),
    "a text named POSCAR": ("POSCAR", "Dear editor,\nsee the crystal.\n", "not a readable POSCAR"),
    "a spectrum": ("fe.csv", "energy,mu\n7112,0.1\n7113,0.2\n", "not a crystal file"),
    "json of something else": ("a.json", '{"a": 1}', "holds no crystal"),
    "broken json": ("a.json", '{"a": ', "not valid JSON"),
    "python code": ("a.py", "raise SystemExit(0)\n", "not a crystal file"),
    "CIF cut in the cell": ("cut.cif", cif(*TWO)[:60], "not a readable CIF"),
    "CIF cut before the atoms": ("cut.cif", cif(), "not a readable CIF"),
    "CIF cut in an atom": ("cut.cif", cif(*TWO)[:-13], "6 columns and 9 values"),
    "several crystals": (
        "two.cif",
        cif(*TWO) + cif(*TWO, name="more", a="3.2"),
        "2 crystals (iron, more)",
    ),
    "shared site": ("shared.cif", cif("Fe1 Fe 0 0 0 0.5", "Ni1 Ni 0 0 0 0.5"), "disordered"),
    "partly empty site": ("part.cif", cif("Fe1 Fe 0 0 0 0.7"), "disordered"),
    "occupancy above 1": ("over.cif", cif("Fe1 Fe 0 0 0 1.5"), "between 0 and 1"),
    "one place, two elements": (
        "clash.cif",
        cif("Fe1 Fe 0 0 0 1", "Ni1 Ni 0 0 0 1"),
        "two atoms stand at one place",
    ),
    "one atom listed twice": (
        "twice.cif",
        cif("Fe1 Fe 0 0 0 1", "Fe1 Fe 0 0 0 1"),
        "two atoms stand at one place",
    ),
    "one place, two labels": (
        "twice.cif",
        cif("Fe1 Fe 0 0 0 1", "Fe2 Fe 0 0 0 1"),
        "two atoms stand at one place",
    ),
    "atoms almost at one place": ("near.cif", cif("A Fe 0 0 0 1", "B Ni 0.05 0 0 1"), "0.14 A"),
    "unknown element in a CIF": (
        "xx.cif",
        cif("12 12 0 0 0 1", TWO[1]),
        "is of type '12', which is not",
    ),
    "made-up element in a CIF": (
        "qq.cif",
        cif("Qq1 Qq 0 0 0 1", TWO[1]),
        "is of type 'Qq', which is not",
    ),
    "hydrogens without places": ("wat.cif", cif("Wat1 Wat 0 0 0 1", TWO[1]), "hydrogen"),
    "NaN in a CIF": ("nan.cif", cif("Fe1 Fe nan 0 0 1", TWO[1]), "NaN"),
    "question mark in a CIF": ("unknown.cif", cif("Fe1 Fe ? ? ? 1", TWO[1]), "no coordinates"),
    "infinite cell": ("inf.cif", cif(*TWO, a="inf"), "finite"),
    "cell in nanometres": ("nm.cif", cif(*TWO, a="0.287"), "Angstrom"),
    "cell of no volume": ("POSCAR", poscar(replace={4: "2.87 2.87 0"}), "volume"),
    "cell of zeros": ("POSCAR", poscar(replace={2: "0 0 0"}), "volume"),
    "NaN in a POSCAR": ("POSCAR", poscar("nan 0 0", "0.5 0.5 0.5"), "finite"),
    "NaN in the lattice": ("POSCAR", poscar(replace={2: "nan 0 0"}), "finite"),
    "two atoms at one place": ("POSCAR", poscar("0 0 0", "0 0 0"), "0.00 A apart"),
    "two atoms a cell apart": ("POSCAR", poscar("0 0 0", "1 0 0"), "0.00 A apart"),
    "POSCAR with missing atoms": ("POSCAR", poscar("0 0 0"), "says 2 atoms and lists 1"),
    "no atoms": ("POSCAR", poscar(replace={6: "0"}), "no"),
    "dummy species": ("dummy.cif", cif("X1 X 0 0 0 1", TWO[1]), "X"),
    "element beyond lawrencium": (
        "rf.cif",
        cif("Rf1 Rf 0 0 0 1", TWO[1]),
        "is of type 'Rf', which is not",
    ),
    "unknown element": ("POSCAR", poscar(replace={5: "Zz"}), "'Zz', which is not"),
}


@pytest.mark.parametrize("case", CRYSTALS)
def test_bad_crystal(case, refused, random_model, crystals, tmp_path):
    name, content, says = CRYSTALS[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    words = ["--absorber", "Fe", "--model", random_model, "-o", "old.xdi", "--plot", "fe.png"]
    line = refused("predict", path, *words)
    assert str(path) in line
    assert says in line


@pytest.mark.parametrize("case", CRYSTALS)
def test_bad_crystal_beside_a_good_one(case, predict_some, crystals, tmp_path):
    name, content, _ = CRYSTALS[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = predict_some(crystals / "iron.cif", path, "-a", "Fe", "-o", "fe.parquet")
    assert len(answer.out.splitlines()) == 2
    *_, wrote, left, count = answer.err.splitlines()
    assert wrote == "wrote fe.parquet"
    assert left.startswith("left out: ")
    assert str(path) in left
    assert count == "left out 1 of 2 crystals"


PATHS: dict[str, tuple[str, str]] = {
    "missing": ("nothing.cif", "no such file"),
    "missing folder": ("nowhere/a.cif", "no such file"),
    "a folder without crystals": (".", "no crystal in it; it holds"),
    "no name": ("", "no crystal in it"),
    "a name that is too long": ("a" * 5000, "too long"),
    "a device": ("/dev/zero", "not a regular file"),
    "brackets in the name": ("[bold]a[/bold].cif", "[bold]a[/bold].cif: no such file"),
    "a line break in the name": ("a\nb.cif", "a b.cif: no such file"),
    "an escape in the name": ("a\x1b[2Jb.cif", "a\\x1b[2Jb.cif: no such file"),
}


@pytest.mark.parametrize("case", PATHS)
def test_bad_path(case, refused, random_model):
    path, says = PATHS[case]
    assert says in refused("predict", path, "-a", "Fe", "-m", random_model, "-o", "fe.csv")


ABSORBERS = {
    "Rn": "random has no answer for Rn; it knows Li, Be",
    "He": "no answer for He",
    "H": "no answer for H",
    "Cs": "no answer for Cs",
    "I": "no answer for I",
    "Xx": "'Xx' is not a chemical element",
    "fe": "did you mean Fe?",
    "FE": "did you mean Fe?",
    "26": "'26' is not a chemical element",
    "Fe,O": "'Fe,O' is not a chemical element",
    "": "'' is not a chemical element",
    "Ni": "holds no Ni; it holds Li, O, P, Fe",
}


@pytest.mark.parametrize("absorber", ABSORBERS)
def test_bad_absorber(absorber, refused, random_model, crystals):
    words = ["predict", crystals / "LiFePO4.cif", "-m", random_model, "-o", "fe.xdi"]
    assert ABSORBERS[absorber] in refused(*words, "-a", absorber)
    assert ABSORBERS[absorber] in refused(*words, "-a", "Fe", "-a", absorber)


def test_all_absorbers_of_a_crystal_without_any(refused, random_model, tmp_path):
    path = tmp_path / "gold.cif"
    path.write_text(cif("Au1 Au 0 0 0 1"))
    assert "holds Au" in refused("predict", path, "-a", "all", "-m", random_model, "-o", "a.csv")


OUTPUTS = {
    "unknown suffix": (["-o", "fe.docx"], "use .xdi, .json, .csv, .prj, .parquet"),
    "no suffix": (["-o", "fe"], "no known file type"),
    "unknown plot suffix": (["--plot", "fe.bmp"], "use .png, .svg, .pdf"),
    "no such folder": (["-o", "nowhere/fe.xdi"], "The folder nowhere does not exist"),
    "no such folder for the plot": (["--plot", "nowhere/fe.png"], "nowhere does not exist"),
    "output is a folder": (["-o", "a_folder.xdi"], "is a folder"),
    "plot is a spectrum": (["-o", "fe.xdi", "--plot", "fe.xdi"], "use .png, .svg, .pdf"),
    "output is a figure": (["-o", "fe.png", "--plot", "fe.png"], "use .xdi"),
    "no name": (["-o", ""], "no known file type"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_bad_output(case, refused, random_model, crystals):
    words, says = OUTPUTS[case]
    line = refused("predict", crystals / "iron.cif", "-a", "Fe", "-m", random_model, *words)
    assert says in line


def test_two_crystals_for_one_file(refused, random_model, crystals, tmp_path):
    twin = tmp_path / "Iron.cif"
    twin.write_bytes((crystals / "iron.cif").read_bytes())
    words = ["predict", crystals / "iron.cif", twin, "-a", "Fe", "-m", random_model]
    assert "would both be written to fe_Iron_Fe.xdi" in refused(*words, "-o", "fe.xdi")


def test_output_over_the_crystal(refused, random_model, crystals):
    path = Path("old.xdi")
    words = ["predict", path, "-a", "Fe", "-m", random_model]
    assert "is one of the crystals" in refused(*words, "-o", path)


def copies(source: Path, folder: Path, count: int) -> Path:
    """A folder with a crystal under so many names."""
    folder.mkdir()
    for n in range(count):
        (folder / f"{n}.cif").write_bytes(source.read_bytes())
    return folder


def test_figure_of_too_many_crystals(refused, random_model, crystals, tmp_path):
    many = copies(crystals / "iron.cif", tmp_path / "many", 25)
    words = ["predict", many, "-a", "Fe", "-m", random_model]
    line = refused(*words, "--plot", "fe.png")
    assert "up to 24 spectra; draw all on one axis with --overlay" in line


def test_figure_of_too_many_elements(refused, random_model, crystals, tmp_path):
    many = copies(crystals / "LiFePO4.cif", tmp_path / "many", 10)
    words = ["predict", many, "-a", "all", "-m", random_model]
    assert "1 to 24 spectra, not 40" in refused(*words, "--plot", "fe.png", "-o", "fe.parquet")


WORDS = {
    "no crystal": (["predict"], "missing argument 'CRYSTAL'"),
    "no absorber": (["predict", "fe.cif"], "missing option '--absorber'"),
    "unknown option": (["predict", "fe.cif", "--absorbr", "Fe"], "no such option: --absorbr"),
    "option without value": (["predict", "fe.cif", "-a"], "requires an argument"),
    "unknown command": (["predit", "fe.cif"], "Did you mean 'predict'? see"),
    "unknown models command": (["models", "show"], "no such command 'show'"),
    "unknown activation": (["models", "import", "a.pt", "-o", "b.safetensors", "--activation", "x"]
                           , "'elu', 'silu'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS)
def test_bad_words(case, refused):
    words, says = WORDS[case]
    assert says in refused(*words)
