"""Structures -> Spectra: a model as the object users hold."""

from cgxas.predict.jobs import CrystalLike, Failure
from cgxas.predict.predictor import FEW, Predictor, load

__all__ = ["FEW", "CrystalLike", "Failure", "Predictor", "load"]
