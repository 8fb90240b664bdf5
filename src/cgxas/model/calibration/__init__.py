"""What turns simulated spectra into measured ones, as objects that answer and go into files."""
