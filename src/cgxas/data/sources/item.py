"""What a source yields: spectra with their crystals, or why there is none."""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.canonical import Cell
from cgxas.data.record import EDGE, Annotation
from cgxas.errors import CgxasError

OTHER_EDGE = "not a K-edge XANES spectrum"
"""Reason why a spectrum of another edge is left out."""


class Unusable(CgxasError):
    """One spectrum of a source cannot be used; its text is the reason, the same for all alike."""


@dataclass(frozen=True, eq=False)
class ImportedSpectrum:
    """A spectrum as a source gives it.

    Attributes:
        name: within the source; empty: it is made of crystal, site and element.
        material_id: name of the crystal within the source.
        formula: reduced formula.
        cell: the crystal, in the source's order of atoms.
        element: absorber.
        site: 0-based index of the absorbing atom; None: the mean over all atoms of the element.
        site_certain: whether the source states the site, or it was inferred.
        energy: (P,) eV.
        norm: (P,) normalised to an edge step of 1.
        theory: code and settings.
        fidelity: short name that kinds of spectra are told apart by, "FEFF9".
        edge: as the source states it; others than K are left out.
        annotation: what else the source tells.
    """

    name: str
    material_id: str
    formula: str
    cell: Cell
    element: str
    site: int | None
    site_certain: bool
    energy: NDArray[np.float64]
    norm: NDArray[np.float64]
    theory: str
    fidelity: str
    edge: str = EDGE
    annotation: Annotation = field(default_factory=Annotation)


@dataclass(frozen=True)
class LeftOut:
    """Something of a source that cannot be used.

    Attributes:
        name: within the source.
        reason: why, in words that are the same for all alike.
    """

    name: str
    reason: str


Item: TypeAlias = ImportedSpectrum | LeftOut
