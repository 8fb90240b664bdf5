"""CIF -> a pymatgen Structure that holds what the file states."""

import re
from pathlib import Path
from typing import Any

from pymatgen.core.structure import Structure

from cgxas.errors import CrystalError, OverlappingAtoms, UnreadableCrystal

_NAME = re.compile(r"\.m?cif(\.(gz|bz2|xz|lzma|z))?$", re.IGNORECASE)


def looks_like_cif(path: Path, content: bytes) -> bool:
    """Tell a CIF by its name, or by what it holds."""
    return bool(_NAME.search(path.name)) or (
        content.lstrip().startswith(b"data_") and b"_cell_length_a" in content
    )


def read_cif(path: Path) -> Structure:
    """Read the one crystal of a CIF.

    Raises:
        UnreadableCrystal: no CIF, no atoms, several crystals, or atoms that are lost.
        OverlappingAtoms: occupancies that add up to more than 1.
    """
    from pymatgen.io.cif import CifParser

    try:
        parser = CifParser(str(path), occupancy_tolerance=1.0)
        blocks = {
            name: block
            for name, block in parser.as_dict().items()
            if "_atom_site_fract_x" in block or "_atom_site_label" in block
        }
        _refuse_several(path, list(blocks))
        (structure,) = parser.parse_structures(primitive=False, check_occu=True, on_error="raise")
        _refuse_lost_atoms(path, next(iter(blocks.values())), structure)
    except CrystalError:
        raise
    except Exception as error:  # a damaged CIF fails anywhere in the parser, with any error
        if "exceeded tolerance" in str(error):
            raise OverlappingAtoms(
                f"{path}: the occupancies of a site add up to more than 1; two atoms stand at one "
                "place, or a number is wrong"
            ) from error
        raise UnreadableCrystal(f"{path} is not a readable CIF: {_one_line(error)}") from error
    return structure


def _refuse_several(path: Path, blocks: list[str]) -> None:
    if len(blocks) > 1:
        raise UnreadableCrystal(
            f"{path} holds {len(blocks)} crystals ({_listed(blocks)}); give a file for each"
        )
    if not blocks:
        raise UnreadableCrystal(f"{path} is not a readable CIF: it lists no atoms")


def _refuse_lost_atoms(path: Path, block: dict[str, Any], structure: Structure) -> None:
    """Refuse atoms that the parser leaves out without a word, or only implies."""
    labels = block["_atom_site_label"]
    occupancies = block.get("_atom_site_occupancy", ["1"] * len(labels))
    kept = {site.label for site in structure}
    for label, occupancy in zip(labels, occupancies, strict=True):
        is_empty = occupancy.strip("0.+") == "" and "0" in occupancy
        if structure.is_ordered and label not in kept and not is_empty:
            raise UnreadableCrystal(f"{path}: atom {label} is of no known element; correct it")
    if "implicit_hydrogens" in structure.site_properties:
        raise UnreadableCrystal(f"{path} implies hydrogen atoms without places; add them")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    text = text.removeprefix("No structure parsed for section 1 in CIF. ")
    return text if len(text) <= 120 else text[:117] + "..."
