"""Learning: one plain loop."""
