"""What a data set holds, as values: crystals, spectra, and what is told of measured ones."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cgxas.errors import DatasetError

if TYPE_CHECKING:  # where only torch and numpy are installed, crystals cannot be read
    from cgxas.crystals.canonical import Cell

EXPERIMENT = "experiment"
"""Fidelity of measured spectra: they may be negative, and measured more than once."""

EDGE = "K"
"""The only edge that cgxas answers for."""

_DOUBTFUL = (
    "energy_deviates_from_other_sources",
    "shape_deviates_from_other_sources",
    "low_white_line",
)
_OFF_SCALE, _ANOTHER_KIND = "energy_scale_off", "HERFD"
_LARGEST_SHIFT = 1e4  # eV
_LARGEST_WEIGHT = 1e9


@dataclass(frozen=True, eq=False)
class Material:
    """A crystal of a data set.

    Attributes:
        material_id: name within its source.
        formula: reduced formula; splits keep all of one formula on one side.
        cell: the crystal as stored.
    """

    material_id: str
    formula: str
    cell: "Cell"


@dataclass(frozen=True)
class Annotation:
    """What is told of a spectrum beyond the curve.

    Attributes:
        compound: what replicates share, or empty.
        group: what must stand on one side of a split, such as polymorphs of a formula, or empty.
        source: who measured or computed it, or empty.
        licence: terms, or empty.
        technique: of a measurement, or empty.
        energy_shift: eV to be added to the energies to bring sources onto one scale; None: unknown.
        weight: how much it counts among the spectra of its compound.
        multiplicity: how many sites of the cell a spectrum of one site stands for.
        flags: doubts of those who made the data set.

    Raises:
        DatasetError: a shift, weight or multiplicity that cannot be.
    """

    compound: str = ""
    group: str = ""
    source: str = ""
    licence: str = ""
    technique: str = ""
    energy_shift: float | None = None
    weight: float = 1.0
    multiplicity: float = 1.0
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (
            abs(self.shift) < _LARGEST_SHIFT
            and 0 < self.weight < _LARGEST_WEIGHT
            and 0 < self.multiplicity < _LARGEST_WEIGHT
        ):
            raise DatasetError(
                f"energy shift {self.energy_shift}, weight {self.weight}, multiplicity "
                f"{self.multiplicity}: they must be finite, and the last two above 0"
            )

    @property
    def shift(self) -> float:
        """The energy shift, eV; 0 if it is unknown."""
        return self.energy_shift or 0.0

    @property
    def doubtful(self) -> bool:
        """Whether energy or shape is flagged as off: only wanted where there is no other."""
        return any(flag in _DOUBTFUL for flag in self.flags)

    @property
    def unusable(self) -> str:
        """Why the spectrum is not to be learnt from at all, or empty."""
        if self.technique.startswith(_ANOTHER_KIND):
            return "it is no ordinary XANES (HERFD is sharper)"
        return "its energy scale is known to be off" if _OFF_SCALE in self.flags else ""


@dataclass(frozen=True, eq=False)
class Record:
    """One spectrum: of one site, or the mean of all sites of an element.

    Attributes:
        spectrum_id: name within its source.
        material: the crystal.
        element: absorber.
        sites: (S,) 0-based indices into the material's sites; the spectrum is their mean.
        site_certain: whether the source states the site, or it was inferred.
        energy: (P,) eV, strictly increasing.
        norm: (P,) normalised to an edge step of 1; the tables call it mu.
        theory: code and settings in free text.
        fidelity: short name that kinds of spectra are told apart by, "FEFF9".
        dataset: name of the folder it came from.
        edge: name of the edge; "K" always, as others are refused.
        annotation: what else is told of it.
    """

    spectrum_id: str
    material: Material
    element: str
    sites: NDArray[np.int64]
    site_certain: bool
    energy: NDArray[np.float64]
    norm: NDArray[np.float64]
    theory: str
    fidelity: str
    dataset: str
    edge: str = EDGE
    annotation: Annotation = Annotation()

    @property
    def key(self) -> str:
        """Name that no other record has, "sim_feff9/mp-2657-0-XANES-K-Ti"."""
        return f"{self.dataset}/{self.spectrum_id}"


@dataclass(frozen=True, eq=False)
class Records:
    """The records of one or several data-set folders.

    Attributes:
        records: in the order of the folders and their tables.
        sha256: hash of the folders' tables, in order.
        names: the folders' names.
    """

    records: tuple[Record, ...]
    sha256: str
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.records)


def fidelity_of(theory: str) -> str:
    """Return the name and main version of the code a description of a theory begins with."""
    found = re.match(r"\s*([A-Za-z]+)[ -]?(\d*)", theory)
    return "".join(found.groups()) if found else theory


def edge_name(stated: object) -> str:
    """Return the name of an edge as a source states it, "L3"; K if it states none."""
    return str(stated or "").strip().upper() or EDGE
