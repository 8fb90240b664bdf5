"""What someone with only a beamline needs: spectra, their edges, their files."""
