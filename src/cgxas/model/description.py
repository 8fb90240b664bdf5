"""What a model file says of itself: one JSON text, held against types before any of it is used."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from cgxas.elements import atomic_number
from cgxas.jsonfile import as_kind, parsed
from cgxas.spectra.spectrum import EnergyGrid

_NOT_HASHED = ("sha256", "parent")
_Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class EdgeAxis:
    """How outputs that are counted from the edge become energies, for one absorber.

    Attributes:
        origins: fidelity -> the edge of all its spectra, eV, where edges cannot be computed.
        reach: fidelity -> how far above the edge its training spectra reach, eV.
        width: full width at half maximum of the core hole, eV, which curves fade with.
    """

    origins: dict[str, float]
    reach: dict[str, Annotated[float, Field(gt=0)]]
    width: Annotated[float, Field(gt=0)]

    @property
    def learnt(self) -> float:
        """How far above the edge any training spectrum of the absorber reaches, eV."""
        return max(self.reach.values())


@dataclass(frozen=True)
class AbsorberCard:
    """What a model knows of one edge of one absorber.

    Attributes:
        grid: energies the model answers on.
        n_train: spectra it was trained on; None if not known (imported models).
        n_test: spectra it was tested on, of formulas it never saw.
        test_rse: their mean RSE, computed points only.
        test_pcc: their mean Pearson correlation.
        test_half_step_error: their mean error of the half step, eV; None if it was not tested.
        fidelity: what it answers as unless told otherwise; None for a model that knows one kind.
        simulated: energies of the model that was calibrated, where that moved the grid; else None.
        edge_axis: how outputs become energies, for networks on the edge axis; None for those whose
            outputs stand on the grid.
    """

    grid: EnergyGrid
    n_train: _Count | None = None
    n_test: _Count | None = None
    test_rse: float | None = None
    test_pcc: float | None = None
    test_half_step_error: float | None = None
    fidelity: str | None = None
    simulated: EnergyGrid | None = None
    edge_axis: EdgeAxis | None = None

    @property
    def network_grid(self) -> EnergyGrid:
        """Energies the model answers on before it is calibrated; the network's own in a window."""
        return self.simulated or self.grid


@dataclass(frozen=True)
class CalibrationPart:
    """Which calibration a file holds.

    Attributes:
        kind: its name.
        values: whatever else than tensors decides its answers.
    """

    kind: Any  # whatever stands there is refused by name, not by type
    values: dict[str, Any]


@dataclass(frozen=True)
class Description:
    """What a file of the present format says, hashes and its parent left out.

    Attributes:
        name: how the model is called.
        architecture: settings of the network.
        absorbers: "Fe K" -> what the model knows of it.
        bonds: the numbers that chemical states rest on.
        kernel: how the kernel beside the network compares sites; None: there is none.
        calibration: which one; None: spectra stay as simulated.
        trust: what else than tensors is told of what was learnt from; None: nothing is told.
        provenance: data, split, training, metrics, command.
    """

    name: str
    architecture: dict[str, Any]
    absorbers: dict[str, AbsorberCard]
    bonds: dict[str, Any]
    kernel: dict[str, Any] | None
    calibration: CalibrationPart | None
    provenance: dict[str, Any]
    trust: dict[str, Any] | None = None

    @property
    def cards(self) -> dict[tuple[str, str], AbsorberCard]:
        """(absorber, edge) -> what the model knows of it; ValueError for what is no absorber."""
        cards = {}
        for name, card in self.absorbers.items():
            absorber, edge = name.split(" ")
            atomic_number(absorber)
            cards[absorber, edge] = card
        return cards


def numbered(text: str) -> tuple[int, dict[str, Any]]:
    """Return the format and the values of a description.

    Raises:
        ValueError: it is no JSON object, or its format is not a number from 1.
    """
    values = parsed(text)
    if not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    version = values.get("format")
    if type(version) is not int or version < 1:
        raise ValueError("its format is not a whole number from 1")
    return version, values


def described(values: Mapping[str, Any]) -> Description:
    """Return a description of the present format; ValueError if anything is missing or wrong."""
    return as_kind(Description, dict(values))


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON gives them back; what is not finite, which JSON has not, as None."""
    plain: dict[str, Any] = json.loads(json.dumps(values), parse_constant=lambda _: None)
    return plain


def description_hash(values: Mapping[str, Any]) -> str:
    """Return the hash of a description, which holds those of the tensors."""
    told = {name: value for name, value in values.items() if name not in _NOT_HASHED}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
