"""Scans, one or a series, as non-negative fractions of references."""
