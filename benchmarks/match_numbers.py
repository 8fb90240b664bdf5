"""Fit the numbers of `cgxas match`, and tell how often it is right where they were not fitted.

    python benchmarks/match_numbers.py DATA -o OUT

The questions are those of benchmarks/match.py, in its ways `left out` and `new` for calibrated
models, `uncalibrated` for simulations; what models say is kept in OUT, which both share. The
numbers are those of greatest probability of the right candidate, among all candidates of its scan,
times a belief that they lie near where they start. Curves of errors are principal components of
what the right candidates differ by.

First one element after the other is left out: curves and numbers come from the others (and the
curves that an element is fitted with never from itself), and its own scans are asked with them.
The rates of all elements are printed: nothing that they count was fitted to, but that shift and
broadening of each candidate are found with the numbers as shipped. Then all elements give what may
be shipped: `errors.json` in OUT, and the numbers of `CALIBRATED` and `SIMULATED` on the screen.
What is shipped came of one run that found shifts with numbers chosen by hand; another run moves
numbers that hardly matter, and rates by a per cent or two.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from match import FEW, SEED, elements, uncalibrated, unlearnt
from scipy.optimize import minimize
from torch import Tensor

from cgxas.calibration.measured import read_compounds
from cgxas.data.folder import read_records
from cgxas.matching.errors import Shapes
from cgxas.matching.fit import EDGE_TAILS, TAILS, fit_of
from cgxas.matching.points import RELATIVE, Points
from cgxas.matching.rank import belief_of
from cgxas.model.checkpoint import load_checkpoint

FITTED = (
    "band", "floor", "feature", "fine", "blur", "step", "damping", "learnt", "pieces", "edge",
    "width",
)  # fmt: skip
SIMULATED_WAY = "uncalibrated"
START = {
    "calibrated": (0.6, 0.037, 0.1, 0.06, 0.7, 0.03, 0.02, 0.3, 0.1, 1.5, 2.2),
    "simulated": (0.6, 0.06, 0.1, 0.2, 0.7, 0.03, 0.1, 0.3, 0.1, 5.0, 3.0),
}
DIRECTIONS = ("fine", "blur", "step", "damping")
CURVES, STEPS, RATE, KEPT, ALL = 10, 25, 0.12, 20, 10**6


@dataclass(frozen=True, eq=False)
class Asked:
    """One scan and (N,) candidates, at (P,) points of which some were not measured.

    Attributes:
        element: the absorber.
        way: how the models were asked.
        true: number of the right candidate.
        same: (N,) which are of its formula.
        apart: (N, P) measured less predicted.
        shapes: name -> (N, P) of errors.
        known: (P,) whether a point was measured.
        shift: (N,) eV.
        gaussian: (N,) eV.
        edge_sigma: (N,) eV.
    """

    element: str
    way: str
    true: int
    same: np.ndarray
    apart: np.ndarray
    shapes: dict[str, np.ndarray]
    known: np.ndarray
    shift: np.ndarray
    gaussian: np.ndarray
    edge_sigma: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """(N,) unit of the curves of errors."""
        return self.shapes["size"][:, 0]


def kind_of(way: str) -> str:
    """Return whose numbers a way to ask is answered with."""
    return "simulated" if way == SIMULATED_WAY else "calibrated"


def questions(data: Path, out: Path) -> list[Asked]:
    """Return all scans with their candidates, fitted with the numbers as they are."""
    compounds = read_compounds([data / "exp"], load_checkpoint("universal"))
    found = []
    for element in elements(data, compounds):
        asked = unlearnt(compounds, element, out)
        asked[SIMULATED_WAY] = [uncalibrated(compounds, element)] * len(element.scans)
        for way, rows in asked.items():
            for place, (scan, row) in enumerate(zip(element.scans, rows, strict=True)):
                kept = [n for n in range(len(row)) if n not in element.twins[place]]
                true = kept.index(place)
                found.append(question(way, Points.of(scan), [row[n] for n in kept], true))
        print(f"{element.symbol}: {len(element.scans)} scans", flush=True)
    return found


def question(way: str, points: Points, candidates: list, true: int) -> Asked:
    """Fit the candidates of one scan."""
    relative = points.energy - points.half_step
    at = np.abs(RELATIVE - relative[:, None]).argmin(axis=1)

    def wide(values: np.ndarray) -> np.ndarray:
        row = np.zeros(len(RELATIVE))
        row[at] = values
        return row

    fits = [fit_of(points, each, belief_of(each)) for each in candidates]
    shapes = [
        Shapes.of(points, c, f.shift, belief_of(c)) for c, f in zip(candidates, fits, strict=True)
    ]
    names = ("sigma", "slope", *DIRECTIONS)
    columns = {n: np.array([wide(getattr(each, n)) for each in shapes]) for n in names}
    columns["size"] = np.array([[each.size] for each in shapes])
    formula = candidates[true].formula
    return Asked(
        element=candidates[true].absorber,
        way=way,
        true=true,
        same=np.array([c.formula == formula for c in candidates]),
        apart=np.array([wide(points.norm - each.predicted) for each in fits]),
        shapes=columns,
        known=wide(np.ones(len(at))),
        shift=np.array([each.shift for each in fits]),
        gaussian=np.array([each.gaussian for each in fits]),
        edge_sigma=np.array([each.edge_sigma or 0.0 for each in candidates]),
    )


def curves_of_errors(asked: Sequence[Asked]) -> np.ndarray:
    """Return (K, P) principal components of what right candidates differ by, in their size."""
    rows = np.array([each.apart[each.true] / each.size[each.true] for each in asked])
    large = np.sqrt((rows**2).mean(axis=1, keepdims=True))
    rows *= 1.5 / (1.0 + large / np.sqrt((rows**2).mean()))  # no scan counts for many
    _, size, components = np.linalg.svd(rows, full_matrices=False)
    return size[:CURVES, None] / np.sqrt(len(rows)) * components[:CURVES]


class Batch:
    """All candidates of some scans, one below the other."""

    def __init__(self, asked: Sequence[Asked], curves: Sequence[np.ndarray], kept: int) -> None:
        """Lay out the nearest candidates of each scan, and the right one, as tensors.

        Args:
            asked: the scans.
            curves: (K, P) of errors, for each of them.
            kept: how many candidates.
        """
        self.asked, self.kept, true = asked, [], []
        for each in asked:
            order = np.argsort((each.apart**2).sum(axis=1))[:kept]
            if each.true not in order:
                order[-1] = each.true
            true.append(sum(map(len, self.kept)) + int(np.flatnonzero(order == each.true)[0]))
            self.kept.append(order)
        self.true = torch.tensor(true)
        self.owner = torch.tensor(np.repeat(np.arange(len(asked)), list(map(len, self.kept))))

        def rows(get: str) -> Tensor:
            parts = zip(asked, self.kept, strict=True)
            values = [each.shapes[get] if get in each.shapes else getattr(each, get)
                      for each, _ in parts]  # fmt: skip
            return torch.tensor(
                np.concatenate([v[o] for v, o in zip(values, self.kept, strict=True)])
            ).float()

        self.apart, self.sigma, self.slope = rows("apart"), rows("sigma"), rows("slope")
        self.directions = [rows(name) for name in DIRECTIONS]
        self.shift, self.gaussian, self.edge = rows("shift"), rows("gaussian"), rows("edge_sigma")
        each_known = [np.tile(a.known, (len(o), 1)) for a, o in zip(asked, self.kept, strict=True)]
        self.known = torch.tensor(np.concatenate(each_known)).float()
        own = torch.tensor(np.array(curves)).float()[self.owner]
        self.learnt = own * rows("size")[:, :, None]

    def likelihood(self, numbers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return (N,) log likelihoods and misfits, as `cgxas.matching.fit` defines them."""
        n, count = numbers, self.known.sum(1)
        variance = (n["band"] * self.sigma) ** 2 + (n["feature"] * self.slope) ** 2
        inverse = self.known / (variance + n["floor"] ** 2)
        pairs = zip(DIRECTIONS, self.directions, strict=True)
        together = torch.stack([n[name] * values for name, values in pairs], 1)
        together = torch.cat([together, n["learnt"] * self.learnt], 1) * self.known[:, None]
        scaled = together * inverse[:, None]
        inner = torch.eye(together.shape[1]) + scaled @ together.transpose(1, 2)
        factor = torch.linalg.cholesky(inner)
        part = torch.linalg.solve_triangular(factor, scaled @ self.apart[..., None], upper=False)
        squared = ((self.apart**2 * inverse).sum(1) - (part[..., 0] ** 2).sum(1)).clamp_min(1e-9)
        volume = -(torch.log(inverse.clamp_min(1e-30)) * self.known).sum(1) / 2
        volume = volume + torch.log(torch.diagonal(factor, dim1=1, dim2=2)).sum(1)
        of_curve = (TAILS + count) / 2 * torch.log1p(squared / TAILS) + volume
        scale = torch.hypot(self.edge, n["edge"])
        of_shift = (EDGE_TAILS + 1) / 2 * torch.log1p((self.shift / scale) ** 2 / EDGE_TAILS)
        of_width = (self.gaussian / n["width"]) ** 2 / 2
        return -n["pieces"] * of_curve - of_shift - of_width - torch.log(scale), squared / count

    def of_right(self, log: Tensor) -> Tensor:
        """Return (A,) log probabilities of the right candidates."""
        count = len(self.asked)
        highest = torch.full((count,), -torch.inf)
        highest = highest.scatter_reduce(0, self.owner, log.detach(), "amax")
        total = torch.zeros(count).index_add(0, self.owner, torch.exp(log - highest[self.owner]))
        return log[self.true] - highest - torch.log(total)


def fitted(asked: Sequence[Asked]) -> tuple[dict[str, Tensor], np.ndarray]:
    """Return numbers, and curves of errors, that fit some scans best."""
    without = {
        symbol: curves_of_errors([a for a in asked if a.element != symbol])
        for symbol in {a.element for a in asked}
    }
    batch = Batch(asked, [without[a.element] for a in asked], KEPT)
    start = torch.log(torch.tensor(START[kind_of(asked[0].way)]))
    free = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([free])
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = RATE * (1 - step / STEPS) + 0.01
        optimiser.zero_grad()
        log, _ = batch.likelihood(dict(zip(FITTED, free.exp(), strict=True)))
        loss = -batch.of_right(log).sum() + 2.0 * ((free - start) ** 2).sum()
        loss.backward()
        optimiser.step()
    return dict(zip(FITTED, free.detach().exp(), strict=True)), curves_of_errors(asked)


@dataclass(frozen=True, eq=False)
class Told:
    """What comes of a scan: (N,) log likelihoods and misfits of its candidates."""

    asked: Asked
    log: np.ndarray
    misfit: np.ndarray

    @property
    def place(self) -> int:
        """That of the right candidate, from 1."""
        return int((self.log > self.log[self.asked.true]).sum()) + 1

    def cases(self, number: int) -> list[tuple[int, float, float]]:
        """Return whether the right one is missing, log misfit and log number, of both cases."""
        others = np.flatnonzero(~self.asked.same)
        few = np.random.default_rng([SEED, self.asked.true]).permutation(others)[:number]
        every = number >= len(self.log)
        there = np.arange(len(self.log)) if every else np.append(few[1:], self.asked.true)
        return [
            (missing, float(np.log(self.misfit[among[self.log[among].argmax()]])),
             float(np.log(len(among))))
            for missing, among in enumerate((there, others if every else few))
        ]  # fmt: skip


def told(asked: Sequence[Asked], numbers: dict[str, Tensor], curves: np.ndarray) -> list[Told]:
    """Ask scans with numbers and curves."""
    batch = Batch(asked, [curves] * len(asked), ALL)
    with torch.no_grad():
        log, misfit = (each.double().numpy() for each in batch.likelihood(numbers))
    owner, found = batch.owner.numpy(), []
    for n, (each, order) in enumerate(zip(asked, batch.kept, strict=True)):
        back = np.argsort(order)
        found.append(Told(each, log[owner == n][back], misfit[owner == n][back]))
    return found


def odds(found: Sequence[Told]) -> np.ndarray:
    """Return (3,) the numbers of `Belief.doubt` that tell best whether the right one is missing."""
    cases = np.array([c for t in found for n in (*FEW, ALL) for c in t.cases(n)])
    missing, features = cases[:, 0], np.column_stack([np.ones(len(cases)), cases[:, 1:]])

    def loss(weights: np.ndarray) -> float:
        return float(np.logaddexp(0.0, (1 - 2 * missing) * (features @ weights)).sum())

    return np.asarray(minimize(loss, np.zeros(3)).x)


def nested(every: Sequence[Asked]) -> None:
    """Print the rates of elements whose numbers come from the others."""
    found, none = [], {}
    for symbol in dict.fromkeys(a.element for a in every):
        others = [a for a in every if a.element != symbol]
        known = fitted(others)
        own = told([a for a in every if a.element == symbol], *known)
        doubt = odds(told(others, *known))
        for t in own:
            none[t] = {
                n: [float(np.dot(doubt, (1, *c[1:]))) > 0 for c in t.cases(n)] for n in (*FEW, ALL)
            }
        found += own
    for way in dict.fromkeys(a.way for a in every):
        rows = [t for t in found if t.asked.way == way]
        place = np.array([t.place for t in rows])
        print(f"{way}: {len(rows)} scans, first {100 * np.mean(place == 1):.0f} %, "
              f"first three {100 * np.mean(place <= 3):.0f} %")  # fmt: skip
        for n in (*FEW, ALL):
            there, out = 100 * np.mean([none[t][n] for t in rows], axis=0)
            print(f"  none of {'all' if n == ALL else n}: {there:.0f} % though it is there, "
                  f"{out:.0f} % when it is taken out")  # fmt: skip


def main() -> None:
    """Print the rates of elements that were left out, then the numbers of all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with the data sets")
    parser.add_argument("-o", "--out", type=Path, required=True, help="where answers are kept")
    wish = parser.parse_args()
    wish.out.mkdir(parents=True, exist_ok=True)
    every = questions(wish.data, wish.out)
    model = load_checkpoint("universal")
    shipped = {
        "provenance": {
            "data_sha256": read_records([wish.data / "exp"]).sha256,
            "model": f"calibrations of {model.name}, sha256 {model.sha256}",
            "command": "python benchmarks/match_numbers.py DATA -o OUT",
        },
        "relative": RELATIVE.tolist(),
    }
    for kind in START:
        own = [a for a in every if kind_of(a.way) == kind]
        nested(own)
        numbers, curves = fitted(own)
        doubt = odds(told(own, numbers, curves)).round(2)
        print(kind, *(f"{n}={float(v):.3g}" for n, v in numbers.items()), "doubt", doubt)
        shipped[kind] = curves.round(4).tolist()
    (wish.out / "errors.json").write_text(json.dumps(shipped) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
