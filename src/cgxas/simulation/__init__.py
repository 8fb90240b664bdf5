"""Crystals -> spectra by FEFF10 itself, which nothing was learnt for."""

from cgxas.simulation.simulate import simulate

__all__ = ["simulate"]
