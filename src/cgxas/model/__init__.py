"""The network, its bases and its checkpoints: torch only, no files of crystals or spectra."""
