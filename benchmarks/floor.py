"""What a training step takes at least: its matrix products and its traffic of wide edge arrays."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from cgxas.crystals.spec import GraphSpec
from cgxas.elements import MAX_ATOMIC_NUMBER
from cgxas.model.cgxas.config import CGXASConfig
from cgxas.model.cgxas.layers import N_NODE_FEATURES

N_NEIGHBOURS = GraphSpec().neighbours


@dataclass(frozen=True)
class Product:
    """A matrix product (m, k) x (k, n) that a step takes so many times."""

    m: int
    k: int
    n: int
    times: int


def products(config: CGXASConfig, n_nodes: int, n_wanted: int) -> list[Product]:
    """Return the matrix products of a forward and backward pass after factoring.

    With N nodes, E = 12 N edges, S wanted nodes, T modules, H hidden, G Gaussians, W waves, L
    layers and P outputs the multiply-adds are

        T (N 3 (3 H 2H + H H)  +  E (2 G H + 2 W W + 3 W H))  +  3 S ((L - 1) H H + H P)

    and a few for the embedding of the elements. A map counts three times, forward, gradient of its
    input and gradient of its weight; on the basis, which gets no gradient, twice. W_s reads the
    basis, W_2 the gated basis, whose gradient the gate needs.
    """
    h, g, w = config.hidden, config.n_gaussians, config.n_waves
    t, e = config.n_modules, N_NEIGHBOURS * n_nodes
    found = [Product(MAX_ATOMIC_NUMBER, N_NODE_FEATURES, h, 1)]
    found += [Product(N_NODE_FEATURES, MAX_ATOMIC_NUMBER, h, 1)]
    found += _map(n_nodes, h, 2 * h, 3 * t) + _map(n_nodes, h, h, t)
    found += _map(e, g, h, t)[:2]
    if w:
        found += _map(e, w, w, t)[:2] + _map(e, w, h, t)
    layers = config.n_head_layers
    return found + _map(n_wanted, h, h, layers - 1) + _map(n_wanted, h, config.n_outputs, 1)


def _map(rows: int, n_in: int, n_out: int, times: int) -> list[Product]:
    """Return the products of a linear map: forward, gradient of the weight, of the input."""
    return [
        Product(rows, n_in, n_out, times),
        Product(n_out, rows, n_in, times),
        Product(rows, n_out, n_in, times),
    ]


def temporaries_bytes(config: CGXASConfig, n_nodes: int) -> int:
    """Return the bytes of wide edge arrays a step moves if each is touched as rarely as can be.

    In units of [12 N, 2 H] numbers, per module. Forward: gate and message before their norm
    written, and read once the statistics are known (2); z1 + z2 written and read (1). Backward:
    gate and message read for the sums of the norm and again for the gradient (2), that gradient
    written and read (2), z1 + z2 read (1/2), its gradient written and read (1), and with plane
    waves read again (1/2). The [12 N, 64] bases and what stays within a node are left out.
    """
    unit = N_NEIGHBOURS * n_nodes * 2 * config.hidden * 4
    return int(unit * (9 if config.n_waves else 8.5) * config.n_modules)


def floor(
    config: CGXASConfig, n_nodes: int, n_wanted: int, device: torch.device
) -> dict[str, float]:
    """Return what a step takes at least, by the rates measured here at the sizes it has."""
    wanted = products(config, n_nodes, n_wanted)
    seconds = sum(p.times * _product_seconds(p, device) for p in wanted)
    multiply_adds = sum(p.times * p.m * p.k * p.n for p in wanted)
    unit = torch.rand(N_NEIGHBOURS * n_nodes, 2 * config.hidden, device=device)
    other = torch.empty_like(unit)
    bandwidth = 2 * unit.nbytes / _fastest(lambda: other.copy_(unit))
    moved = temporaries_bytes(config, n_nodes)
    return {
        "nodes": n_nodes,
        "wanted_nodes": n_wanted,
        "multiply_adds": multiply_adds,
        "gflop_per_second": 2e-9 * multiply_adds / seconds,
        "arithmetic_ms": 1e3 * seconds,
        "bytes": moved,
        "copy_gigabytes_per_second": 1e-9 * bandwidth,
        "memory_ms": 1e3 * moved / bandwidth,
    }


def _product_seconds(product: Product, device: torch.device) -> float:
    a = torch.rand(product.m, product.k, device=device)
    b = torch.rand(product.k, product.n, device=device)
    out = torch.empty(product.m, product.n, device=device)
    return _fastest(lambda: torch.mm(a, b, out=out))


def _fastest(work: Callable[[], object], repeats: int = 8) -> float:
    """Return the seconds of the fastest repeat: a floor is what an undisturbed machine does."""
    seconds = []
    for _ in range(repeats):
        started = _now()
        work()
        seconds.append(_now() - started)
    return min(seconds[1:])


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
