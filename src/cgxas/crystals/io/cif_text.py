"""Files that list the atoms of an asymmetric unit -> the CIF that says the same.

A CIF's reader expands a space group, mends rounded places and checks what comes out, so that it
is done once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """One atom of the asymmetric unit.

    Attributes:
        label: of the atom, without blanks.
        element: symbol.
        place: three fractional coordinates.
        occupancy: share of the site that is filled.
    """

    label: str
    element: str
    place: tuple[float, float, float]
    occupancy: float = 1.0


def cif_text(
    cell: Sequence[float], sites: Iterable[Site], group: str = "", operations: Sequence[str] = ()
) -> str:
    """Return the text of a CIF.

    Args:
        cell: a, b, c (A), alpha, beta, gamma (degrees).
        sites: atoms of the asymmetric unit.
        group: Hermann-Mauguin symbol or number; empty if the operations are given.
        operations: all of the group, such as "-x,y+1/2,-z".
    """
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = ["data_crystal", *(f"_cell_{n} {v:.8g}" for n, v in zip(names, cell, strict=True))]
    if group.isdecimal():
        lines.append(f"_space_group_IT_number {group}")
    elif group:
        lines.append(f"_symmetry_space_group_name_H-M '{group}'")
    if operations:
        lines += ["loop_", "_symmetry_equiv_pos_as_xyz", *(f"'{each}'" for each in operations)]
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [f"_atom_site_fract_{axis}" for axis in "xyz"]
    lines += ["_atom_site_occupancy"]
    for site in sites:
        x, y, z = site.place
        lines.append(f"{site.label} {site.element} {x:.7f} {y:.7f} {z:.7f} {site.occupancy:.5g}")
    return "\n".join(lines) + "\n"
