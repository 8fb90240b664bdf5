"""From simulated to measured: calibrating a model, and telling how well that went."""
