"""Crystal structure in, K-edge XANES out."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cgxas.crystals.disorder.order import Disorder
    from cgxas.crystals.structure import Crystal, standardise
    from cgxas.errors import (
        CgxasError,
        CgxasWarning,
        FarFromMeasuredWarning,
        FarFromTrainingWarning,
        FewTrainingSpectraWarning,
    )
    from cgxas.evaluation.scores import Evaluation
    from cgxas.figures import plot_spectrum, save_figure
    from cgxas.matching.found import Match, Matches
    from cgxas.matching.search import match
    from cgxas.mixing.mixture import Mixture
    from cgxas.mixing.run import mix
    from cgxas.model.cgxas.config import CGXASConfig
    from cgxas.model.checkpoint import Checkpoint, load_checkpoint
    from cgxas.model.location import bundled
    from cgxas.physics.edges import EdgeEnergy, edge_energy
    from cgxas.predict import Failure, Predictor, load
    from cgxas.screening import average, screen
    from cgxas.simulation import simulate
    from cgxas.simulation.dataset import simulate_dataset
    from cgxas.spectra.compare import Comparison, compare
    from cgxas.spectra.edge import e0, half_step
    from cgxas.spectra.io.read import read_spectrum
    from cgxas.spectra.io.write import write_spectra, write_spectrum
    from cgxas.spectra.measurement import Measurement
    from cgxas.spectra.normalise import renormalised
    from cgxas.spectra.ranges import Ranges
    from cgxas.spectra.spectrum import EnergyGrid, SiteSpectrum, Spectrum
    from cgxas.spectra.trust import Trust
    from cgxas.training.settings import RunSettings
    from cgxas.verbs import calibrate, evaluate, finetune, train

_HOMES = {
    "CGXASConfig": "model.cgxas.config",
    "CgxasError": "errors",
    "CgxasWarning": "errors",
    "Checkpoint": "model.checkpoint",
    "Comparison": "spectra.compare",
    "Crystal": "crystals.structure",
    "Disorder": "crystals.disorder.order",
    "EdgeEnergy": "physics.edges",
    "EnergyGrid": "spectra.spectrum",
    "Evaluation": "evaluation.scores",
    "Failure": "predict",
    "FarFromMeasuredWarning": "errors",
    "FarFromTrainingWarning": "errors",
    "FewTrainingSpectraWarning": "errors",
    "Match": "matching.found",
    "Matches": "matching.found",
    "Measurement": "spectra.measurement",
    "Mixture": "mixing.mixture",
    "Predictor": "predict",
    "Ranges": "spectra.ranges",
    "RunSettings": "training.settings",
    "SiteSpectrum": "spectra.spectrum",
    "Spectrum": "spectra.spectrum",
    "Trust": "spectra.trust",
    "average": "screening",
    "bundled": "model.location",
    "calibrate": "verbs",
    "compare": "spectra.compare",
    "e0": "spectra.edge",
    "edge_energy": "physics.edges",
    "evaluate": "verbs",
    "finetune": "verbs",
    "half_step": "spectra.edge",
    "load": "predict",
    "load_checkpoint": "model.checkpoint",
    "match": "matching.search",
    "mix": "mixing.run",
    "plot_spectrum": "figures",
    "read_spectrum": "spectra.io.read",
    "renormalised": "spectra.normalise",
    "save_figure": "figures",
    "simulate": "simulation",
    "simulate_dataset": "simulation.dataset",
    "screen": "screening",
    "standardise": "crystals.structure",
    "train": "verbs",
    "write_spectra": "spectra.io.write",
    "write_spectrum": "spectra.io.write",
}

__all__ = [
    "CGXASConfig",
    "CgxasError",
    "CgxasWarning",
    "Checkpoint",
    "Comparison",
    "Crystal",
    "Disorder",
    "EdgeEnergy",
    "EnergyGrid",
    "Evaluation",
    "Failure",
    "FarFromMeasuredWarning",
    "FarFromTrainingWarning",
    "FewTrainingSpectraWarning",
    "Match",
    "Matches",
    "Measurement",
    "Mixture",
    "Predictor",
    "Ranges",
    "RunSettings",
    "SiteSpectrum",
    "Spectrum",
    "Trust",
    "average",
    "bundled",
    "calibrate",
    "compare",
    "e0",
    "edge_energy",
    "evaluate",
    "finetune",
    "half_step",
    "load",
    "load_checkpoint",
    "match",
    "mix",
    "plot_spectrum",
    "read_spectrum",
    "renormalised",
    "save_figure",
    "screen",
    "simulate",
    "simulate_dataset",
    "standardise",
    "train",
    "write_spectra",
    "write_spectrum",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import cgxas` needs no torch."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cgxas")
    if name not in _HOMES:
        raise AttributeError(f"module 'cgxas' has no attribute {name!r}")
    value = getattr(import_module(f"cgxas.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
