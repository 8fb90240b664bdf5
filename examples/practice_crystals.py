"""Writes practice/antiperovskites: solid electrolytes whose oxygen the bundled models never met.

Cubic cells A3OX, oxygen in an octahedron of alkali metals; lattice constants in Angstrom, rounded,
near those that were measured (of Li3OCl and Li3OBr by Zhao & Daemen, doi:10.1021/ja305709z). For
practice only.
"""

from pathlib import Path

LATTICES = {
    "Li3OCl": 3.91,
    "Li3OBr": 4.02,
    "Na3OCl": 4.50,
    "Na3OBr": 4.57,
    "K3OBr": 5.21,
    "K3OI": 5.29,
}
CIF = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{metal}1 {metal} 0.5 0.5 0
O1 O 0.5 0.5 0.5
{halogen}1 {halogen} 0 0 0
"""


def main() -> None:
    """Write a CIF file of each."""
    folder = Path("practice/antiperovskites")
    folder.mkdir(parents=True, exist_ok=True)
    for name, a in LATTICES.items():
        metal, halogen = name.split("3O")
        text = CIF.format(name=name, a=a, metal=metal, halogen=halogen)
        (folder / f"{name}.cif").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
