"""How far an answer can be trusted: what was met, what error is to be expected."""
