"""What the network says of a crystal's sites -> the spectrum of the crystal.

A disordered crystal is answered by several ordered ones. Its spectrum is the mean over all their
absorbing atoms. With m_k the mean of arrangement k of N, and s_k the standard deviation that the
model tells of it, the band is

    sigma^2 = mean of s_k^2 + sum (m_k - mean)^2 / (N - 1)

the law of total variance: what the model does not know, and what the arrangement changes. A model
without a band gives the second term alone; a single arrangement the first.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cgxas.errors import FarFromMeasuredWarning, FarFromTrainingWarning
from cgxas.model.calibration.base import Calibrated
from cgxas.model.model import Model
from cgxas.model.sites import shares
from cgxas.predict.jobs import Job, Part
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.spectra.trust import Trust
from cgxas.typing import FloatArray, IntArray

FAR = 2.0
"""A calibrated edge energy less certain than these eV is answered with a warning."""


@dataclass(frozen=True, eq=False)
class PartAnswer:
    """What a model says of one absorber in one ordered crystal.

    Attributes:
        norm: orbit number -> (P,) mean spectrum of its atoms.
        atoms: orbit number -> how many atoms that is the mean of.
        sigma: (P,) standard deviation around the mean over all; None where the model tells none.
        edge_sigma: that of the edge energy, eV; None likewise.
        trust: how far it can be trusted; None likewise.
    """

    norm: dict[int, FloatArray]
    atoms: dict[int, int]
    sigma: FloatArray | None
    edge_sigma: float | None
    trust: Trust | None = None

    @property
    def n_atoms(self) -> int:
        """Number of absorbing atoms."""
        return sum(self.atoms.values())

    @property
    def mean(self) -> FloatArray:
        """(P,) mean over all atoms."""
        weights = list(self.atoms.values())
        return np.asarray(np.average(list(self.norm.values()), axis=0, weights=weights))


def part_answers(
    model: Model, parts: Sequence[Part], fidelity: str | None
) -> list[dict[str, PartAnswer]]:
    """Return, of each absorber with atoms there, what a model says of ordered crystals.

    All sites of an absorber are answered together, which is much faster than crystal by crystal.
    """
    embedded = list(model.embed([part.graph for part in parts]))
    answers: list[dict[str, PartAnswer]] = [{} for _ in parts]
    for absorber in dict.fromkeys(each for part in parts for each in part.atoms):
        holding = [n for n, part in enumerate(parts) if len(part.atoms.get(absorber, ()))]
        if not holding:
            continue
        asked = [(embedded[n], parts[n].atoms[absorber]) for n in holding]
        known = model.sites_of_several(asked, absorber, fidelity)
        found = model.answers([sites for sites, _ in known])
        for n, (_, nodes), one in zip(holding, known, found, strict=True):
            answers[n][absorber] = _answer(parts[n], absorber, nodes, one)
    return answers


def _answer(part: Part, absorber: str, nodes: IntArray, found: Calibrated) -> PartAnswer:
    """Return what was found of the nodes of an absorber, orbit by orbit."""
    wanted = part.atoms[absorber]
    orbits = part.orbit_of_atom[wanted]
    norm, atoms = {}, {}
    for orbit in dict.fromkeys(orbits.tolist()):
        alike = wanted[orbits == orbit]
        own, share = shares(part.graph, alike)  # both they and the nodes ascend
        norm[orbit] = np.asarray(share @ found.sites[np.searchsorted(nodes, own)])
        atoms[orbit] = len(alike)
    return PartAnswer(norm, atoms, found.sigma, found.edge_sigma, found.trust)


def spectrum_of(
    job: Job, absorber: str, parts: Sequence[dict[str, PartAnswer]], model: Model
) -> Spectrum:
    """Return the spectrum of an absorber in a crystal.

    Args:
        job: the crystal.
        absorber: symbol of the element.
        parts: what the model says of each of its parts.
        model: the model.
    """
    found = [each[absorber] for each in parts if absorber in each]
    trust = Trust.worst(each.trust for each in found if each.trust is not None)
    _warn_far(job, absorber, found, trust, model)
    energy = model.card(absorber).grid.energies
    wanted = job.sites[absorber]
    sites = []
    weights = []
    for orbit in dict.fromkeys(job.orbit_of_site[wanted].tolist()):
        alike = wanted[job.orbit_of_site[wanted] == orbit]
        atoms = [each.atoms.get(orbit, 0) for each in found]
        if not any(atoms):  # the majority of these sites is something else
            continue
        curves = [each.norm[orbit] for each in found if orbit in each.norm]
        norm = np.average(curves, axis=0, weights=[n for n in atoms if n])
        share = 1.0 if job.places is None else sum(atoms) / len(parts) / job.places[orbit]
        sites.append(SiteSpectrum(tuple(int(site) for site in alike), norm, energy, share))
        weights.append(len(alike) * share)
    mean = np.average([site.norm for site in sites], axis=0, weights=weights)
    return Spectrum(
        energy=energy,
        norm=mean,
        absorber=absorber,
        sites=tuple(sites),
        formula=job.formula,
        model=model.checkpoint.name,
        source=job.source,
        sigma=_sigma(found, mean),
        structure=job.structure,
        disorder=job.disorder,
        trust=trust,
        edge_sigma=max((e.edge_sigma for e in found if e.edge_sigma is not None), default=None),
    )


def _sigma(found: Sequence[PartAnswer], mean: FloatArray) -> FloatArray | None:
    """Join what the model does not know and what the arrangement changes."""
    own = [each.sigma**2 for each in found if each.sigma is not None]
    if len(found) == 1:
        return found[0].sigma
    weights = [each.n_atoms for each in found]
    apart = np.sum([(each.mean - mean) ** 2 for each in found], axis=0) / (len(found) - 1)
    within = np.average(own, axis=0, weights=weights) if own else 0.0
    return np.asarray(np.sqrt(within + apart))


def _warn_far(
    job: Job, absorber: str, found: Sequence[PartAnswer], trust: Trust | None, model: Model
) -> None:
    if trust is not None:
        if trust.word == "far":
            warnings.warn(
                f"{job.name}: {absorber} is {_told(trust)}; take its spectrum as a guess",
                FarFromMeasuredWarning
                if model.checkpoint.is_calibrated
                else FarFromTrainingWarning,
                stacklevel=7,
            )
        return
    worst = max((each.edge_sigma for each in found if each.edge_sigma is not None), default=0.0)
    if worst > FAR:
        warnings.warn(
            f"{job.name}: nothing much like its {absorber} "
            f"was measured; the edge energy is uncertain by {worst:.1f} eV",
            FarFromMeasuredWarning,
            stacklevel=7,
        )


def _told(trust: Trust) -> str:
    """Return in a few words how far an answer is, and why."""
    return f"{trust.text}, {trust.reason}" if trust.nearest and trust.reason else trust.text
