"""Crystals in, geometry out: reading, the canonical cell, the neighbour graph."""
