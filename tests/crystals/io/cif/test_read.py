"""CIFs as people have them: encodings, tags, blocks, labels, damage."""

import bz2
import codecs
import gzip
import warnings

import pytest

from cgxas.crystals.io.cif.read import crystal_of
from cgxas.crystals.io.read import read_structure
from cgxas.errors import (
    CrystalError,
    InvalidCell,
    ReadingWarning,
    UnreadableCrystal,
)

CELL = """_cell_length_a 4.212
_cell_length_b 4.212
_cell_length_c 4.212
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
"""
GROUP = "_symmetry_space_group_name_H-M 'F m -3 m'\n_symmetry_Int_Tables_number 225\n"
SITES = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
"""
ATOMS = SITES + "Mg1 Mg2+ 0 0 0\nO1 O2- 0.5 0.5 0.5\n"
PERICLASE = "data_periclase\n_publ_author 'Müller, K.'\n" + CELL + GROUP + ATOMS
NO_ATOMS = "data_global\n_journal_year 2020\n_journal_name '?'\n\n"


def labelled(rows: str, formula: str = "", cell: str = CELL, group: str = GROUP) -> str:
    """Return a CIF whose atoms have labels only."""
    stated = f"_chemical_formula_sum '{formula}'\n" if formula else ""
    sites = SITES.replace("_atom_site_type_symbol\n", "")
    return "data_x\n" + stated + cell + group + sites + rows.replace(";", "\n") + "\n"


@pytest.mark.parametrize(
    "data",
    [
        PERICLASE.encode(),
        codecs.BOM_UTF8 + PERICLASE.encode(),
        PERICLASE.encode("latin-1"),
        PERICLASE.encode("utf-16"),
        PERICLASE.encode("utf-16-le"),
        PERICLASE.encode("utf-16-be"),
        codecs.BOM_UTF16_BE + PERICLASE.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + PERICLASE.encode("utf-32-le"),
        PERICLASE.replace("\n", "\r\n").encode(),
        PERICLASE.replace("\n", "\r").encode(),
        gzip.compress(PERICLASE.encode()),
        bz2.compress(PERICLASE.encode()),
    ],
)
def test_encodings_and_line_ends(data, tmp_path):
    path = tmp_path / "a.cif"
    path.write_bytes(data)
    assert read_structure(path).formula == "Mg4 O4"


@pytest.mark.parametrize(
    "text",
    [
        PERICLASE.upper().replace("MG2+", "Mg2+").replace("MG1", "Mg1"),
        PERICLASE.replace("_cell_length", "_CELL_Length").replace("data_", "DATA_"),
        PERICLASE.replace("_atom_site_", "_atom_site.").replace("_cell_", "_cell."),
        PERICLASE.replace("_symmetry_space_group_name_H-M", "_space_group_name_H-M_alt"),
        PERICLASE.replace(GROUP, "_space_group_IT_number 225\n"),
        PERICLASE.replace("'F m -3 m'", "\u2018F m -3 m\u2019"),
        PERICLASE.replace("-3 m", "\u22123 m"),
        PERICLASE.replace("4.212", "4.212(3)"),
        PERICLASE.replace("0.5 0.5 0.5", "1/2 .5 5.0e-1"),
        PERICLASE.replace("_type_symbol", "_type_symbol\n_atom_site_occupancy")
        .replace("Mg2+", "Mg2+ .")
        .replace("O2-", "O2- ?"),
        PERICLASE.replace("Mg2+", "?").replace("O2-", "."),
        PERICLASE.replace("0 0 0", "0 0 0 # Mg 'at the origin"),
        PERICLASE.replace("data_periclase\n", ""),
        PERICLASE.replace("loop_\n", ""),
        NO_ATOMS + PERICLASE,
        PERICLASE + "\n" + NO_ATOMS,
        PERICLASE + "\ndata_published\n" + CELL + ATOMS.split("Mg1")[0] + "? ? ? ? ?\n",
        PERICLASE + "save_frame\n_cell_length_a 99\nsave_\n",
        PERICLASE + "_publ_section_comment\n;\ndata_in_a_text\n_cell_length_a 99\n;\n",
        PERICLASE + "loop_\n_geom_bond_atom\n_geom_bond_distance\nMg1 2.1 O1\n",
        PERICLASE + "_journal_title 'MgO's melting'\n",
    ],
)
def test_ways_to_write_a_cif(text):
    assert crystal_of(text, "a.cif").formula == "Mg4 O4"


def test_operations_without_quotes_or_with_numbers():
    for rows in ("x, y, z\n-x, -y, -z\n", "1 'x,y,z'\n2 '-x,-y,-z'\n", "1 x,y,z\n2 -X,-Y,-Z\n"):
        tags = "_symmetry_equiv_pos_as_xyz\n"
        if rows.startswith("1"):
            tags = "_symmetry_equiv_pos_site_id\n" + tags
        text = "data_x\n" + CELL + "loop_\n" + tags + rows + SITES + "Mg1 Mg .2 .2 .2\nO1 O 0 0 0\n"
        assert crystal_of(text, "a.cif").formula == "Mg2 O1"


def test_cartesian_coordinates_of_newer_dictionaries():
    text = PERICLASE.replace("fract_", "Cartn_").replace("0.5", "2.106")
    assert crystal_of(text, "a.mmcif").formula == "Mg4 O4"


def test_a_decimal_comma_is_told():
    with pytest.warns(ReadingWarning, match="decimal comma"):
        assert crystal_of(PERICLASE.replace("4.212", "4,212"), "a.cif").formula == "Mg4 O4"


def test_one_crystal_published_twice():
    primitive = (
        "data_b\n" + CELL.replace("4.212", "2.9783") + "_symmetry_space_group_name_H-M 'P 1'\n"
    ).replace(" 90\n", " 60\n") + ATOMS
    with pytest.warns(ReadingWarning, match="periclase, b describe the same crystal"):
        assert crystal_of(PERICLASE + primitive, "a.cif").formula == "Mg4 O4"
    with pytest.raises(UnreadableCrystal, match=r"holds 2 crystals \(periclase, b\)"):
        crystal_of(PERICLASE + primitive.replace("Mg", "Ca"), "a.cif")


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        (labelled("CU1 0 0 0; O1 .5 .5 .5", "Cu O"), "Cu4 O4"),
        (labelled("CO1 0 0 0; O1 .5 .5 .5", "Co O"), "Co4 O4"),
        (labelled("SN1 0 0 0; TE1 .5 .5 .5", "Sn Te"), "Sn4 Te4"),
        (labelled("Sn1 0 0 0; Te1 .5 .5 .5"), "Sn4 Te4"),
        (labelled("CaM4 0 0 0; OA1 .5 .5 .5"), "Ca4 O4"),
        (labelled("Ca_ae 0 0 0; O_ae .5 .5 .5"), "Ca4 O4"),
        (labelled("Ni2+ 0 0 0; O-H .5 .5 .5", "Ni O"), "Ni4 O4"),
        (labelled("CI 0 0 0; BII .5 .5 .5", "B C"), "B4 C4"),
        (PERICLASE.replace("Mg2+", "T1").replace("data_", "data_") + "\n"
         "_chemical_formula_sum 'Mg O'\n", "Mg4 O4"),
        (PERICLASE.replace("O1 O2-", "O1 D"), "Mg4 H4"),
        (PERICLASE.replace("O1 O2-", "H2O O"), "Mg4 O4"),
        (PERICLASE.replace("Mg1 Mg2+", "T1 Mg"), "Mg4 O4"),
    ],
)  # fmt: skip
def test_labels_are_read_by_what_the_file_says_elsewhere(text, formula):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadingWarning)
        found = crystal_of(text, "a.cif")
    assert sorted(found.formula.split()) == sorted(formula.split())


def test_water_is_oxygen_where_the_formula_says_so():
    text = labelled("Na1 0 0 0; Wat .5 .5 .5", "Na H2 O")
    with pytest.warns(ReadingWarning, match="hydrogen"):
        assert crystal_of(text, "a.cif").formula == "Na4 O4"


def test_a_label_that_the_formula_contradicts_is_told():
    with pytest.warns(ReadingWarning, match="labels mean: Bi as B"):
        assert crystal_of(labelled("Li1 0 0 0; Bi .5 .5 .5", "Li B"), "a").formula == "Li4 B4"


def test_a_guess_is_told():
    with pytest.warns(ReadingWarning, match="guessed from the labels of atoms: CU1 as Cu"):
        assert crystal_of(labelled("CU1 0 0 0; O1 .5 .5 .5"), "a.cif").formula == "Cu4 O4"


@pytest.mark.parametrize(
    "label",
    ["T1", "M1", "X", "H2O", "Wat", "OH", "O-H", "OW", "Va", "Uue", "Mn,Fe", "FeMg1", "1", "HO1"],
)
def test_labels_without_an_element_are_refused_by_name(label):
    with pytest.raises(UnreadableCrystal, match=f"label '{label}'"):
        crystal_of(labelled(f"Ni1 0 0 0; {label} .5 .5 .5"), "a.cif")


@pytest.mark.parametrize("kind", ["T1", "H2O", "Va", "Uue", "Mn,Fe", "26", "X"])
def test_types_without_an_element_are_refused_by_name(kind):
    with pytest.raises(UnreadableCrystal, match=f"Mg1 is of type '{kind}'"):
        crystal_of(PERICLASE.replace("Mg2+", kind), "a.cif")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (PERICLASE.replace("_a 4.212", "_a 0"), InvalidCell, "_cell_length_a is 0"),
        (PERICLASE.replace("_a 4.212", "_a -4.2"), InvalidCell, "_cell_length_a is -4.2"),
        (PERICLASE.replace("_a 4.212", "_a ?"), InvalidCell, "states no _cell_length_a"),
        (PERICLASE.replace("_a 4.212", "_a nan"), InvalidCell, "not a finite number"),
        (PERICLASE.replace("_a 4.212", "_a 1e999"), InvalidCell, "not a finite number"),
        (PERICLASE.replace("gamma 90", "gamma 0"), InvalidCell, "_cell_angle_gamma is 0"),
        (PERICLASE.replace("gamma 90", "gamma 180"), InvalidCell, "_cell_angle_gamma is 180"),
        (PERICLASE.replace("alpha 90", "alpha 20").replace("gamma 90", "gamma 120"),
         InvalidCell, "close no cell"),
        (PERICLASE.replace("0.5 0.5 0.5", "0.5 inf 0.5"), InvalidCell, "atom O1 is 'inf'"),
        (PERICLASE.replace("0.5 0.5 0.5", "0.5 0.5"), UnreadableCrystal, "9 values"),
        (PERICLASE.replace("_atom_site_fract_z\n", ""), UnreadableCrystal, "columns"),
        (PERICLASE + "_a\n;\nnever ends\n", UnreadableCrystal, "ends within the text"),
        (PERICLASE + CELL.replace("4.212", "5"), UnreadableCrystal, "_cell_length_a twice"),
        (PERICLASE + "_cell_modulation_dimension 1\n", UnreadableCrystal, "modulated"),
        (NO_ATOMS, UnreadableCrystal, "lists no atoms"),
        (PERICLASE.replace("_fract_", "_"), UnreadableCrystal, "lists no atoms"),
    ],
)  # fmt: skip
def test_damage_is_refused_by_name(text, error, words):
    with pytest.raises(error, match=words):
        crystal_of(text, "a.cif")


def test_a_binary_file_is_refused(tmp_path):
    path = tmp_path / "a.cif"
    path.write_bytes(b"data_\x00\x01\x02" * 10)
    with pytest.raises(UnreadableCrystal):
        read_structure(path)


@pytest.mark.parametrize(
    "text",
    [
        " " * 1_000_000 + PERICLASE,
        "\n" * 1_000_000 + PERICLASE,
        PERICLASE + "'" * 1_000_000 + "x",
        PERICLASE + "'a " * 300_000 + "x",
        PERICLASE + "_b " * 5_000,
        "data_" * 100_000,
        PERICLASE.replace("'F m -3 m'", "'" + "F " * 100_000 + "'"),
        PERICLASE.replace("4.212", "1" * 100_000),
        PERICLASE + "_chemical_formula_sum '" + "(" * 100_000 + "'",
        PERICLASE + "loop_\n_refln_index_h\n" + "1 2 3\n" * 200_000,
    ],
)
def test_size_alone_costs_little(text, monkeypatch):
    monkeypatch.setattr("cgxas.crystals.io.cif.blocks._MOST_TAGS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReadingWarning)
        try:
            assert crystal_of(text, "a.cif").formula == "Mg4 O4"
        except CrystalError as error:
            assert str(error).startswith("a.cif")


def test_atoms_without_bounds_are_refused():
    text = PERICLASE + "O1 O 0 0 0\n" * 30_000
    with pytest.raises(UnreadableCrystal, match="CGXAS_MAX_ATOMS"):
        crystal_of(text, "a.cif")


@pytest.mark.parametrize("name", ["a.cif", "A.CIF", "a.mcif", "a.txt", "POSCAR"])
def test_a_cif_is_known_by_its_content_whatever_its_name(tmp_path, name):
    (tmp_path / name).write_text(PERICLASE, encoding="utf-16")
    assert read_structure(tmp_path / name).formula == "Mg4 O4"
