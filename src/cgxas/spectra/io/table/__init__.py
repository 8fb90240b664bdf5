"""Named columns of numbers, whatever file they are of -> energies in eV and mu."""
