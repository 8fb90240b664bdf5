"""How often `cgxas match` finds the compound that was measured, and knows when it is not there.

    python benchmarks/match.py DATA -o OUT

One scan of each measured compound of DATA/exp is held against all measured crystals of its element
and 50 others that hold it, of the simulated folders, drawn at random, no two of one formula and
none of a measured one. Three questions are asked of calibrated models:

- `left out`: each candidate is answered by a model that has learnt neither from its formula nor
  from that of the scan, so that nothing is known of any compound but its crystal. The others stand
  for compounds that nobody has measured, as most candidates do. (A model that has learnt from the
  scan answers for the likes of its compound with the scan itself: so it would look like them.)
- `new`: one model answers for all candidates, and has not learnt from the compound of the scan: a
  new compound among known ones.
- `learnt`: the model has learnt from all of them, as the bundled one has, and from this very scan:
  what it is worth as a library of measured compounds.

Uncalibrated answers are those of the model universal. Then the true compound, with all of its
formula, is taken out of the candidates: is "none of these" the answer? The numbers of the search
(cgxas.matching) were fitted to all elements: benchmarks/match_numbers.py tells what they are worth
for elements that they were not fitted to.
Models are fitted once and what they say is kept in OUT: some 15 minutes.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from cgxas.calibration.gaussian import fit_gaussian
from cgxas.calibration.measured import Compounds, read_compounds
from cgxas.calibration.repeats import draw_repeats, well_measured
from cgxas.crystals.canonical import settled_cell
from cgxas.data.folder import read_records
from cgxas.data.record import Material, Record
from cgxas.elements import SYMBOLS, atomic_number
from cgxas.matching.fit import Fit, fit_of
from cgxas.matching.points import Points
from cgxas.matching.rank import Ranked, belief_of, weighed
from cgxas.model.calibration.base import Calibrated, Calibration
from cgxas.model.checkpoint import load_checkpoint
from cgxas.model.sites import AbsorberSites
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum

SIMULATED = ("sim_feff10", "sim_feff9", "sim_other")
DECOYS, MOST_ATOMS, SEED = 50, 60, 64
FEW = (1, 3, 10)
WAYS = ("left out", "new", "learnt", "uncalibrated")


@dataclass(frozen=True, eq=False)
class Element:
    """The candidates of an element: (C,) measured crystals, then the decoys.

    Attributes:
        symbol: the absorber.
        numbers: (C,) numbers of the compounds.
        sites: of all candidates.
        formulas: of all candidates.
        scans: (C,) one measured scan of each compound.
        twins: (C,) numbers of other candidates that are the very crystal of each, measured under
            another name: they are left out where it is asked for.
    """

    symbol: str
    numbers: np.ndarray
    sites: list[AbsorberSites]
    formulas: list[str]
    scans: list[Measurement]
    twins: list[set[int]]


def decoys(data: Path, symbol: str, known: set[str], pool: Sequence[Material]) -> list[Material]:
    """Return crystals that hold an element, no two of a formula."""
    z = atomic_number(symbol)
    by_formula: dict[str, Material] = {}
    for each in pool:
        is_small = len(each.cell.numbers) <= MOST_ATOMS
        if z in each.cell.numbers and is_small and each.formula not in known:
            by_formula.setdefault(each.formula, each)
    names = sorted(by_formula)
    drawn = np.random.default_rng([SEED, z]).permutation(len(names))[:DECOYS]
    return [by_formula[names[n]] for n in sorted(drawn)]


def scan_of(record: Record) -> Measurement:
    """Return a record as a measurement, with the energy shift that its source needs."""
    return Measurement(
        energy=record.energy, mu=record.norm, norm=record.norm, element=record.element, edge="K",
        kind="normalised", format="", source=record.key, label="", edge_step=1.0,
        energy_shift=record.annotation.shift,
    )  # fmt: skip


def scans_of(compounds: Compounds, numbers: np.ndarray) -> list[Measurement]:
    """Return the first scan of each compound that nobody doubts."""
    found = []
    for n in numbers:
        name, symbol = str(compounds.name[n]), str(compounds.element[n])
        every = [
            r
            for r in compounds.data.records
            if r.element == symbol
            and (r.annotation.compound or r.material.material_id) == name
            and not r.annotation.unusable
        ]
        trusted = [r for r in every if not r.annotation.doubtful] or every
        found.append(scan_of(trusted[0]))
    return found


def twins_of(sites: Sequence[AbsorberSites]) -> list[set[int]]:
    """Return, of each crystal, the numbers of the others that are the same."""
    matcher = StructureMatcher()
    crystals = [
        Structure(each.cell.lattice, [SYMBOLS[z - 1] for z in each.cell.numbers], each.cell.frac)
        for each in sites
    ]
    every = range(len(sites))
    return [
        {n for n in every if n != own and matcher.fit(crystals[own], crystals[n])} for own in every
    ]


def elements(data: Path, compounds: Compounds) -> Iterator[Element]:
    """Yield the elements with their candidates."""
    records = [r for name in SIMULATED for r in read_records([data / name]).records]
    pool = list({(r.dataset, r.material.material_id): r.material for r in records}.values())
    model = compounds.model
    for symbol in well_measured(compounds):
        numbers = np.flatnonzero(compounds.element == symbol)
        formulas = [str(f) for f in compounds.formula[numbers]]
        others = decoys(data, symbol, set(formulas), pool)
        settled = (settled_cell(each.cell, model.checkpoint.config.graph) for each in others)
        sites = [compounds.sites[int(n)] for n in numbers]
        for each, embedded in zip(others, model.sites(settled), strict=True):
            atoms = np.flatnonzero(each.cell.numbers == atomic_number(symbol))
            sites.append(model.absorber_sites(embedded, symbol, atoms)[0])
        formulas += [each.formula for each in others]
        scans, twins = scans_of(compounds, numbers), twins_of(sites[: len(numbers)])
        yield Element(symbol, numbers, sites, formulas, scans, twins)


def left_out(compounds: Compounds, element: Element, out: Path) -> Iterator[dict[str, np.ndarray]]:
    """Yield, of each formula, what models say that have not learnt from it.

    Returns:
        `test`: numbers of its compounds; `mean`, `sigma` and `edge`: of all candidates by one
        model; `apart_mean`, ...: of the (C,) measured ones by models that have not learnt from
        their formula either.
    """
    grid = compounds.grids[element.symbol]
    for repeat in draw_repeats(compounds, element.symbol, "leave-one-out"):
        path = out / f"{element.symbol}_apart_{repeat.number}.npz"
        if not path.exists():
            known = np.concatenate([repeat.train, repeat.support])
            model = fit_gaussian(compounds, known)
            apart = [model.spectra(each, grid) for each in element.sites[: len(element.numbers)]]
            groups = compounds.group[element.numbers]
            for group in set(groups) - set(compounds.group[repeat.test]):
                fewer = known[compounds.group[known] != group]
                one = fit_gaussian(compounds, fewer, like=model)
                for n in np.flatnonzero(groups == group):
                    apart[n] = one.spectra(element.sites[n], grid)
            found = [model.spectra(each, grid) for each in element.sites]
            np.savez(
                path, test=repeat.test, energy=grid.energies, **columns("", found),
                **columns("apart_", apart),
            )  # fmt: skip
        with np.load(path) as file:
            yield dict(file)


def columns(start: str, found: Sequence[Calibrated]) -> dict[str, list]:
    """Return answers as columns for a file."""
    return {
        f"{start}mean": [f.mean for f in found],
        f"{start}sigma": [f.sigma for f in found],
        f"{start}edge": [f.edge_sigma for f in found],
    }


def unlearnt(compounds: Compounds, element: Element, out: Path) -> dict[str, list[list[Spectrum]]]:
    """Return what models say that have not learnt from the compound of each scan, in two ways."""
    models = list(left_out(compounds, element, out))
    model_of = {int(n): each for each in models for n in each["test"]}

    def told(found: dict[str, np.ndarray], number: int, start: str = "") -> Spectrum:
        return Spectrum(
            found["energy"], found[f"{start}mean"][number], element.symbol,
            sigma=found[f"{start}sigma"][number], edge_sigma=float(found[f"{start}edge"][number]),
            formula=element.formulas[number], model="calibrated",
        )  # fmt: skip

    every = range(len(element.sites))
    of_scan = [model_of[int(n)] for n in element.numbers]
    new = [[told(found, each) for each in every] for found in of_scan]
    apart = [[told(found, n, "apart_") for n in range(len(of_scan))] for found in of_scan]
    return {
        "left out": [one + row[len(one) :] for one, row in zip(apart, new, strict=True)],
        "new": new,
    }


def uncalibrated(compounds: Compounds, element: Element) -> list[Spectrum]:
    """Return what the uncalibrated model says of all candidates."""
    grid, raw = compounds.model.card(element.symbol).grid.energies, []
    for sites, formula in zip(element.sites, element.formulas, strict=True):
        found = compounds.model.answer(sites)
        raw.append(Spectrum(grid, found.mean, element.symbol, sigma=found.sigma, formula=formula))
    return raw


def answers(
    compounds: Compounds, element: Element, out: Path, learnt: Calibration
) -> dict[str, list[list[Spectrum]]]:
    """Return, of each way to ask and each scan, what is said of all candidates."""
    known = []
    for sites, formula in zip(element.sites, element.formulas, strict=True):
        found = learnt.spectra(sites, compounds.grids[element.symbol])
        known.append(
            Spectrum(
                compounds.grids[element.symbol].energies, found.mean, element.symbol,
                sigma=found.sigma, edge_sigma=found.edge_sigma, formula=formula,
            )
        )  # fmt: skip
    count = len(element.numbers)
    return {
        **unlearnt(compounds, element, out),
        "learnt": [known] * count,
        "uncalibrated": [uncalibrated(compounds, element)] * count,
    }


@dataclass(frozen=True)
class Asked:
    """What came of one scan.

    Attributes:
        element: absorber.
        formula: of the compound.
        place: of the true compound, from 1.
        score: of the true compound.
        highest: score of the first.
        none: probability that none fits.
        none_without: the same where the true compound is taken out.
        highest_without: score of the first then.
        of_few: the same two among so many candidates alone.
        best: formula of the first.
    """

    element: str
    formula: str
    place: int
    score: float
    highest: float
    none: float
    none_without: float
    highest_without: float
    of_few: dict[int, tuple[float, float]]
    best: str


def asked(element: Element, found: dict[str, list[list[Spectrum]]]) -> Iterator[tuple[str, Asked]]:
    """Yield what comes of each scan of an element, with the way it was asked in."""
    for place, scan in enumerate(element.scans):
        points, done = Points.of(scan), {}

        def fitted(spectrum: Spectrum, points: Points = points, done: dict = done) -> Fit:
            if id(spectrum) not in done:  # others are the same in two ways to ask
                done[id(spectrum)] = fit_of(points, spectrum, belief_of(spectrum))
            return done[id(spectrum)]

        def ranked(
            candidates: Sequence[Spectrum], points: Points = points, fitted: Callable = fitted
        ) -> Ranked:
            return weighed(points, [fitted(each) for each in candidates], candidates)

        for way in WAYS:
            everything = found[way][place]
            true = everything[place]
            candidates = [c for n, c in enumerate(everything) if n not in element.twins[place]]
            others = [c for c in candidates if c.formula != true.formula]
            whole, without = ranked(candidates), ranked(others)
            at = candidates.index(true)
            drawn = np.random.default_rng([SEED, place]).permutation(len(others))[: max(FEW)]
            few = [others[n] for n in drawn]
            best = candidates[whole.order[0]]
            yield way, Asked(
                element.symbol, true.formula, int(np.flatnonzero(whole.order == at)[0]) + 1,
                float(whole.score[at]), float(whole.score.max()), whole.none, without.none,
                float(without.score.max()),
                {n: (ranked([true, *few[: n - 1]]).none, ranked(few[:n]).none) for n in FEW},
                best.formula,
            )  # fmt: skip


def table(rows: list[Asked]) -> None:
    """Print the rates of each element, of each half of them, and of all."""
    groups = {
        s: [r for r in rows if r.element == s] for s in dict.fromkeys(r.element for r in rows)
    }
    groups["all"] = rows
    print(f"{'':10}{'n':>4}{'first':>7}{'first 3':>9}{'first 10':>10}{'score':>7}"
          f"{'none, but is there':>20}{'none, taken out':>17}")  # fmt: skip
    for name, group in groups.items():
        place = np.array([r.place for r in group])
        print(
            f"{name:10}{len(group):4}{100 * (place == 1).mean():7.0f}"
            f"{100 * (place <= 3).mean():9.0f}{100 * (place <= 10).mean():10.0f}"
            f"{np.mean([r.score for r in group]):7.2f}"
            f"{100 * np.mean([r.none > 0.5 for r in group]):20.0f}"
            f"{100 * np.mean([r.none_without > 0.5 for r in group]):17.0f}"
        )


def told(rows: list[Asked]) -> None:
    """Print what scores are worth, and "none of these" among few candidates."""
    print("score of the first: how many, how many right, where the true one is there or not")
    both = [(r.highest, r.place == 1) for r in rows]
    both += [(r.highest_without, False) for r in rows]
    for low in np.arange(0.0, 1.0, 0.2):
        right = [
            good for score, good in both if low <= score < low + 0.2 or score == low + 0.2 == 1
        ]
        if right:
            print(f"{low:.1f} to {low + 0.2:.1f}: {len(right):4} {100 * np.mean(right):4.0f}")
    bound = np.quantile([r.none_without for r in rows], 0.3)
    wrong = 100 * np.mean([r.none >= bound for r in rows])
    print(f"a none that is right in 70 % when it is taken out: wrong in {wrong:.0f} % "
          "where it is there")  # fmt: skip
    for n in FEW:
        there, out = np.array([r.of_few[n] for r in rows]).T > 0.5
        print(f"among {n}: none, but is there {100 * there.mean():.0f}, "
              f"taken out {100 * out.mean():.0f}")  # fmt: skip


def main() -> None:
    """Ask in all ways, and print the rates in per cent."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder with the data sets")
    parser.add_argument("-o", "--out", type=Path, required=True, help="where models are kept")
    parser.add_argument("--misses", action="store_true", help="show what is taken for what")
    wish = parser.parse_args()
    wish.out.mkdir(parents=True, exist_ok=True)
    compounds = read_compounds([wish.data / "exp"], load_checkpoint("universal"))
    rows: dict[str, list[Asked]] = {way: [] for way in WAYS}
    learnt = fit_gaussian(compounds, np.arange(len(compounds)))
    for element in elements(wish.data, compounds):
        for way, each in asked(element, answers(compounds, element, wish.out, learnt)):
            rows[way].append(each)
    for way in WAYS:
        print(f"\n{way}, per cent")
        table(rows[way])
        told(rows[way])
    if wish.misses:
        for r in (r for r in rows["left out"] if r.place > 1):
            print(f"{r.element} {r.formula}: {r.best} first, itself {r.place}, none {r.none:.2f}")


if __name__ == "__main__":
    main()
