"""Runs side by side: one model for all elements, one per element, one fine-tuned per element."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cgxas.elements import SYMBOLS, atomic_number
from cgxas.evaluation.tested import TestedSpectra
from cgxas.training.folder import RunFolder

KINDS: Final = {"universal": "Uni", "element": "Spec", "finetune": "FT"}
"""Kinds of run and what the paper calls them (arXiv:2512.23449)."""


@dataclass(frozen=True)
class ElementScores:
    """Errors of the test spectra of one absorber.

    Attributes:
        n: number of spectra.
        rse: mean relative squared error.
        rse_median: its median.
        rse_90: its 90 % quantile.
        pcc: mean Pearson correlation.
        half_step_error: mean absolute difference of the half steps, eV; None without any edge.
    """

    n: int
    rse: float
    rse_median: float
    rse_90: float
    pcc: float
    half_step_error: float | None


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that answer together: one universal run, or one run for each of several elements.

    Attributes:
        label: "Uni", "Spec" or "FT", with the run's name where there are several such groups.
        kind: kind of the runs.
        split_by: how their data were split.
        runs: the runs.
        tested: the test spectra of all of them.
    """

    label: str
    kind: str
    split_by: str
    runs: tuple[RunFolder, ...]
    tested: TestedSpectra

    @property
    def overall(self) -> ElementScores:
        """Errors over all spectra."""
        return _scores(self.tested, np.ones(len(self.tested.rse), dtype=np.bool_))

    @property
    def elements(self) -> dict[str, ElementScores]:
        """Absorber -> errors, by atomic number."""
        return {
            symbol: _scores(self.tested, self.tested.element == symbol)
            for symbol in sorted(set(self.tested.element.tolist()), key=SYMBOLS.index)
        }


def in_order(runs: Sequence[RunFolder]) -> list[RunFolder]:
    """Return the runs as Uni, Spec, FT, each kind by atomic number."""
    return sorted(
        runs,
        key=lambda run: (
            [*KINDS].index(run.kind),
            atomic_number(run.element) if run.element else 0,
        ),
    )


def grouped(runs: Sequence[RunFolder]) -> list[Group]:
    """Return the runs in groups: by split, then Uni, Spec, FT.

    A run of one element joins the first group of its kind and split in which no other answers for
    it; runs without a test spectrum are left out.
    """
    groups: list[tuple[list[RunFolder], list[TestedSpectra]]] = []
    for run in runs:
        tested = run.tested()
        if not len(tested.rse):
            continue
        for members, spectra in groups:
            if _alike(members[0], run) and all(_disjoint(each, tested) for each in spectra):
                members.append(run)
                spectra.append(tested)
                break
        else:
            groups.append(([run], [tested]))
    groups.sort(key=lambda group: (group[0][0].split_by, [*KINDS].index(group[0][0].kind)))
    labels = _labels([members for members, _ in groups])
    return [
        Group(label, members[0].kind, members[0].split_by, tuple(members), _joined(spectra))
        for label, (members, spectra) in zip(labels, groups, strict=True)
    ]


def _alike(one: RunFolder, other: RunFolder) -> bool:
    same = (one.kind, one.split_by) == (other.kind, other.split_by)
    return same and one.kind != "universal"


def _disjoint(one: TestedSpectra, other: TestedSpectra) -> bool:
    same_width = one.target.shape[1] == other.target.shape[1]
    return same_width and not np.isin(one.element, other.element).any()


def _labels(groups: Sequence[Sequence[RunFolder]]) -> list[str]:
    """Return Uni, Spec, FT; with a name or number where a split has several of a kind."""
    keys = [(members[0].kind, members[0].split_by) for members in groups]
    count, seen = Counter(keys), Counter[tuple[str, str]]()
    labels = []
    for key, members in zip(keys, groups, strict=True):
        seen[key] += 1
        name = members[0].path.name if len(members) == 1 else str(seen[key])
        labels.append(KINDS[key[0]] + (f" {name}" if count[key] > 1 else ""))
    return labels


def _joined(spectra: Sequence[TestedSpectra]) -> TestedSpectra:
    columns = {
        field.name: np.concatenate([getattr(each, field.name) for each in spectra])
        for field in fields(TestedSpectra)
    }
    return TestedSpectra(**columns)


def _scores(tested: TestedSpectra, rows: NDArray[np.bool_]) -> ElementScores:
    median, ninety = np.quantile(tested.rse[rows], (0.5, 0.9))
    edge = tested.half_step_error[rows]
    edge = edge[np.isfinite(edge)]
    return ElementScores(
        n=int(rows.sum()),
        rse=float(tested.rse[rows].mean()),
        rse_median=float(median),
        rse_90=float(ninety),
        pcc=float(tested.pcc[rows].mean()),
        half_step_error=float(edge.mean()) if len(edge) else None,
    )


def run_names(runs: Sequence[RunFolder]) -> list[str]:
    """Return a name for each run that no other has: its own, its folder's, or the whole path."""
    for names in ([r.name for r in runs], [r.path.name for r in runs]):
        if len(set(names)) == len(names):
            return names
    return [str(run.path) for run in runs]
