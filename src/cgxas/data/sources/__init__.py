"""Where spectra come from: one module per source, each yields what it finds, good or bad."""
