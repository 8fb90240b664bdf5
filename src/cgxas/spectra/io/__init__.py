"""Files of measured spectra: one module per kind; each gives a `Scan`."""
