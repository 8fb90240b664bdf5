"""Reading the checkpoints the CGXAS authors publish: plain state dictionaries without a wrapper.

Names and shapes follow their public implementation (github.com/Cestkey/CGXAS, MIT licence).
"""

import hashlib
import pickle
import re
from pathlib import Path

import torch
from torch import Tensor

from cgxas.crystals.spec import GraphSpec
from cgxas.errors import CheckpointNotFound, DamagedCheckpoint, ForeignCheckpoint
from cgxas.model.cgxas.config import Activation, CGXASConfig
from cgxas.model.checkpoint import Checkpoint
from cgxas.model.container import all_finite, is_plain, load_torch
from cgxas.model.description import AbsorberCard
from cgxas.reading import refuse_unreadable
from cgxas.spectra.xray import WINDOWS

_NEVER_USED = re.compile(r"\.conv\.(linear1_vector_gate|activation1_vector_gate)\.")
_GRAPH = re.compile(r"GNN\.(\d+)\.(.+)")
_HEAD = re.compile(r"MLP\.(\d+)\.(.+)")

# The authors' name of a map or norm -> ours.
_CONVOLUTION = {
    "conv.linear1_vector": "convolution.edge.radial",
    "conv.linear2_vector_gate": "convolution.edge.wave_gate",
    "conv.activation2_vector_gate.0": "convolution.edge.wave_norm",
    "conv.linear2_vector": "convolution.edge.wave",
    "olp.linear": "dense.linear",
    "olp.activation.0": "dense.norm",
}
_DENSE = {"linear": "linear", "activation.0": "norm"}
# Gate and message stand side by side in ours.
_PAIRED = {
    "conv.linear_gate": ("convolution.pair", 0),
    "conv.linear_MLP": ("convolution.pair", 1),
    "conv.activation_gate.0": ("convolution.pair_norm", 0),
    "conv.activation_MLP.0": ("convolution.pair_norm", 1),
}


def import_checkpoint(path: Path, name: str, activation: Activation = "elu") -> Checkpoint:
    """Read a published checkpoint as a model of ours: cell and sites as given, 48 absorbers.

    Args:
        path: the authors' file, a plain state dictionary.
        name: how the model is to be called.
        activation: what the network was trained with; it leaves no trace in the file.

    Raises:
        CheckpointError: the file cannot be used; the message says why.
    """
    state = read_state(path)
    try:
        config = config_from_shapes(state, activation, activation)
        translated = {key: _single(tensor) for key, tensor in translate(state).items()}
        cards = {key: AbsorberCard(grid) for key, grid in WINDOWS.items()}
        checkpoint = Checkpoint(name, config, cards, translated, _origin(path, activation))
        checkpoint.network()
    except ForeignCheckpoint as error:
        raise ForeignCheckpoint(f"{path}: {error}") from error
    if not all_finite(translated):
        raise DamagedCheckpoint(f"{path}: some weights are not finite numbers")
    points = {grid.n_points for grid in WINDOWS.values()}
    if {config.n_outputs} != points:
        raise ForeignCheckpoint(
            f"{path} answers with {config.n_outputs} points where the published energy windows "
            f"have {max(points)}; its energies are not known"
        )
    return checkpoint


def _origin(path: Path, activation: Activation) -> dict[str, str]:
    return {
        "imported_from": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "paper": "arXiv:2512.23449",
        "code": "github.com/Cestkey/CGXAS",
        "activation": f"{activation}, as told on import",
    }


def _single(tensor: Tensor) -> Tensor:
    """Return weights in single precision, counters as they are."""
    return tensor.float() if tensor.is_floating_point() else tensor


def read_state(path: Path) -> dict[str, Tensor]:
    """Read a published state dictionary without running any code that it may hold.

    Raises:
        CheckpointNotFound: no such file.
        ForeignCheckpoint: a pickle with code in it, or not a dictionary of tensors.
        DamagedCheckpoint: cut short or altered.
    """
    if path.is_dir():
        raise CheckpointNotFound(f"{path} is a folder; name the file in it")
    if not path.exists():
        raise CheckpointNotFound(f"{path}: no such file")
    refuse_unreadable(path, ForeignCheckpoint)
    if not _looks_like_pickle(path):
        raise ForeignCheckpoint(f"{path} is damaged or not a PyTorch file")
    try:
        state = load_torch(path, ForeignCheckpoint)
    except ForeignCheckpoint:
        raise
    except pickle.UnpicklingError as error:
        raise ForeignCheckpoint(
            f"{path} is not a plain dictionary of tensors; it is not loaded, since a pickle can "
            "run code"
        ) from error
    except Exception as error:  # a damaged file fails in any way
        raise DamagedCheckpoint(f"{path} is damaged or not a PyTorch file") from error
    if not isinstance(state, dict) or not all(
        isinstance(k, str) and isinstance(v, Tensor) and is_plain(v) for k, v in state.items()
    ):
        raise ForeignCheckpoint(f"{path} does not hold a plain dictionary of tensors")
    return dict(state)


def _looks_like_pickle(path: Path) -> bool:
    """Tell whether a file begins as PyTorch's archives and older pickles do."""
    with path.open("rb") as file:
        start = file.read(2)
    return start == b"PK" or start[:1] == b"\x80"


def config_from_shapes(
    state: dict[str, Tensor], graph_activation: Activation, head_activation: Activation
) -> CGXASConfig:
    """Deduce the configuration from the shapes; the activations leave no trace in them.

    Raises:
        ForeignCheckpoint: the tensors are not those of this network.
    """
    modules = {int(m[1]) for name in state if (m := _GRAPH.fullmatch(name))}
    layers = {int(m[1]) for name in state if (m := _HEAD.fullmatch(name))}
    try:
        waves = state["GNN.0.conv.linear2_vector.weight"].shape[1]
        config = CGXASConfig(
            hidden=state["embedding.linear.weight"].shape[0],
            n_modules=len(modules),
            n_head_layers=len(layers),
            n_outputs=state[f"MLP.{max(layers)}.linear.weight"].shape[0],
            n_gaussians=state["GNN.0.conv.linear1_vector.weight"].shape[1],
            wave_numbers=round(waves ** (1 / 3)),
            message_activation=graph_activation,
            module_activation=graph_activation,
            head_activation=head_activation,
            graph=GraphSpec(cell="as_given"),
        )
    except (KeyError, IndexError, ValueError) as error:
        raise ForeignCheckpoint("the tensors are not those of a CGXAS network") from error
    return config


def translate(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the state under our names; tensors the authors' network never uses are left out.

    Raises:
        ForeignCheckpoint: a name that is not part of the network, or a part that is missing.
    """
    translated: dict[str, Tensor] = {}
    halves: dict[str, dict[int, Tensor]] = {}
    for name, tensor in state.items():
        if _NEVER_USED.search(name):
            continue
        target, half = _our_name(name)
        if half is None or name.endswith("num_batches_tracked"):
            translated[target] = tensor
        else:
            halves.setdefault(target, {})[half] = tensor
    for target, parts in halves.items():
        if set(parts) != {0, 1}:
            raise ForeignCheckpoint(f"half of {target} is missing from the state dictionary")
        if parts[0].shape != parts[1].shape:
            raise ForeignCheckpoint(f"the halves of {target} do not fit together")
        translated[target] = torch.cat([parts[0], parts[1]])
    return translated


def _our_name(name: str) -> tuple[str, int | None]:
    """Return our name, and which half of the tensor this is if gate and message share it."""
    module, _, leaf = name.rpartition(".")
    if name == "embedding.linear.weight":
        return name, None
    if match := _GRAPH.fullmatch(module):
        prefix = f"graph_modules.{match[1]}."
        if match[2] in _PAIRED:
            target, half = _PAIRED[match[2]]
            return f"{prefix}{target}.{leaf}", half
        if match[2] in _CONVOLUTION:
            return f"{prefix}{_CONVOLUTION[match[2]]}.{leaf}", None
    if (match := _HEAD.fullmatch(module)) and match[2] in _DENSE:
        return f"head_layers.{match[1]}.{_DENSE[match[2]]}.{leaf}", None
    raise ForeignCheckpoint(f"{name!r} is no part of the published CGXAS network")
