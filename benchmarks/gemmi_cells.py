"""Runs where gemmi is installed, started by `gemmi_counts.py`: CIFs in, JSON lines out.

    python benchmarks/gemmi_cells.py FOLDER

A line for each file: its name, the sum of occupancies of every element in the unit cell, and what
the file states about itself.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import gemmi

STATED = {
    "formula": "_chemical_formula_sum",
    "z": "_cell_formula_units_Z",
    "density": "_exptl_crystal_density_diffrn",
    "symbol": "_symmetry_space_group_name_H-M",
}


def cell(path: Path) -> dict[str, object]:
    """Return what gemmi makes of a CIF, or the reason why nothing."""
    try:
        blocks = list(gemmi.cif.read(str(path)))
        block = next((b for b in blocks if b.find_values("_atom_site_fract_x")), blocks[0])
        structure = gemmi.make_small_structure_from_block(block)
        counts: Counter[str] = Counter()
        for site in structure.get_all_unit_cell_sites():
            counts[site.element.name] += site.occ
    except Exception as error:
        return {"file": path.name, "refused": " ".join(str(error).split())}
    stated = {name: block.find_value(tag) for name, tag in STATED.items()}
    return {
        "file": path.name,
        "counts": counts,
        "sites": len(structure.sites),
        "group": structure.spacegroup.xhm() if structure.spacegroup else None,
        "volume": structure.cell.volume,
        "stated": {name: gemmi.cif.as_string(text) for name, text in stated.items() if text},
    }


for file in sorted(Path(sys.argv[1]).glob("*.cif")):
    print(json.dumps(cell(file)))
