"""The file that models come in: tensors with a text, in the safetensors format; never a pickle."""

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from torch import Tensor

from cgxas.errors import DamagedCheckpoint, ForeignCheckpoint
from cgxas.limits import MODEL_SIZE
from cgxas.reading import refuse_unreadable

SUFFIX = ".safetensors"
KEY = "cgxas"
"""Under which the text stands in the file's metadata."""


def read_tensors(path: Path) -> tuple[str, dict[str, Tensor]]:
    """Return the description and the tensors of a model file, whatever they are.

    Raises:
        ForeignCheckpoint: not a cgxas model; pickles are never opened here.
        DamagedCheckpoint: cut short, or not readable.
    """
    MODEL_SIZE.refuse_beyond(
        refuse_unreadable(path, DamagedCheckpoint), f"{path} holds", DamagedCheckpoint
    )
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise DamagedCheckpoint(f"{path} cannot be read: {error.strerror}") from error
    # A safetensors file begins with the length of its header, whose first bytes may be anything.
    if head[:4] == b"PK\x03\x04" or (head[:1] == b"\x80" and head[8:] not in (b"", b"{")):
        raise ForeignCheckpoint(
            f"{path} is a PyTorch file, which can hold code; convert the CGXAS authors' "
            f"checkpoints with 'cgxas models import {path} -o NAME{SUFFIX}'"
        )
    if len(head) < 8 or struct.unpack("<Q", head[:8])[0] > path.stat().st_size:
        raise DamagedCheckpoint(f"{path} is cut short or not a safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise DamagedCheckpoint(f"{path} is cut short or not a safetensors file") from error
    if text is None:
        raise ForeignCheckpoint(f"{path} holds tensors, but no cgxas model")
    return text, state


def all_finite(state: Mapping[str, Tensor]) -> bool:
    """Tell whether every number of a network is finite."""
    return all(bool(np.isfinite(tensor.numpy()).all()) for tensor in state.values())


def kind_of(tensor: Tensor) -> str:
    """Return shape and type of a tensor in words."""
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def tensors_hash(tensors: Mapping[str, Tensor]) -> str:
    """Return the hash of tensors and their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].detach().contiguous().cpu().numpy().data)
    return digest.hexdigest()
