"""How good a model is: metrics on bare arrays, baselines, reports."""
