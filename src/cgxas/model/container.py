"""The file that models come in: tensors with a text, in the safetensors format; never a pickle."""

import hashlib
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cgxas.errors import CgxasError, DamagedCheckpoint, ForeignCheckpoint
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
    from safetensors import SafetensorError, safe_open

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


def load_torch(path: Path, error: type[CgxasError]) -> Any:
    """Return what torch.save wrote, without running any code that the file may hold.

    Args:
        path: the file.
        error: the class to raise where it is no regular file, too large, or packed.

    Raises:
        Exception: whatever PyTorch makes of a file that is damaged or holds code.
    """
    MODEL_SIZE.refuse_beyond(refuse_unreadable(path, error), f"{path} holds", error)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            packed = any(member.compress_type for member in archive.infolist())
        if packed:
            raise error(
                f"{path} unpacks to {unpacked:,} bytes; PyTorch packs nothing: save it again"
            )
    return torch.load(path, map_location="cpu", weights_only=True)


def is_plain(tensor: Tensor) -> bool:
    """Tell whether a tensor has all its numbers in memory, not a few of them many times over."""
    if tensor.layout != torch.strided or tensor.is_quantized:
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


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
