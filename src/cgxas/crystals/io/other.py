"""Crystal files other than CIF, by what pymatgen or ASE make of them."""

from pathlib import Path
from typing import TYPE_CHECKING

from pymatgen.core.structure import Molecule, Structure

from cgxas.errors import UnreadableCrystal

if TYPE_CHECKING:
    from ase import Atoms


def read_other(path: Path) -> "Structure | Molecule | Atoms":
    """Read whatever pymatgen or ASE understand.

    Raises:
        UnreadableCrystal: neither does.
    """
    attempts = (_pymatgen_structure, _pymatgen_molecule, _ase_atoms)
    for attempt in attempts:
        try:
            found = attempt(path)
        except Exception:
            continue
        if len(found) > 0:
            return found
    raise UnreadableCrystal(f"{path} is not a crystal file that pymatgen or ASE can read")


def _pymatgen_structure(path: Path) -> Structure:
    return Structure.from_file(str(path))


def _pymatgen_molecule(path: Path) -> Molecule:
    molecule: Molecule = Molecule.from_file(str(path))  # type: ignore[assignment]
    return molecule


def _ase_atoms(path: Path) -> "Atoms":
    import ase.io

    found = ase.io.read(path, do_not_split_by_at_sign=True)
    return found[-1] if isinstance(found, list) else found
