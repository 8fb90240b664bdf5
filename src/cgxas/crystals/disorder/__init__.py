"""A disordered crystal -> ordered ones of its composition."""
