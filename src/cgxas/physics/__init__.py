"""What of a spectrum is a formula: edge energies, overlapped free atoms, scattering."""
