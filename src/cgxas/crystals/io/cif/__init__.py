"""CIF: text -> blocks -> what a block states and lists -> symmetry -> the atoms of the cell."""

from cgxas.crystals.io.cif.read import looks_like_cif, read_cif

__all__ = ["looks_like_cif", "read_cif"]
