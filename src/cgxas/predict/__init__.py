"""Structures -> Spectra: a model as the object users hold."""

from cgxas.crystals.io.read import CrystalLike
from cgxas.predict.jobs import Failure
from cgxas.predict.many import Answered, answers_of
from cgxas.predict.predictor import FEW, Predictor, load

__all__ = ["FEW", "Answered", "CrystalLike", "Failure", "Predictor", "answers_of", "load"]
