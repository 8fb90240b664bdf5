"""The free electron between the atoms of a cluster, in angular momenta.

G0 of a pair is a sum over l'' of an outgoing wave, which knows the energy and the distance, times a
real number, which knows the direction. So all directions are worked out once for all energies.

The factors i^(l - l') that the propagator usually carries are left out: they are a diagonal
similarity transform, which commutes with the diagonal scattering matrices and leaves every trace
over one l alone. What remains is symmetric.
"""

from functools import cache

import torch
from torch import Tensor

from cgxas.physics.scattering.harmonics import gaunt, harmonics


def outgoing(x: Tensor, top: int) -> list[Tensor]:
    """Return outgoing spherical waves i (-i)^l h_l(x), the first of which is exp(ix)/x.

    Args:
        x: (...) complex, k times r.
        top: the highest l, at least 1.

    Returns:
        top + 1 tensors (...).
    """
    inverse = 1 / x
    waves = [torch.exp(1j * x) * inverse]
    waves.append(-waves[0] * (1 + 1j * inverse))
    for degree in range(1, top):
        waves.append(waves[degree - 1] - (2 * degree + 1) * 1j * inverse * waves[degree])
    return waves


def directions(unit: Tensor, top: int) -> dict[tuple[int, int, int], Tensor]:
    """Return how the waves of each l'' couple the harmonics of l to those of l' along directions.

    Args:
        unit: (N, M, 3) unit vectors.
        top: the highest l of an atom.

    Returns:
        (2l + 1, N, 2l' + 1, M) real numbers for (l, l', l''), for those l'' that couple at all.
    """
    waves = harmonics(unit, 2 * top)
    table = _coupling(top).to(waves)
    found = {}
    for first in range(top + 1):
        for second in range(top + 1):
            rows, columns = _of(first), _of(second)
            for third in range(abs(first - second), first + second + 1, 2):
                pair = table[rows, columns, _of(third)]
                found[first, second, third] = torch.einsum(
                    "abc,ijc->aibj", pair, waves[..., _of(third)]
                )
    return found


@cache
def _coupling(top: int) -> Tensor:
    with torch.inference_mode(mode=False):  # it is kept, also for whoever asks for gradients
        return torch.from_numpy(gaunt(top)) * (4 * torch.pi)


def _of(degree: int) -> slice:
    """Return the places of the harmonics of one l among all."""
    return slice(degree**2, (degree + 1) ** 2)


def coupled(
    waves: list[Tensor], couplings: dict[tuple[int, int, int], Tensor], scattered: list[Tensor]
) -> Tensor:
    """Return t G0: what arrives at N atoms from M others, scattered there.

    Args:
        waves: for each l'', (E, N, M) outgoing waves between N atoms and M.
        couplings: from `directions`, zero between an atom and itself.
        scattered: for each l, (E, N) what the N atoms make of it, t or 1.

    Returns:
        (E, S N, S M) complex with S = (top + 1)^2 harmonics, the harmonic being the slow index.
    """
    top = len(scattered) - 1
    energies, n, m = waves[0].shape
    size = (top + 1) ** 2
    full = torch.empty(
        (energies, size, n, size, m, 2), dtype=waves[0].real.dtype, device=waves[0].device
    )
    # Complex times real, as twice real times real: far faster.
    twice = {key: value.repeat_interleave(2, dim=-1) for key, value in couplings.items()}
    for first, factor in enumerate(scattered):
        sent = [torch.view_as_real(wave * factor[..., None]).flatten(-2) for wave in waves]
        for second in range(top + 1):
            thirds = range(abs(first - second), first + second + 1, 2)
            parts = [
                (sent[third][:, None, :, None], twice[first, second, third]) for third in thirds
            ]
            block = parts[0][0] * parts[0][1]
            for wave, coupling in parts[1:]:
                block = torch.addcmul(block, wave, coupling)
            full[:, _of(first), :, _of(second)] = block.reshape(*block.shape[:-1], m, 2)
    return torch.view_as_complex(full).reshape(energies, size * n, size * m)
