"""Structures with spectra: data-set folders, splits, and what a network trains on."""
