"""One safetensors file with everything a prediction needs.

That is weights, configuration, cell convention, energy grids and provenance, and the calibration
of a calibrated model. The description is one JSON text in the file's metadata, numbered by
`FORMAT`; older numbers are upgraded step by step on reading. A hash of the tensors tells a damaged
file from a sound one.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from cgxas.elements import atomic_number
from cgxas.errors import (
    CgxasError,
    CheckpointNotFound,
    CheckpointVersion,
    ConfigError,
    DamagedCheckpoint,
    ForeignCheckpoint,
)
from cgxas.model.calibration.gaussian import Calibration
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.network import CGXAS
from cgxas.spectra.spectrum import EnergyGrid
from cgxas.writing import atomic_path

FORMAT = 3
SUFFIX = ".safetensors"
_KEY = "cgxas"
_CALIBRATION = "calibration."


@dataclass(frozen=True)
class ElementCard:
    """What a model knows of one absorber.

    Attributes:
        grid: energies the model answers on.
        n_train: spectra it was trained on; None if not known (imported models).
        n_test: spectra it was tested on, of formulas it never saw.
        test_rse: their mean RSE, computed points only.
        test_pcc: their mean Pearson correlation.
        test_e0: their mean edge-energy error, eV; None for models that were not calibrated.
        fidelity: the theory it answers in unless told otherwise; None for a model that knows one.
        simulated: energies the network answers on, where calibration moved the grid; else None.
    """

    grid: EnergyGrid
    n_train: int | None = None
    n_test: int | None = None
    test_rse: float | None = None
    test_pcc: float | None = None
    test_e0: float | None = None
    fidelity: str | None = None
    simulated: EnergyGrid | None = None

    @property
    def network_grid(self) -> EnergyGrid:
        """Energies the network itself answers on."""
        return self.simulated or self.grid


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network with all that belongs to it.

    Attributes:
        name: how the model is called.
        config: shape of the network.
        elements: absorber symbol -> what the model knows of it.
        state: the network's tensors.
        provenance: plain JSON values: data, split, training, metrics, command.
        calibration: what turns the network's spectra into measured ones; None: they stay as
            simulated.
    """

    name: str
    config: CGXASConfig
    elements: Mapping[str, ElementCard]
    state: Mapping[str, Tensor] = field(repr=False)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = field(default=None, repr=False)

    @property
    def sha256(self) -> str:
        """Hash of the tensors."""
        return _hash(self.tensors)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The network's tensors and those of the calibration, by name."""
        own = self.calibration.tensors if self.calibration else {}
        return dict(self.state) | {f"{_CALIBRATION}{name}": own[name] for name in own}

    @property
    def is_calibrated(self) -> bool:
        """Whether it answers as measured: by a calibration, or a head tuned to measurements."""
        tuned = any(card.test_e0 is not None for card in self.elements.values())
        return tuned or self.calibration is not None

    def refuse_calibrated(self, cure: str) -> None:
        """Refuse a calibrated model where only simulated spectra make sense.

        Args:
            cure: what to do instead.

        Raises:
            ConfigError: it is calibrated.
        """
        if self.is_calibrated:
            raise ConfigError(f"{self.name} is calibrated to measured spectra; {cure}")

    def network(self) -> CGXAS:
        """Return the network with these weights, in evaluation mode.

        Raises:
            ForeignCheckpoint: the tensors do not fit the configuration.
        """
        with torch.device("meta"):
            network = CGXAS(self.config)
        expected = {name: _kind(tensor) for name, tensor in network.state_dict().items()}
        found = {name: _kind(tensor) for name, tensor in self.state.items()}
        if expected != found:
            wrong = next(n for n in {**expected, **found} if expected.get(n) != found.get(n))
            raise ForeignCheckpoint(
                f"tensor {wrong!r} is {found.get(wrong, 'missing')} where the "
                f"configuration asks for {expected.get(wrong, 'none')}"
            )
        network.load_state_dict(dict(self.state), assign=True)
        network.embedding.reset_features()
        return network.requires_grad_(False).eval()

    def save(self, path: Path) -> None:
        """Write the file; it appears whole or not at all.

        Raises:
            OutputError: it cannot be written there.
        """
        # Copies, since a file cannot hold two tensors that share memory.
        state = {n: tensor.detach().contiguous().clone() for n, tensor in self.tensors.items()}
        description = {
            "format": FORMAT,
            "name": self.name,
            "config": self.config.to_dict(),
            "elements": {symbol: _card_to_json(card) for symbol, card in self.elements.items()},
            "provenance": dict(self.provenance),
            "calibration": self.calibration.terms if self.calibration else None,
            "tensors_sha256": _hash(state),
        }
        with atomic_path(path) as temporary:
            # Not save_file: its errors do not say that it is the disk that refuses.
            temporary.write_bytes(save(state, metadata={_KEY: json.dumps(description)}))


def bundled() -> tuple[str, ...]:
    """Return the names of the models that come with the package."""
    folder = resources.files("cgxas") / "model" / "weights"
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted(n.removesuffix(SUFFIX) for n in names if n.endswith(SUFFIX)))


def load_checkpoint(model: str | Path) -> Checkpoint:
    """Read a bundled model by name, or a file by path.

    Raises:
        CheckpointNotFound: neither.
        ForeignCheckpoint: not a cgxas model; pickles are never opened here.
        DamagedCheckpoint: cut short, altered, or with numbers that are not finite.
        CheckpointVersion: written by a newer cgxas.
    """
    path = _locate(model)
    text, state = _read(path)
    try:
        description = json.loads(text)
        version = int(description["format"])
        if version < 1:
            raise ValueError(f"there never was a format {version}")
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedCheckpoint(f"{path}: the description of the model is damaged") from error
    if version > FORMAT:
        raise CheckpointVersion(
            f"{path} has format {version}, this cgxas reads up to {FORMAT}; update cgxas"
        )
    try:
        checkpoint = _checkpoint(description, state)
        recorded = description["tensors_sha256"]
        _refuse_strange_parts(checkpoint)
    except (KeyError, TypeError, ValueError, AttributeError, CgxasError) as error:
        raise DamagedCheckpoint(f"{path}: the description of the model is damaged") from error
    if recorded != _hash(state):
        raise DamagedCheckpoint(f"{path}: the weights were altered after they were written")
    if not all_finite(state):
        raise DamagedCheckpoint(f"{path}: some weights are not finite numbers")
    try:
        checkpoint.network()
    except ForeignCheckpoint as error:
        raise ForeignCheckpoint(f"{path}: {error}") from error
    return checkpoint


def _checkpoint(description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Checkpoint:
    """Build what a file describes; KeyError, TypeError or ValueError if its parts do not fit."""
    terms = description.get("calibration")  # formats 1 and 2 know none
    state, own = {}, {}
    for name, tensor in tensors.items():
        if terms is not None and name.startswith(_CALIBRATION):
            own[name.removeprefix(_CALIBRATION)] = tensor
        else:
            state[name] = tensor
    return Checkpoint(
        name=str(description["name"]),
        config=CGXASConfig.from_dict(description["config"]),
        elements={s: _card_from_json(c) for s, c in description["elements"].items()},
        state=state,
        provenance=dict(description["provenance"]),
        calibration=None if terms is None else Calibration.restore(own, terms),
    )


def _locate(model: str | Path) -> Path:
    if isinstance(model, str) and model in bundled():
        return Path(str(resources.files("cgxas") / "model" / "weights" / f"{model}{SUFFIX}"))
    path = Path(model)
    try:
        if path.is_dir():
            raise CheckpointNotFound(f"{path} is a folder; name a model file (*{SUFFIX})")
        if not path.exists():
            names = ", ".join(bundled()) or "none"
            raise CheckpointNotFound(f"no model {str(model)!r}: not a file, nor bundled ({names})")
        if not path.is_file():
            raise CheckpointNotFound(f"{path} is not a regular file; name a model file")
    except CheckpointNotFound:
        raise
    except OSError as error:  # a folder that may not be searched, a name that is too long
        raise CheckpointNotFound(f"{path} cannot be read: {error.strerror}") from error
    return path


def _read(path: Path) -> tuple[str, dict[str, Tensor]]:
    """Return the description and the tensors of a safetensors file."""
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise DamagedCheckpoint(f"{path} cannot be read: {error.strerror}") from error
    # A safetensors file begins with the length of its header, whose first byte may be anything.
    if head[:2] == b"PK" or (head[:1] == b"\x80" and head[8:] not in (b"", b"{")):
        raise ForeignCheckpoint(
            f"{path} is a PyTorch file, which can hold code; convert the CGXAS authors' "
            f"checkpoints with 'cgxas models import {path} -o NAME{SUFFIX}'"
        )
    if len(head) < 8 or struct.unpack("<Q", head[:8])[0] > path.stat().st_size:
        raise DamagedCheckpoint(f"{path} is cut short or not a safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedCheckpoint(f"{path} is cut short or not a safetensors file") from error
    if text is None:
        raise ForeignCheckpoint(f"{path} holds tensors, but no cgxas model")
    return text, state


def _refuse_strange_parts(checkpoint: Checkpoint) -> None:
    for symbol, card in checkpoint.elements.items():
        atomic_number(symbol)
        if card.network_grid.n_points != checkpoint.config.n_outputs:
            raise ValueError(f"{card.network_grid.n_points} energies for {symbol}")
    calibration = checkpoint.calibration
    if calibration and calibration.sites.vector.shape[1:] != (checkpoint.config.hidden,):
        raise ValueError("a calibration of another network")


def all_finite(state: Mapping[str, Tensor]) -> bool:
    """Tell whether every number of a network is finite."""
    return all(bool(np.isfinite(tensor.numpy()).all()) for tensor in state.values())


def _kind(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _hash(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].contiguous().numpy().data)
    return digest.hexdigest()


def _card_to_json(card: ElementCard) -> dict[str, Any]:
    moved = vars(card.simulated) if card.simulated else None
    return {**vars(card), "grid": vars(card.grid), "simulated": moved}


def _card_from_json(values: dict[str, Any]) -> ElementCard:
    moved = values.get("simulated")
    return ElementCard(
        **{
            **values,
            "grid": EnergyGrid(**values["grid"]),
            "simulated": EnergyGrid(**moved) if moved else None,
        }
    )
