"""CIF: text -> blocks -> what a block states and lists -> symmetry -> the atoms of the cell."""
