"""Crystals -> spectra by FEFF10 itself, which nothing was learnt for."""

from cgxas.simulation.crystal import simulate

__all__ = ["simulate"]
