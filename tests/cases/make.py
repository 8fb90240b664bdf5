"""Writes `further.json` and the files it names.

The crystals are textbook ones, some with a fault that real files have; the spectra are curves with
their steepest rise at a known energy.

    python tests/cases/make.py
"""

import gzip
import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
FILES = HERE / "files"
HC = 12398.419843
"""Planck's constant times the speed of light, eV Angstrom."""

CASES: list[dict] = []


def case(name: str, content: str | bytes, args: list[str], accept: list[dict], what: str) -> None:
    """Write a file, and remember what becomes of it."""
    data = content.encode() if isinstance(content, str) else content
    (FILES / name).write_bytes(data)
    CASES.append({"file": name, "args": args, "accept": accept, "what": what})


def answered(*output: str) -> dict:
    return {"rc": 0, "output": list(output)}


def refused(*output: str) -> dict:
    return {"rc": 2, "output": list(output) or ["."]}


def predict(absorber: str, *words: str) -> list[str]:
    return ["predict", "{f}", "-a", absorber, *words]


def spectrum(*words: str) -> list[str]:
    return ["spectrum", "{f}", *words]


def at(e0: int) -> str:
    """Return the expression for the line of E0, within 0.7 eV."""
    return rf"E0 +({e0 - 1}\.[3-9]|{e0}\.[0-6])\d* eV"


# --------------------------------------------------------------------------------- crystals


def cif(
    name: str,
    cell: tuple[float, ...],
    group: str,
    atoms: str,
    *,
    head: str = "",
    number: int | None = None,
    operations: str = "",
    types: bool = True,
    occupancy: bool = False,
) -> str:
    """Return a CIF; cell as a b c alpha beta gamma, atoms a row each."""
    lines = [f"data_{name}", *filter(None, head.splitlines())]
    for tag, value in zip(("a", "b", "c"), cell[:3], strict=True):
        lines.append(f"_cell_length_{tag} {value}")
    for tag, value in zip(("alpha", "beta", "gamma"), cell[3:], strict=True):
        lines.append(f"_cell_angle_{tag} {value}")
    if group:
        lines.append(f"_symmetry_space_group_name_H-M '{group}'")
    if number:
        lines.append(f"_symmetry_Int_Tables_number {number}")
    if operations:
        lines += ["loop_", "_symmetry_equiv_pos_as_xyz"]
        lines += [f"'{each}'" for each in operations.split("\n") if each]
    lines += ["loop_", "_atom_site_label"]
    if types:
        lines.append("_atom_site_type_symbol")
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"]
    if occupancy:
        lines.append("_atom_site_occupancy")
    return "\n".join([*lines, *(row.strip() for row in atoms.strip().splitlines()), ""])


def cubic(a: float) -> tuple[float, ...]:
    return (a, a, a, 90, 90, 90)


def hexagonal(a: float, c: float) -> tuple[float, ...]:
    return (a, a, c, 90, 90, 120)


def tetragonal(a: float, c: float) -> tuple[float, ...]:
    return (a, a, c, 90, 90, 90)


def rhombohedral(a: float, alpha: float) -> tuple[float, ...]:
    return (a, a, a, alpha, alpha, alpha)


def salt(metal: str, anion: str) -> str:
    """Return the eight atoms of rock salt."""
    rows = []
    for n, (x, y, z) in enumerate(((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)), 1):
        rows.append(f"{metal}{n} {metal} {x} {y} {z}")
        rows.append(f"{anion}{n} {anion} {(x + 0.5) % 1} {y} {z}")
    return "\n".join(rows)


RUTILE = """x,y,z
-x,-y,z
-y+1/2,x+1/2,z+1/2
y+1/2,-x+1/2,z+1/2
-x+1/2,y+1/2,-z+1/2
x+1/2,-y+1/2,-z+1/2
y,x,-z
-y,-x,-z
-x,-y,-z
x,y,-z
y+1/2,-x+1/2,-z+1/2
-y+1/2,x+1/2,-z+1/2
x+1/2,-y+1/2,z+1/2
-x+1/2,y+1/2,z+1/2
-y,-x,z
y,x,z
"""


def extended_xyz() -> None:
    what = "extended XYZ with Lattice=: a crystal, not a molecule"
    rows = [("Mn", 0, 0, 0), ("Mn", 0, 2.2225, 2.2225), ("Mn", 2.2225, 0, 2.2225)]
    rows += [("Mn", 2.2225, 2.2225, 0), ("O", 2.2225, 0, 0), ("O", 0, 2.2225, 0)]
    rows += [("O", 0, 0, 2.2225), ("O", 2.2225, 2.2225, 2.2225)]
    head = 'Lattice="4.445 0 0 0 4.445 0 0 0 4.445" Properties=species:S:1:pos:R:3:forces:R:3'
    body = "\n".join(" ".join(map(str, row)) + " 0.0 0.0 0.0" for row in rows)
    case(
        "01a_manganosite.xyz",
        f"8\n{head} energy=-70.1\n{body}\n",
        predict("Mn"),
        [answered(r"MnO .*×4 .*\s(1\.[6-9]\d|2\.0\d)\b")],
        what + ", forces besides and no pbc",
    )
    case(
        "01b_copper.xyz",
        '1\nLattice="0 1.8075 1.8075 1.8075 0 1.8075 1.8075 1.8075 0" pbc="T T T"\nCu 0 0 0\n',
        predict("Cu"),
        [answered(r"Cu .*×1 .*\s1\.[12]\d\b")],
        what + ", one atom in a primitive cell",
    )
    rutile = "Ti 0 0 0\nTi 2.297 2.297 1.4795\nO 1.4012 1.4012 0\nO 3.1928 3.1928 0\n"
    rutile += "O 0.8958 3.6982 1.4795\nO 3.6982 0.8958 1.4795\n"
    case(
        "01c_rutile.xyz",
        '6\nProperties=species:S:1:pos:R:3 Lattice="4.594 0 0 0 4.594 0 0 0 2.959"\n' + rutile,
        predict("Ti"),
        [answered(r"TiO2 .*×2 .*\s1\.[67]\d\b")],
        what,
    )


def rhombohedral_axes() -> None:
    what = "rhombohedral cell, no operations listed"
    case(
        "02a_siderite.cif",
        cif(
            "siderite",
            rhombohedral(5.7981, 47.729),
            "R -3 c",
            "Fe 0 0 0\nC .25 .25 .25\nO .5243 -.0243 .25",
            number=167,
            types=False,
            head="_chemical_formula_sum 'C Fe O3'",
        ),
        predict("Fe"),
        [answered("FeCO3 .*×2")],
        what,
    )
    case(
        "02b_eskolaite.cif",
        cif(
            "eskolaite",
            rhombohedral(5.362, 55.107),
            "R -3 c :R",
            "Cr1 Cr .3475 .3475 .3475\nO1 O .5558 -.0558 .25",
            head="_cell_formula_units_Z 2",
        ),
        predict("Cr"),
        [answered("Cr2O3 .*×4")],
        what + ", setting :R",
    )
    case(
        "02c_lithium_cobaltate.cif",
        cif(
            "licoo2",
            rhombohedral(4.9588, 32.986),
            "R-3m",
            "Co1 Co 0 0 0\nLi1 Li .5 .5 .5\nO1 O .2399 .2399 .2399",
            number=166,
        ),
        predict("Co"),
        [answered("LiCoO2 .*×1")],
        what,
    )


def origins() -> None:
    what = "origin choice 2, no operations listed"
    case(
        "03a_cuprite.cif",
        cif(
            "cuprite",
            cubic(4.2696),
            "P n -3 m :2",
            "Cu1 Cu 0 0 0\nO1 O .25 .25 .25",
            number=224,
            head="_chemical_formula_sum 'Cu2 O'\n_cell_formula_units_Z 2",
        ),
        predict("Cu"),
        [answered("Cu2O .*×4")],
        what,
    )
    case(
        "03b_zinc_chromite.cif",
        cif(
            "zincochromite",
            cubic(8.3275),
            "F d -3 m :2",
            "Zn1 Zn .125 .125 .125\nCr1 Cr .5 .5 .5\nO1 O .2616 .2616 .2616",
            head="_cell_formula_units_Z 8",
        ),
        predict("Cr"),
        [answered(r"(ZnCr2O4|Zn\(CrO2\)2|Cr2ZnO4) .*×16")],
        what,
    )
    case(
        "03c_anatase.cif",
        cif(
            "anatase",
            tetragonal(3.7845, 9.5143),
            "I 41/a m d :2",
            "Ti1 Ti 0 .75 .125\nO1 O 0 .75 .3331",
            number=141,
            head="_chemical_formula_sum 'O2 Ti'",
        ),
        predict("Ti"),
        [answered("TiO2 .*×4")],
        what,
    )


def missing_operations() -> None:
    what = "only x,y,z listed, though group and Z are stated"
    for name, group, number, z, cell, atoms, absorber, whole in (
        (
            *("05a_bunsenite", "F m -3 m", 225, 4, cubic(4.177)),
            *("Ni1 Ni 0 0 0\nO1 O .5 .5 .5", "Ni", "NiO .*×4"),
        ),
        (
            *("05b_plattnerite_like", "P 42/m n m", 136, 2, tetragonal(4.396, 2.871)),
            *("Mn1 Mn 0 0 0\nO1 O .3046 .3046 0", "Mn", "MnO2 .*×2"),
        ),
        (
            *("05c_pyrite", "P a -3", 205, 4, cubic(5.4166)),
            *("Fe1 Fe 0 0 0\nS1 S .3849 .3849 .3849", "Fe", "FeS2 .*×4"),
        ),
    ):
        formula = {"Ni": "Ni O", "Mn": "Mn O2", "Fe": "Fe S2"}[absorber]
        case(
            f"{name}.cif",
            cif(
                name[4:],
                cell,
                group,
                atoms,
                number=number,
                operations="x, y, z",
                head=f"_chemical_formula_sum '{formula}'\n_cell_formula_units_Z {z}",
            ),
            predict(absorber),
            [answered(whole), refused()],
            what,
        )


def missing_hydrogen() -> None:
    what = "the formula holds hydrogen, the list of atoms none"
    named = [answered(r"hydrogen|\bH\b"), refused(r"hydrogen|\bH\b")]
    case(
        "07a_brucite_type.cif",
        cif(
            "mnoh2",
            hexagonal(3.322, 4.734),
            "P -3 m 1",
            "Mn1 Mn 0 0 0\nO1 O .33333 .66667 .2217",
            number=164,
            head="_chemical_formula_sum 'H2 Mn O2'",
        ),
        predict("Mn"),
        named,
        what,
    )
    case(
        "07b_goethite.cif",
        cif(
            "goethite",
            (9.9134, 3.0128, 4.58, 90, 90, 90),
            "P n m a",
            "Fe1 Fe .1459 .25 -.0486\nO1 O -.1990 .25 .2880\nO2 O -.0530 .25 -.1980",
            number=62,
            head="_chemical_formula_sum 'Fe H O2'\n_cell_formula_units_Z 4",
        ),
        predict("Fe"),
        named,
        what,
    )
    case(
        "07c_gypsum.cif",
        cif(
            "gypsum",
            (6.284, 15.2, 6.523, 90, 127.41, 90),
            "C 1 2/c 1",
            "Ca1 Ca .5 .0797 .25\nS1 S 0 .0773 .75\nO1 O .9632 .1319 .5505\n"
            "O2 O .7582 .0223 .6671\nOw O .3796 .1821 .4588",
            number=15,
            head="_chemical_formula_sum 'Ca H4 O6 S'\n_cell_formula_units_Z 4",
        ),
        predict("S"),
        named,
        what,
    )


def several_blocks() -> None:
    head = "data_global\n_journal_name_full 'J. Made Up'\n"
    head += "loop_\n_publ_author_name\n'A. B.'\n'C. D.'\n\n"
    structure = cif("I", cubic(4.177), "P 1", salt("Ni", "O"), number=1, operations="x,y,z")
    what = "blocks without atoms besides the structure"
    case("08a_authors.cif", head + structure, predict("Ni"), [answered("NiO .*×4")], what)
    rutile = cif("TiO2", tetragonal(4.594, 2.959), "P 42/m n m", "Ti1 Ti 0 0 0\nO1 O .305 .305 0")
    case(
        "08b_three_blocks.cif",
        head + rutile + "\ndata_refinement\n_refine_ls_R_factor_gt 0.021\n",
        predict("Ti"),
        [answered("TiO2 .*×2")],
        what + ", before and after",
    )
    cell = (
        "data_publication\n_cell_length_a 5.4166\n_cell_length_b 5.4166\n_cell_length_c 5.4166\n\n"
    )
    pyrite = cif("pyrite", cubic(5.4166), "P a -3", "Fe1 Fe 0 0 0\nS1 S .3849 .3849 .3849")
    case(
        "08c_cell_before.cif",
        cell + pyrite,
        predict("Fe"),
        [answered("FeS2 .*×4")],
        what + ", with a cell of its own",
    )
    for name, blocks, told in (
        ("20a_pauling_oxide", "NiO", "NiO .*×4"),
        ("20b_pauling_sulfide", "FeS2", "FeS2 .*×4"),
    ):
        first = structure.replace("data_I", "data_standardized") if blocks == "NiO" else pyrite
        empty = cif("published", cubic(4.177), "", "? ? ? ? ? ?", occupancy=True)
        whole = "data_sm_global\n_chemical_name_mineral 'x'\n\n" + first + "\n" + empty
        case(
            f"{name}.cif",
            whole,
            predict(blocks[:2]),
            [answered(told)],
            "a second block whose rows are question marks",
        )
    empty = cif("published", tetragonal(4.594, 2.959), "", ". . . . .")
    case(
        "20c_empty_block_first.cif",
        empty + "\n" + rutile,
        predict("Ti"),
        [answered("TiO2 .*×2")],
        "a first block whose row is dots",
    )


def encodings() -> None:
    rutile = cif("TiO2", tetragonal(4.594, 2.959), "P 42/m n m", "Ti1 Ti 0 0 0\nO1 O .305 .305 0")
    for name, content, what in (
        ("09a_mark_and_crlf.cif", b"\xef\xbb\xbf" + rutile.replace("\n", "\r\n").encode(), "BOM"),
        ("09b_utf16.cif", rutile.encode("utf-16"), "UTF-16"),
        (
            "09c_capital_tags.cif",
            rutile.replace("_cell_length_", "_CELL_LENGTH_").replace("_atom_site", "_Atom_Site"),
            "tags in capitals",
        ),
        ("09d_latin1.cif", ("# H. M\xfcller\n" + rutile).encode("latin-1"), "Latin-1 in a comment"),
    ):
        case(name, content, predict("Ti"), [answered("TiO2 .*×2")], what)


def rounded_positions() -> None:
    what = "special positions rounded to four digits"
    for metal, name, a, c, z in (
        ("Ni", "shandite", 5.565, 13.66, 0.2833),
        ("Co", "cobalt_shandite", 5.379, 13.19, 0.283),
    ):
        letter = "a" if metal == "Ni" else "b"
        heavy = "Pb" if metal == "Ni" else "Sn"
        place = "0.8333 0.1667 0.1667" if metal == "Ni" else "0.1667 0.3333 0.8333"
        case(
            f"11{letter}_{name}.cif",
            cif(
                name,
                hexagonal(a, c),
                "R -3 m",
                f"{heavy}1 {heavy} 0.3333 0.6667 0.6667\n{heavy}2 {heavy} 0.6667 0.3333 0.8333\n"
                f"{metal}1 {metal} {place}\nS1 S 0.6667 0.3333 {z + 1 / 3:.4f}",
                number=166,
                head=f"_chemical_formula_sum '{metal}3 {heavy}2 S2'\n_cell_formula_units_Z 3",
            ),
            predict(metal),
            [answered(rf"(?m)\S*{metal}3\S* .*×9|\S*{metal}3.*×9")],
            what,
        )
    case(
        "11c_laves_phase.cif",
        cif(
            "mgzn2",
            hexagonal(5.223, 8.566),
            "P 63/m m c",
            "Mg1 Mg 0.3333 0.6667 0.0625\nZn1 Zn 0 0 0\nZn2 Zn 0.8333 0.6667 0.25",
            number=194,
            head="_chemical_formula_sum 'Mg Zn2'\n_cell_formula_units_Z 4",
        ),
        predict("Zn"),
        [answered("MgZn2 .*×8|Zn2Mg .*×8")],
        what,
    )
    case(
        "11d_ni3sn.cif",
        cif(
            "ni3sn",
            hexagonal(5.295, 4.247),
            "P 63/m m c",
            "Ni1 Ni 0.8333 0.6667 0.25\nSn1 Sn 0.3333 0.6667 0.25",
            number=194,
        ),
        predict("Ni"),
        [answered("(SnNi3|Ni3Sn) .*×6")],
        what,
    )
    what = "thirds with three digits"
    for name, cell, group, atoms, absorber, whole in (
        (
            *("12a_molybdenite", hexagonal(3.16, 12.294), "P 63/m m c"),
            *("Mo1 Mo .333 .667 .25\nS1 S .333 .667 .621", "Mo", "MoS2 .*×2"),
        ),
        (
            *("12b_nickeline", hexagonal(3.619, 5.034), "P 63/m m c"),
            *("Ni1 Ni 0 0 0\nAs1 As .333 .667 .25", "Ni", "NiAs .*×2"),
        ),
        (
            *("12c_titanium_disulfide", hexagonal(3.407, 5.695), "P -3 m 1"),
            *("Ti1 Ti 0 0 0\nS1 S .333 .667 .249", "Ti", "TiS2 .*×1"),
        ),
        (
            *("12d_gallium_nitride", hexagonal(3.19, 5.189), "P 63 m c"),
            *("Ga1 Ga .667 .333 0\nN1 N .667 .333 .377", "Ga", "GaN .*×2"),
        ),
    ):
        case(
            f"{name}.cif",
            cif(name[4:], cell, group, atoms),
            predict(absorber),
            [answered(whole)],
            what,
        )


def listed_and_made() -> None:
    what = "all atoms of the cell are listed, and the operations that make them"
    atoms = "Ti1 0 0 0\nTi2 .5 .5 .5\nO1 .305 .305 0\nO2 -.305 -.305 0\n"
    atoms += "O3 .195 .805 .5\nO4 .805 .195 .5"
    case(
        "14a_rutile.cif",
        cif("TiO2", tetragonal(4.594, 2.959), "P 42/m n m", atoms, operations=RUTILE, types=False),
        predict("Ti"),
        [answered("TiO2 .*×2")],
        what,
    )
    case(
        "14b_periclase.cif",
        cif("MgO", cubic(4.212), "F m -3 m", salt("Mg", "O"), number=225),
        predict("Mg"),
        [answered("MgO .*×4")],
        what + ", by the group alone",
    )
    rows = ["Fe1 Fe 0 0 0", "Fe2 Fe .5 0 .5", "Fe3 Fe 0 .5 .5", "Fe4 Fe .5 .5 0"]
    u, v = 0.385, 0.115
    rows += [f"S1 S {u} {u} {u}", f"S2 S {-u} {-u} {-u}", f"S3 S {v} {-u} {0.5 + u}"]
    rows += [f"S4 S {-v} {u} {0.5 - u}", f"S5 S {-u} {0.5 + u} {v}", f"S6 S {u} {0.5 - u} {-v}"]
    rows += [f"S7 S {0.5 + u} {v} {-u}", f"S8 S {0.5 - u} {-v} {u}"]
    case(
        "14c_pyrite.cif",
        cif("FeS2", cubic(5.4166), "P a -3", "\n".join(rows), number=205),
        predict("Fe"),
        [answered("FeS2 .*×4")],
        what + ", by the group alone",
    )


def occupancies() -> None:
    for name, filled, what in (
        ("15a_dots", (".", "1.0"), "occupancy '.' beside 1.0"),
        ("15b_question_marks", ("?", "?"), "occupancy '?'"),
        ("15c_in_brackets", ("1.000(5)", "."), "occupancy with its deviation, and '.'"),
    ):
        atoms = f"Ti1 Ti 0 0 0 {filled[0]}\nO1 O .305 .305 0 {filled[1]}"
        case(
            f"{name}.cif",
            cif("TiO2", tetragonal(4.594, 2.959), "P 42/m n m", atoms, occupancy=True),
            predict("Ti"),
            [answered("TiO2 .*×2")],
            what,
        )
    for name, cell, group, atoms, absorber in (
        (
            *("22a_half_lithium", hexagonal(2.816, 14.05), "R -3 m"),
            *("Li1 Li 0 0 .5 0.5\nCo1 Co 0 0 0 1\nO1 O 0 0 .2395 1", "Co"),
        ),
        (
            *("22b_ferropericlase", cubic(4.24), "F m -3 m"),
            *("Mg1 Mg 0 0 0 0.84\nFe1 Fe 0 0 0 0.16\nO1 O .5 .5 .5 1", "Fe"),
        ),
        (
            *("22c_zinc_ferrite_mixed", cubic(8.44), "F d -3 m :2"),
            "Zn1 Zn .125 .125 .125 .8\nFe1 Fe .125 .125 .125 .2\n"
            "Fe2 Fe .5 .5 .5 1\nO1 O .26 .26 .26 1",
            "Zn",
        ),
    ):
        text = cif(name[4:], cell, group, atoms, occupancy=True)
        case(
            f"{name}.cif",
            text,
            predict(absorber),
            [refused("(?i)(occup|disorder).*--disorder")],
            "mixed or partly empty sites: refused, the option named",
        )
        case(
            f"{name}_majority.cif",
            text,
            predict(absorber if absorber != "Fe" else "Mg", "--disorder", "majority"),
            [answered("×")],
            "mixed or partly empty sites, and the option that goes on",
        )


def no_elements() -> None:
    what = "a label that is no element"
    for name, label, absorber in (
        ("16a_tetrahedral_site", "T2", "Mg"),
        ("16b_vacancy", "Vac", "Fe"),
        ("16c_superheavy", "Uue", "Ni"),
        ("16d_two_elements", "Mn,Fe", "Ni"),
        ("16e_unknown", "Q1", "Ti"),
    ):
        atoms = f"{absorber}1 0 0 0\n{label} .5 .5 .5"
        case(
            f"{name}.cif",
            cif(name[4:], cubic(4.2), "P 1", atoms, types=False, operations="x,y,z", number=1),
            predict(absorber),
            [refused(label)],
            what,
        )


def poscars() -> None:
    def poscar(comment: str, a: float, counts: str, places: str) -> str:
        return f"{comment}\n1.0\n{a} 0 0\n0 {a} 0\n0 0 {a}\n{counts}\nDirect\n{places}\n"

    named = refused("VASP ?4|symbols|elements")
    body = "0 0 0\n0.5 0.5 0.5"
    salt_places = "0 0 0\n0 .5 .5\n.5 0 .5\n.5 .5 0\n.5 0 0\n0 .5 0\n0 0 .5\n.5 .5 .5"
    what = "VASP 4 POSCAR: elements from line 1, or a refusal; never H and He"
    case(
        "17a_POSCAR",
        poscar("Ni Al", 2.887, "1 1", body),
        predict("Ni"),
        [answered("NiAl|AlNi"), named],
        what,
    )
    case(
        "17b_POSCAR",
        poscar("Mn O", 4.445, "4 4", salt_places),
        predict("Mn"),
        [answered("MnO .*×4"), named],
        what,
    )
    case(
        "17c_POSCAR",
        poscar("relaxed, step 12", 4.445, "4 4", salt_places),
        predict("Mn"),
        [named],
        "VASP 4 POSCAR that names no element: a refusal",
    )


def documents() -> None:
    def structure(symbols: tuple[str, str], a: float) -> dict:
        places = ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))
        return {
            "@module": "pymatgen.core.structure",
            "@class": "Structure",
            "lattice": {"matrix": [[a, 0, 0], [0, a, 0], [0, 0, a]]},
            "sites": [
                {"species": [{"element": symbol, "occu": 1}], "abc": list(place), "label": symbol}
                for symbol, place in zip(symbols, places, strict=True)
            ],
        }

    alloy, salt_like = structure(("Ni", "Al"), 2.887), structure(("Cs", "Cl"), 4.12)
    what = "the structure inside a document"
    document = {
        "material_id": "mp-1487",
        "formula_pretty": "AlNi",
        "structure": alloy,
        "band_gap": 0,
    }
    entry = {
        "@module": "pymatgen.entries.computed_entries",
        "@class": "ComputedStructureEntry",
        "energy": -11.2,
        "composition": {"Ni": 1.0, "Al": 1.0},
        "structure": alloy,
        "parameters": {"run_type": "GGA"},
    }
    for name, content, absorber, whole in (
        ("19a_document", document, "Ni", "NiAl|AlNi"),
        ("19b_computed_entry", entry, "Ni", "NiAl|AlNi"),
        ("19c_list_of_one", [{"task_id": "mp-22865", "structure": salt_like}], "Cl", "CsCl"),
    ):
        case(f"{name}.json", json.dumps(content), predict(absorber), [answered(whole, "×")], what)


# ---------------------------------------------------------------------------------- spectra


def curve(e0: float, before: float = 140, after: float = 420) -> tuple[np.ndarray, np.ndarray]:
    """Return energies and a step of 1 whose steepest rise lies at e0."""
    near = np.arange(-25.0, 45.0, 0.6)
    x = np.concatenate([np.arange(-before, -25, 8), near, np.arange(near[-1] + 2, after, 9)])
    norm = 0.5 + np.arctan(x / 1.3) / np.pi + 0.25 * np.exp(-((x - 7) ** 2) / 10)
    wiggles = np.where(x > 20, 0.03 * np.sin(0.5 * np.sqrt(np.abs(x)) * 6) * np.exp(-x / 150), 0)
    return e0 + x, norm + wiggles


def raw(e0: float) -> tuple[np.ndarray, np.ndarray]:
    """Return energies and mu: a step of 1.1 on a falling background."""
    energy, norm = curve(e0)
    return energy, 0.4 - 3e-4 * (energy - e0) + 1.1 * norm


def table(head: str, *columns: np.ndarray, between: str = " ", digits: int = 7) -> str:
    rows = (between.join(f"{v:.{digits}g}" for v in row) for row in zip(*columns, strict=True))
    return "\n".join([head, *rows, ""]) if head else "\n".join([*rows, ""])


def counts(mu: np.ndarray, i0: float = 2e5) -> tuple[np.ndarray, np.ndarray]:
    """Return I0 and transmitted counts."""
    first = i0 * (1 + 0.01 * np.sin(np.arange(mu.size) / 9))
    return first, first * np.exp(-mu)


def athena_projects() -> None:
    for name, element, edge, e0 in (
        ("30a_athena", "Pr", "l3", 5966),
        ("30b_athena", "Yb", "l3", 8946),
        ("30c_athena", "Er", "l3", 8360),
        ("30d_athena", "Ce", "L3", 5726),
    ):
        energy, mu = raw(e0)
        words = {
            "label": f"{element} oxide",
            **{"bkg_e0": str(e0), "bkg_eshift": "0", "bkg_z": element, "bkg_pre1": "-120"},
            **{"bkg_pre2": "-30", "bkg_nor1": "80", "bkg_nor2": "380", "fft_edge": edge},
            **{"is_xmu": "1", "is_nor": "0", "datatype": "xmu"},
        }
        arguments = ",".join(f"'{key}','{value}'" for key, value in words.items())
        rows = [
            "# Athena project file -- Demeter version 0.9.25",
            "# This file created at 2020-01-01T00:00:00",
            "",
            "$old_group = 'wxyz';",
            f"@args = ({arguments});",
            "@x = (" + ",".join(f"'{v:.4f}'" for v in energy) + ");",
            "@y = (" + ",".join(f"'{v:.6f}'" for v in mu) + ");",
            "[record]   # ",
            "",
            "@journal = {};",
            "",
            "1;",
            "",
        ]
        text = "\n".join(rows).encode()
        case(
            f"{name}.prj",
            gzip.compress(text, mtime=0) if name.startswith("30b") else text,
            spectrum(),
            [answered(rf"\b{element} L3\b", at(e0))],
            "an Athena project that states element and edge",
        )


def shifted_labels() -> None:
    what = "labels that do not fit their columns: a name must never lead to another column"
    never = [refused()]
    energy, mu = raw(8981)
    i0, it = counts(mu)
    flat = np.full(mu.size, 1200.0)
    seven = (energy, flat / 1000, i0, it, flat, i0 * mu / 10, flat * 2)
    legend = (
        "# scan file\n#  1) Mono Energy *    5) Flat One\n#  2) Timer            6) Fluo Sum\n"
        "#  3) I0               7) Flat Two\n#  4) It\n#\n# Column Headings:\n"
    )
    case(
        "31a_words_in_names.dat",
        table(legend + "#Mono Energy *  Timer  I0  It  Flat One  Fluo Sum  Flat Two", *seven),
        spectrum("--mu", "flat two/i0"),
        never,
        what + " (the column of the legend is flat)",
    )
    case(
        "31b_too_few_labels.dat",
        table("# energy i0 it fluo", *seven),
        spectrum("--mu", "fluo/i0"),
        never,
        what,
    )
    case(
        "31c_too_many_labels.dat",
        table("# scan point energy i0 it fluo roi1 roi2 temperature", *seven),
        spectrum("--mu", "roi1/fluo"),
        never,
        what,
    )
    case(
        "31d_legend_is_right.dat",
        table(legend + "#Mono Energy *  Timer  I0  It  Flat One  Fluo Sum  Flat Two", *seven),
        spectrum("--mu", "6/3"),
        [answered(at(8981)), refused()],
        "columns by number, where the legend numbers them",
    )


def calculated() -> None:
    for name, version, element, number, e0, lines in (
        ("33a_feff8_xmu.dat", "Feff 8.40", "Ni", 28, 8338, 0),
        ("33b_feff9_xmu.dat", "Feff9.9.1", "Fe", 26, 7119, 2),
        ("33c_feff85_xmu.dat", "Feff85L", "Zn", 30, 9663, 1),
    ):
        energy, norm = curve(e0, before=20, after=120)
        e = energy - e0
        k = np.sign(e) * np.sqrt(np.abs(e) * 0.262468)
        smooth = 0.5 + np.arctan(e / 1.3) / np.pi
        head = [f"# {element} oxide {'':40} {version}"]
        head += [f"# Abs   Z={number} Rmt= 1.288 Rnm= 1.435 K  shell"]
        head += [f"# Pot 1 Z= {8 + n} Rmt= 1.100 Rnm= 1.200" for n in range(lines)]
        head += ["# Gam_ch=1.329E+00 H-L exch", "#    12/  12 paths used"]
        head += ["#  xsedge+ 50, used to normalize mu           2.5002E-04"]
        head += ["#  " + "-" * 71, "#  omega    e    k    mu    mu0     chi     @#"]
        case(
            name,
            table("\n".join(head), energy, e, k, norm, smooth, norm - smooth),
            spectrum(),
            [answered("half step", at(e0))],
            "FEFF's xmu.dat: mu is column 4",
        )


def old_athena() -> None:
    for name, version, head, e0, element in (
        ("34a_athena.xmu", "Athena data file -- Athena version 0.8.056", "ee  xmu", 7714, "Co"),
        (
            *("34b_athena.xmu", "Athena data file -- Athena version 0.8.061"),
            *("ee        xmu       bkg       preline        postline", 8337, "Ni"),
        ),
        ("34c_athena.xmu", "Athena data file -- Athena version 0.8.037", "ee xmu bkg", 9661, "Zn"),
    ):
        energy, mu = raw(e0)
        n = len(head.split())
        others = (mu - 0.01, np.full(mu.size, 0.4), np.full(mu.size, 1.5))[: n - 2]
        top = f"# {version}\n# .  Element={element}   Edge=K\n#------------------------\n#   {head}"
        case(
            name,
            table(top, energy, mu, *others),
            spectrum(),
            [answered(at(e0))],
            "mu(E) saved by an old Athena: ee, xmu",
        )


def angles() -> None:
    for name, place, crystal, d, e0, mode in (
        ("35a_photon_factory.dat", "KEK-PF   BL12C ", "Si(111)", 3.13551, 8982, "2"),
        ("35b_aichi.dat", "AichiSR  BL5S1 ", "Si(111)", 3.13551, 7713, "2"),
        ("35c_spring8_311.dat", "SPring-8 BL01B1", "Si(311)", 1.63747, 9662, "2"),
        ("35d_spring8_fluorescence.dat", "SPring-8 BL14B2", "Si(111)", 3.13551, 7119, "3"),
    ):
        energy, mu = raw(e0)
        angle = np.degrees(np.arcsin(HC / (2 * d * energy)))
        i0, it = counts(mu)
        signal = it if mode == "2" else i0 * mu / 50
        n = energy.size
        head = (
            f"  9809     {place}\n sample 1  20.02.02 10:00 - 20.02.02 10:20\n made up\n"
            " Ring :   2.5 GeV   450.1 mA -  449.8 mA\n"
            f" Mono :   {crystal}       D=  {d:.5f} A    Initial angle= {angle[0]:.5f} deg\n"
            f" {place.split()[1]}     {'Transmission( 2)' if mode == '2' else 'Fluorescence( 3)'}"
            f"   Repetition=  1     Points= {n}\n"
            " Param file : x.prm       energy axis(2)     Block =    1\n\n"
            " Block      Init-Eng  Final-Eng      Step/eV     Time/s       Num\n"
            f"     1      {energy[0]:.2f}    {energy[-1]:.2f}         2.00       1.00       {n}\n"
            " Ortec( 0)     NDCH = 2\n"
            "  Angle(c)  Angle(o)    time/s         1         2\n"
            f"      Mode         0         0         1         {mode}\n"
            "    Offset         0         0     0.000     0.000"
        )
        rows = "\n".join(
            f"{a:10.5f}{a + 1e-4:10.5f}{1:10.2f}{x:10.0f}{y:10.0f}"
            for a, x, y in zip(angle, i0, signal, strict=True)
        )
        case(
            name,
            head + "\n" + rows + "\n",
            spectrum(),
            [answered(at(e0))],
            "9809 file: energies from the angles and the d-spacing of the header",
        )


def formulas() -> None:
    what = "formula of several columns"
    energy, mu = raw(7119)
    i0, it = counts(mu)
    part = [share * i0 * mu / 40 for share in (0.9, 1.0, 1.1, 1.05)]
    head = "# energy i0 it if1 if2 if3 if4"
    case(
        "36a_sum_of_all.dat",
        table(head, energy, i0, it, *part),
        spectrum("--mu", "sum(if*)/i0"),
        [answered(at(7119))],
        what,
    )
    case(
        "36b_log.dat",
        table(head, energy, i0, it, *part),
        spectrum("--mu", "log(i0/it)"),
        [answered(at(7119))],
        what,
    )
    energy, mu = raw(9661)
    i0, it = counts(mu)
    case(
        "36c_two_detectors.dat",
        table("# Energy Ion0 Ion1 ROI_A ROI_B", energy, i0, it, i0 * mu / 50, i0 * mu / 60),
        spectrum("--mu", "(ROI_A+ROI_B)/Ion0"),
        [answered(at(9661))],
        what,
    )
    case(
        "36d_dead_channel.dat",
        table("# energy i0 ge1 ge2 ge3", energy, i0, i0 * mu / 50, i0 * mu / 60, 0 * i0),
        spectrum("--mu", "(ge1+ge2)/i0"),
        [answered(at(9661))],
        what,
    )


def pandas_tables() -> None:
    what = "CSV with an unnamed index column"
    energy, mu = raw(8338)
    index = np.arange(mu.size)
    case(
        "37a_index.csv",
        table(",energy,mu", index, energy, mu, between=",", digits=8),
        spectrum(),
        [answered(at(8338))],
        what,
    )
    i0, it = counts(mu)
    case(
        "37b_index_and_counts.csv",
        table(",energy,i0,itrans", index, energy, i0, it, between=",", digits=8),
        spectrum(),
        [answered(at(8338))],
        what,
    )
    case(
        "37c_unnamed.csv",
        table("Unnamed: 0,energy,mu", index, energy, mu, between=",", digits=8),
        spectrum(),
        [answered(at(8338))],
        what,
    )


def steep() -> None:
    for name, element, e0, slope, step in (
        ("40a_sulfide.dat", "S", 2471, -2.4e-3, 0.035),
        ("40b_phosphide.dat", "P", 2147, -2.0e-3, 0.030),
        ("40c_chloride.dat", "Cl", 2824, -2.2e-3, 0.032),
    ):
        x = np.arange(-27.0, 130.0, 0.5)
        norm = 0.5 + np.arctan(x / 1.3) / np.pi + 0.3 * np.exp(-((x - 3) ** 2) / 8)
        mu = 0.5 + slope * x + step * norm
        case(
            name,
            table("# energy mu", e0 + x, mu),
            spectrum(),
            [answered(rf"\b{element} K\b")],
            "a small step on a steep background, 27 eV of pre-edge",
        )


def two_energies() -> None:
    said = r"(?i)energy.*(readback|set|column|achieved|encoder|\()"
    for name, first, second, e0 in (
        ("41a_setpoint.dat", "energy_setpoint", "energy_readback", 7714),
        ("41b_demand.dat", "energy_demand", "energy_encoder", 8982),
        ("41c_achieved.dat", "energy_requested", "energy_achieved", 9662),
    ):
        energy, mu = raw(e0)
        i0, it = counts(mu)
        case(
            name,
            table(f"# {first} {second} i0 it", np.round(energy), energy, i0, it),
            spectrum(),
            [answered(said, at(e0))],
            "two columns of energy: which one was taken is said",
        )


def lanthanoids() -> None:
    for name, edge, e0 in (
        ("42a_near_nickel.dat", "Er L3", 8361),
        ("42b_near_copper.dat", "Yb L3", 8947),
        ("42c_near_chromium.dat", "Pr L3", 5967),
    ):
        case(
            name,
            table("# energy mu", *raw(e0)),
            spectrum(),
            [answered(rf"\b{edge}\b", "(?i)guess|nearest"), refused()],
            "the nearest edge, and a note that it was guessed",
        )


def main() -> None:
    """Write everything."""
    FILES.mkdir(exist_ok=True)
    for make in (
        *(extended_xyz, rhombohedral_axes, origins, missing_operations, missing_hydrogen),
        *(several_blocks, encodings, rounded_positions, listed_and_made, occupancies, no_elements),
        *(poscars, documents, athena_projects, shifted_labels, calculated, old_athena, angles),
        *(formulas, pandas_tables, steep, two_energies, lanthanoids),
    ):
        make()
    text = json.dumps(sorted(CASES, key=lambda each: each["file"]), indent=1, ensure_ascii=False)
    (HERE / "further.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
