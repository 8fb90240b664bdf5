"""NeXus and other HDF5 files of spectra."""
