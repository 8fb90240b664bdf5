"""One safetensors file with everything that decides an answer.

That is weights, settings with the recipe of the graphs, energy grids, the numbers of chemical
states, the calibration of a calibrated model, and provenance. The description is one JSON text in
the file's metadata, numbered by `FORMAT`; older numbers are upgraded step by step on reading
(cgxas.model.upgrades). One hash covers the description and the tensors.

A model that is bundled may leave out the network's tensors where they are those of another bundled
model, and names that one by its hash. Every other file stands alone.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from cgxas.crystals.bonds import BondSpec, usual_bonds
from cgxas.errors import (
    CgxasError,
    CheckpointNotFound,
    CheckpointVersion,
    ConfigError,
    DamagedCheckpoint,
    ForeignCheckpoint,
    ReadingWarning,
)
from cgxas.model.architecture import (
    Architecture,
    ArchitectureSettings,
    Undrawn,
    architectures,
    build,
)
from cgxas.model.calibration.base import Calibration, calibration_kind
from cgxas.model.container import (
    KEY,
    all_finite,
    kind_of,
    read_tensors,
    tensors_hash,
)
from cgxas.model.description import (
    AbsorberCard,
    Description,
    described,
    description_hash,
    numbered,
    plain_values,
)
from cgxas.model.kernel import SiteKernel
from cgxas.model.location import bundled, located
from cgxas.model.scattering.part import Scattering
from cgxas.model.trust.reference import Reference
from cgxas.model.upgrades import FORMAT, HASHED, upgraded
from cgxas.writing import atomic_path

_PARTS = _CALIBRATION, _TRUST, _SCATTERING = "calibration", "trust", "scattering"
_KERNEL = "kernel."
_WIDTH = 120
# What a damaged description makes of the code that reads it.
_WRONG = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    RuntimeError,
    OverflowError,
    ConfigError,
)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network with all that belongs to it.

    Attributes:
        name: how the model is called.
        config: settings of the network.
        cards: (absorber, edge) -> what the model knows of it.
        state: the network's tensors.
        provenance: plain JSON values: data, split, training, metrics, command.
        calibration: what turns the network's spectra into measured ones; None: they stay as
            simulated.
        bonds: the numbers that chemical states rest on.
        kernel: what the network's spectra are averaged with; None: nothing.
        trust: what was learnt from, by which answers are judged; None: nothing is told of it.
        scattering: what the network's and the kernel's spectra are averaged with; None: nothing.
    """

    name: str
    config: ArchitectureSettings
    cards: Mapping[tuple[str, str], AbsorberCard]
    state: Mapping[str, Tensor] = field(repr=False)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = field(default=None, repr=False)
    bonds: BondSpec = field(default_factory=usual_bonds, repr=False)
    kernel: SiteKernel | None = field(default=None, repr=False)
    trust: Reference | None = field(default=None, repr=False)
    scattering: Scattering | None = field(default=None, repr=False)

    @property
    def elements(self) -> dict[str, AbsorberCard]:
        """Absorber -> what the model knows of its K edge."""
        return {absorber: card for (absorber, edge), card in self.cards.items() if edge == "K"}

    @property
    def sha256(self) -> str:
        """Hash of the description and all tensors."""
        return description_hash(self._description())

    @property
    def tensors(self) -> dict[str, Tensor]:
        """All tensors, by their names in the file."""
        held = self.calibration, self.trust, self.scattering
        parts = dict(zip(_PARTS, held, strict=True))
        return self.simulating | {
            f"{part}.{name}": tensor
            for part, each in parts.items()
            if each is not None
            for name, tensor in each.tensors.items()
        }

    @property
    def simulating(self) -> dict[str, Tensor]:
        """The tensors that simulated spectra rest on: the network's and the kernel's."""
        own = {} if self.kernel is None else self.kernel.tensors
        return dict(self.state) | {f"{_KERNEL}{name}": own[name] for name in own}

    @property
    def is_calibrated(self) -> bool:
        """Whether it answers as measured."""
        return self.calibration is not None

    def refuse_calibrated(self, cure: str) -> None:
        """Refuse a calibrated model where only simulated spectra make sense.

        Args:
            cure: what to do instead.

        Raises:
            ConfigError: it is calibrated.
        """
        if self.is_calibrated:
            raise ConfigError(f"{self.name} is calibrated to measured spectra; {cure}")

    def network(self) -> Architecture:
        """Return the network with these weights, in evaluation mode.

        Raises:
            ForeignCheckpoint: the tensors do not fit the settings.
        """
        with torch.random.fork_rng(), Undrawn():
            network = build(self.config)
        expected = {name: kind_of(tensor) for name, tensor in network.state_dict().items()}
        found = {name: kind_of(tensor) for name, tensor in self.state.items()}
        if expected != found:
            wrong = next(n for n in {**expected, **found} if expected.get(n) != found.get(n))
            raise ForeignCheckpoint(
                f"tensor {wrong!r} is {found.get(wrong, 'missing')} where the "
                f"configuration asks for {expected.get(wrong, 'none')}"
            )
        network.load_state_dict(dict(self.state), assign=True)
        return network.requires_grad_(False).eval()

    def save(self, path: Path, parent: "Checkpoint | None" = None) -> None:
        """Write the file; it appears whole or not at all.

        Args:
            path: where.
            parent: a bundled model with the same network, whose tensors are then left out.

        Raises:
            ConfigError: the parent has another network.
            OutputError: it cannot be written there.
        """
        description, kept = self._description(), self.tensors
        if parent is not None:
            if tensors_hash(parent.simulating) != description["network_sha256"]:
                raise ConfigError(f"{self.name} does not have the network of {parent.name}")
            kept = {name: tensor for name, tensor in kept.items() if name not in self.simulating}
            description["parent"] = {"name": parent.name, "sha256": parent.sha256}
        description["sha256"] = description_hash(description)
        # Copies, since a file cannot hold two tensors that share memory.
        state = {n: tensor.detach().contiguous().clone() for n, tensor in kept.items()}
        with atomic_path(path) as temporary:
            # Not save_file: its errors do not say that it is the disk that refuses.
            temporary.write_bytes(save(state, metadata={KEY: json.dumps(description)}))

    def _description(self) -> dict[str, Any]:
        """Return all but the tensors as plain values, with the hashes of the tensors."""
        calibration: dict[str, Any] | None = None
        if calibrated := self.calibration:
            calibration = {"kind": calibrated.kind, "values": dict(calibrated.values)}
        description = {
            "format": FORMAT,
            "name": self.name,
            "architecture": self.config.to_dict(),
            "absorbers": {f"{a} {edge}": asdict(card) for (a, edge), card in self.cards.items()},
            "bonds": self.bonds.to_dict(),
            "kernel": None if self.kernel is None else self.kernel.values,
            "calibration": calibration,
            "provenance": dict(self.provenance),
            "network_sha256": tensors_hash(self.simulating),
            "calibration_sha256": tensors_hash(calibrated.tensors if calibrated else {}),
        }
        for name, part in ((_TRUST, self.trust), (_SCATTERING, self.scattering)):
            if part is not None:
                description |= {name: part.values, f"{name}_sha256": tensors_hash(part.tensors)}
        return plain_values(description)


def load_checkpoint(model: str | Path) -> Checkpoint:
    """Read a bundled model by name, or a file by path.

    Raises:
        CheckpointNotFound: neither.
        ForeignCheckpoint: not a cgxas model; pickles are never opened here.
        DamagedCheckpoint: cut short, altered, or with numbers that are not finite.
        CheckpointVersion: written by a newer cgxas.
    """
    path = located(model)
    text, tensors = read_tensors(path)
    try:
        version, description = numbered(text)
    except ValueError as error:
        raise _damaged(path, error) from error
    if version > FORMAT:
        raise CheckpointVersion(
            f"{path} has format {version}, this cgxas reads up to {FORMAT}; update cgxas"
        )
    try:
        recorded, found = _hashes(description, tensors)
        present = described(upgraded(description))
        parts = _parts(present, _with_parent(path, description, tensors))
    except ForeignCheckpoint as error:
        raise ForeignCheckpoint(f"{path}: {error}") from error
    except _WRONG as error:
        raise _damaged(path, error) from error
    if recorded != found:
        raise DamagedCheckpoint(f"{path}: the model was altered after it was written")
    if not all_finite(tensors):
        raise DamagedCheckpoint(f"{path}: some weights are not finite numbers")
    if version < HASHED:
        _warn_unprotected(path, version)
    return _checkpoint(path, present, *parts)


def _damaged(path: Path, reason: Exception) -> DamagedCheckpoint:
    """Say so, and why where that is put in words a user knows."""
    told = f"there is no {reason}" if isinstance(reason, KeyError) else str(reason)
    words = " ".join(told.split()) if isinstance(reason, KeyError | ValueError) else ""
    short = words if len(words) <= _WIDTH else f"{words[: _WIDTH - 3]}..."
    said = f"{path}: the description of the model is damaged"
    return DamagedCheckpoint(f"{said}: {short}" if short else said)


def _warn_unprotected(path: Path, version: int) -> None:
    warnings.warn(
        f"{path} is of format {version}, whose hash covers the weights but not the settings and "
        "energies: whether these were changed cannot be told; save the model anew where it is "
        "known to be good",
        ReadingWarning,
        stacklevel=3,
    )


def _hashes(description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> tuple[Any, Any]:
    """Return what the file says of its content, and what its content is."""
    if description["format"] < HASHED:  # these tell of their tensors alone
        return description["tensors_sha256"], tensors_hash(tensors)
    parts = [part for part in _PARTS if description.get(part) is not None]
    names = ("sha256", "network_sha256", *(f"{part}_sha256" for part in parts))
    state, own = _divided(tensors, parts)
    if "parent" in description and state:
        raise ValueError(f"{next(iter(state))!r} is told twice, here and by the parent")
    network = description["network_sha256"] if "parent" in description else tensors_hash(state)
    found = (description_hash(description), network, *(tensors_hash(own[part]) for part in parts))
    return tuple(description[name] for name in names), found


def _with_parent(
    path: Path, description: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> Mapping[str, Tensor]:
    """Return the tensors, with those of the bundled model that the file names, if it does."""
    if "parent" not in description:
        return tensors
    name, _ = (str(description["parent"][key]) for key in ("name", "sha256"))
    if name not in bundled():
        raise CheckpointNotFound(
            f"{path} holds a calibration of {name} alone, which this cgxas does not have; install "
            "the cgxas it came with"
        )
    parent = load_checkpoint(name)
    # Not the hash of its whole file: a later cgxas may write more into that.
    if tensors_hash(parent.simulating) != description["network_sha256"]:
        raise CheckpointVersion(
            f"{path} was made of another {name} than this cgxas has; install the cgxas it came with"
        )
    return {**parent.simulating, **tensors}


_Tensors = dict[str, Tensor]
_Parts = tuple[Mapping[str, Any], _Tensors, dict[str, _Tensors]]


def _parts(description: Description, tensors: Mapping[str, Tensor]) -> _Parts:
    """Return settings, cards and the rest by the names of `Checkpoint`, and sets of tensors."""
    told = description.calibration, description.trust, description.scattering
    parts = dict(zip(_PARTS, told, strict=True))
    state, own = _divided(tensors, [part for part, about in parts.items() if about is not None])
    architecture = description.architecture["architecture"]
    if architecture not in architectures():
        raise ForeignCheckpoint(
            f"there is no architecture {architecture!r:.60}; import the package that brings it"
        )
    config = ArchitectureSettings.from_dict(description.architecture)
    cards = description.cards
    for (absorber, _), card in cards.items():
        if (card.edge_axis is None) != (config.axis == "window"):
            raise ValueError(f"the outputs for {absorber} are said to stand on another axis")
        if config.axis == "window" and card.network_grid.n_points != config.n_outputs:
            raise ValueError(f"{card.network_grid.n_points} energies for {absorber}")
        if card.edge_axis is not None and not card.edge_axis.reach:
            raise ValueError(f"it is not said how far the spectra of {absorber} reach")
        if card.edge_axis is not None and card.fidelity not in config.fidelities:
            raise ValueError(f"it is not said in which theory {absorber} is answered")
    found = {
        "name": description.name,
        "config": config,
        "cards": cards,
        "bonds": BondSpec.from_dict(description.bonds),
        "provenance": description.provenance,
        "kernel": None,
    }
    if description.kernel is not None:
        kernel = {name: t for name, t in state.items() if name.startswith(_KERNEL)}
        state = {name: t for name, t in state.items() if name not in kernel}
        learnt = {name.removeprefix(_KERNEL): t for name, t in kernel.items()}
        found["kernel"] = SiteKernel.restore(learnt, description.kernel, config.n_outputs)
    return found, state, own


def _checkpoint(
    path: Path,
    description: Description,
    found: Mapping[str, Any],
    state: _Tensors,
    own: dict[str, _Tensors],
) -> Checkpoint:
    """Build what a file describes, and see that its parts fit together."""
    checkpoint, parts = Checkpoint(**found, state=state), dict[str, Any]()
    about, trust = description.calibration, description.trust
    try:
        network = checkpoint.network()
        if trust is not None:
            parts[_TRUST] = Reference.restore(own[_TRUST], trust)
        if description.scattering is not None:
            parts[_SCATTERING] = Scattering.restore(own[_SCATTERING], description.scattering)
        if about is not None:
            kind = calibration_kind(about.kind)
            parts[_CALIBRATION] = kind.restore(own[_CALIBRATION], about.values, network)
    except ForeignCheckpoint as error:
        raise ForeignCheckpoint(f"{path}: {error}") from error
    except (*_WRONG, CgxasError) as error:
        raise _damaged(path, error) from error
    return replace(checkpoint, **parts)


def _divided(
    tensors: Mapping[str, Tensor], parts: Sequence[str]
) -> tuple[_Tensors, dict[str, _Tensors]]:
    """Return the tensors of the network, and those of each part of a model that there is."""
    state: _Tensors = {}
    own: dict[str, _Tensors] = {part: {} for part in parts}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        if part in own:
            own[part][rest] = tensor
        else:
            state[name] = tensor
    return state, own
