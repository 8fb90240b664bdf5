"""Athena projects: read without obeying them, written through Larch."""
