"""What a network trains on: graphs and targets as flat arrays, in memory, on disk or on a GPU.

Needs torch and numpy only, so that a compiled data set can be trained from where nothing else is
installed. `cgxas.data.compile` makes one of records.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from cgxas.crystals.batch import GraphBatch
from cgxas.data.split import Split
from cgxas.elements import atomic_number
from cgxas.errors import ConfigError, DatasetError
from cgxas.jsonfile import JsonFile
from cgxas.writing import atomic_folder

LEFT_WEIGHT = 0.1
"""Weight of grid points before the first computed one, where the first value is continued: next
to nothing where other spectra know better, enough to keep the network sane where none does."""

FORMAT = 3
OPTIONAL = ("distance", "fractional", "volume", "vector", "edge_start", "edge", "points")
"""Arrays that only some networks want."""

_PER_NODE = ("numbers", "neighbour", "distance", "fractional", "vector", "edge_start")
_META = "dataset.json"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Graphs of C crystals with N nodes in all, and T targets that are means over S nodes.

    Attributes:
        key: (T,) names of the spectra.
        formula: (C,) reduced formulas.
        fidelities: what `fidelity` counts through.
        sha256: hash of what the data set was made of.
        cutoff: largest neighbour distance, Angstrom.
        node_start: (C + 1,) int64, first node of each crystal, and N at the end.
        numbers: (N,) uint8 atomic numbers.
        neighbour: (N, K) int32, number within the crystal of the node at the end of each edge; or
            (E,) the same for networks that take all neighbours, however many.
        distance: (N, K) float32, Angstrom; the cutoff in empty slots. None with `vector`.
        fractional: (N, K, 3) float32 edge vectors in units of the cell vectors; None for
            networks without plane waves.
        volume: (C,) float32, cubic Angstrom; None likewise.
        vector: (E, 3) float32, Angstrom, of each node's edges, the shortest first; None for
            networks that take some neighbours.
        edge_start: (N + 1,) int64, first edge of each node, and E at the end; None likewise.
        crystal: (T,) int32, which crystal.
        member_start: (T + 1,) int64, first member of each target, and S at the end.
        member: (S,) int32, number within the crystal of a node the target is a mean over.
        share: (S,) float32, weight of that node in the mean; they add up to 1.
        norm: (T, P) float32 on the element's grid, or on points relative to the edge; the first
            and last value continued.
        computed: (T, 2) int16, first grid point the source computed, and the one after the last.
        absorber: (T,) uint8 atomic numbers.
        fidelity: (T,) uint8.
        certain: (T,) bool, whether the site is stated by the source.
        edge: (T,) float64 eV, what the points are counted from; that of a mean over sites is the
            mean of their edges. None for fixed windows.
        points: (P,) float64 eV relative to the edge, uneven; None likewise.
    """

    key: NDArray[np.str_]
    formula: NDArray[np.str_]
    fidelities: tuple[str, ...]
    sha256: str
    cutoff: float
    node_start: Tensor
    numbers: Tensor
    neighbour: Tensor
    distance: Tensor | None
    fractional: Tensor | None
    volume: Tensor | None
    vector: Tensor | None
    edge_start: Tensor | None
    crystal: Tensor
    member_start: Tensor
    member: Tensor
    share: Tensor
    norm: Tensor
    computed: Tensor
    absorber: Tensor
    fidelity: Tensor
    certain: Tensor
    edge: Tensor | None
    points: Tensor | None

    def __len__(self) -> int:
        return len(self.crystal)

    @property
    def n_crystals(self) -> int:
        """Number of crystals."""
        return len(self.node_start) - 1

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The arrays by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    @property
    def bytes_per_node(self) -> float:
        """Bytes a node of a graph takes."""
        return self._bytes(*_PER_NODE) / len(self.numbers)

    @property
    def bytes_per_spectrum(self) -> float:
        """Bytes a target takes, its name left out."""
        shared = (*_PER_NODE, "node_start", "volume", "points")
        rest = [name for name in self.tensors if name not in shared]
        return self._bytes(*rest) / max(len(self), 1)

    def _bytes(self, *names: str) -> int:
        return sum(t.nbytes for name, t in self.tensors.items() if name in names)

    def to(self, device: torch.device | str) -> Self:
        """Return the data set on another device."""
        moved: dict[str, Any] = {name: t.to(device) for name, t in self.tensors.items()}
        return replace(self, **moved)

    def batch(self, wanted: NDArray[np.int64]) -> "Batch":
        """Join the graphs of the wanted targets, each crystal once."""
        targets = torch.from_numpy(np.asarray(wanted, dtype=np.int64)).to(self.crystal.device)
        crystals, place = torch.unique(self.crystal[targets], return_inverse=True)
        first, nodes, offsets = _ranges(self.node_start, crystals.long())
        shift = torch.repeat_interleave(offsets[:-1], offsets.diff())
        start, members, _ = _ranges(self.member_start, targets)
        target_of_node = torch.repeat_interleave(torch.arange(len(targets)).to(start), start)
        known, weight = self.weights(targets)
        return Batch(
            graphs=self._graphs(crystals.long(), first, nodes, shift, offsets),
            nodes=self.member[members].long() + offsets[place][target_of_node],
            members=members,
            target_of_node=target_of_node,
            share=self.share[members],
            fidelity=self.fidelity[targets].long(),
            norm=self.norm[targets],
            computed=known,
            weight=weight,
            slope_weight=self.slope_weights(weight),
        )

    def _graphs(
        self, crystals: Tensor, sizes: Tensor, nodes: Tensor, shift: Tensor, offsets: Tensor
    ) -> GraphBatch:
        """Join the graphs of some crystals.

        Args:
            crystals: (C',) the crystals.
            sizes: (C',) nodes of each.
            nodes: (N',) these nodes.
            shift: (N',) what is added to the number of a node within its crystal.
            offsets: (C' + 1,) first node of each.
        """
        if self.vector is None or self.edge_start is None or self.distance is not None:
            distance = torch.as_tensor(self.distance)[nodes]
            volume = self.volume
            return GraphBatch(
                numbers=self.numbers[nodes].long(),
                neighbour_index=self.neighbour[nodes].long() + shift[:, None],
                distance=distance,
                vector=None,
                fractional=None if self.fractional is None else self.fractional[nodes],
                volume=None if volume is None else volume[crystals].repeat_interleave(sizes),
                mask=distance < self.cutoff,
                offsets=tuple(offsets.tolist()),
            )
        count, edges, start = _ranges(self.edge_start, nodes)
        row = torch.repeat_interleave(torch.arange(len(nodes)).to(count), count)
        slot = torch.arange(len(edges)).to(row) - start[:-1][row]
        slots = (len(nodes), max(int(count.max()), 1))
        index = shift.new_zeros(slots)
        index[row, slot] = self.neighbour[edges].long() + shift[row]
        vector = self.vector.new_zeros((*slots, 3))
        vector[row, slot] = self.vector[edges]
        distance = self.vector.new_full(slots, self.cutoff)
        distance[row, slot] = self.vector[edges].norm(dim=1)
        return GraphBatch(
            numbers=self.numbers[nodes].long(),
            neighbour_index=index,
            distance=distance,
            vector=vector,
            fractional=None,
            volume=None,
            mask=distance < self.cutoff,
            offsets=tuple(offsets.tolist()),
        )

    def only(self, split: Split, element: str | None) -> Split:
        """Return the targets of one absorber in each part; the parts as they are if None."""
        if element is None:
            return split
        mine = self.absorber.numpy() == atomic_number(element)
        return Split(*(part[mine[part]] for part in (split.train, split.validation, split.test)))

    def renumbered(
        self, fidelities: Sequence[str], default: Mapping[int, str] | None = None
    ) -> Self:
        """Return the data set with its fidelities counted as a network counts them.

        Args:
            fidelities: what the network tells apart; if it does not, nothing is changed.
            default: for each atomic number, what stands for a fidelity it does not know.

        Raises:
            ConfigError: the network does not know one, and nothing stands for it.
        """
        if not fidelities:
            return self
        numbers = self.fidelity.clone()
        for n, name in enumerate(self.fidelities):
            for z in np.unique(self.absorber[self.fidelity == n].numpy()).tolist():
                known = name if name in fidelities else (default or {}).get(z, "")
                if known not in fidelities:
                    raise ConfigError(
                        f"the data hold {name} spectra; the network tells {', '.join(fidelities)} "
                        "apart, see `fidelities` in its configuration"
                    )
                place = list(fidelities).index(known)
                numbers[(self.fidelity == n) & (self.absorber == z)] = place
        return replace(self, fidelity=numbers, fidelities=tuple(fidelities))

    def weights(self, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return (T, P) weights of points in RSE, 0 where not computed, and those in the loss.

        On uneven points the weights are how much energy each stands for, so that sums are those
        of a uniform grid; what was not computed has none in the loss either.
        """
        places = torch.arange(self.norm.shape[1], device=self.norm.device)
        computed = self.computed[targets].long()
        first, end = computed[:, :1], computed[:, 1:]
        known = ((places >= first) & (places < end)).float()
        if self.points is None:
            return known, known + LEFT_WEIGHT * (places < first)
        between = known[:, 1:] * known[:, :-1] * self.points.diff().float()
        widths = (pad(between, (1, 0)) + pad(between, (0, 1))) / 2
        return widths, widths

    def slope_weights(self, weight: Tensor) -> Tensor:
        """Return (T, P - 1) weights of first differences where both points have one in the loss.

        A slope is a difference over a step; over an uneven step it counts as long as that is.
        """
        if self.points is None:
            return weight[:, 1:] * weight[:, :-1]
        return ((weight[:, 1:] > 0) & (weight[:, :-1] > 0)).float() / self.points.diff().float()

    def save(self, folder: Path) -> None:
        """Write a folder of arrays that `load` maps into memory; it appears whole or not at all."""
        texts = {"key": self.key, "formula": self.formula}
        arrays = {name: t.cpu().numpy() for name, t in self.tensors.items()}
        arrays |= {name: np.char.encode(value, "utf-8") for name, value in texts.items()}
        names = ("fidelities", "sha256", "cutoff")
        meta = {"format": FORMAT, **{name: getattr(self, name) for name in names}}
        with atomic_folder(folder) as temporary:
            for name, array in arrays.items():
                np.save(temporary / f"{name}.npy", array, allow_pickle=False)
            (temporary / _META).write_text(json.dumps(meta), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map a folder that `save` wrote into memory.

        Raises:
            DatasetError: it is missing, damaged, or of another version.
        """
        try:
            meta = JsonFile(
                folder / _META, DatasetError, "compiled data set", "compile it again"
            ).values()
            if meta["format"] != FORMAT:
                raise DatasetError(f"{folder} is of another version of cgxas; compile it again")
            values: dict[str, Any] = {
                "fidelities": tuple(meta["fidelities"]),
                "sha256": meta["sha256"],
                "cutoff": float(meta["cutoff"]),
                **dict.fromkeys(OPTIONAL),
            }
            for path in folder.glob("*.npy"):
                # Copy-on-write: torch wants memory that it may write to.
                array = np.load(path, mmap_mode="c", allow_pickle=False)
                is_text = array.dtype.kind == "S"
                values[path.stem] = (
                    np.char.decode(array, "utf-8") if is_text else torch.from_numpy(array)
                )
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(f"{folder} is not a compiled data set, or is damaged") from error


@dataclass(frozen=True, eq=False)
class Batch:
    """Graphs and targets side by side.

    Attributes:
        graphs: the graphs.
        nodes: (S,) the nodes that are wanted.
        members: (S,) their numbers among the members of the data set.
        target_of_node: (S,) the target each of them belongs to.
        share: (S,) weight of the node in the mean of its target.
        fidelity: (T,) what each target was made with.
        norm: (T, P) targets.
        computed: (T, P) weights in RSE, 0 where they were not computed.
        weight: (T, P) weights in the loss.
        slope_weight: (T, P - 1) those of first differences.
    """

    graphs: GraphBatch
    nodes: Tensor
    members: Tensor
    target_of_node: Tensor
    share: Tensor
    fidelity: Tensor
    norm: Tensor
    computed: Tensor
    weight: Tensor
    slope_weight: Tensor

    def __len__(self) -> int:
        return len(self.norm)

    def pool(self, spectra: Tensor) -> Tensor:
        """Average (S, P) spectra of nodes to (T, P) spectra of targets."""
        pooled = spectra.new_zeros(len(self.norm), spectra.shape[1])
        return pooled.index_add_(0, self.target_of_node, spectra * self.share[:, None])

    def to(self, device: torch.device | str) -> Self:
        """Return the batch on another device."""
        return type(self)(**{name: value.to(device) for name, value in vars(self).items()})


def _ranges(start: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return (W,) lengths, the indices of the wanted ranges in a row, and where each begins."""
    lengths = start[wanted + 1] - start[wanted]
    offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    shift = torch.repeat_interleave(start[wanted] - offsets[:-1], lengths)
    return lengths, torch.arange(len(shift), device=shift.device) + shift, offsets
