"""Spectra from learnt phases and exact scattering, on formulas that were not learnt from.

    python benchmarks/scattering.py SHARED/data --part validation --sites 60
    python benchmarks/scattering.py SHARED/data --part test --save phases.safetensors
    python benchmarks/scattering.py SHARED/data --sites 60 --figure scattering.png

A formula's part is the hash of its name modulo 10: 0 test, 1 validation, the others are learnt
from. RSE is weighted by the widths of the energy points.
"""

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from safetensors.torch import save_file

from cgxas.data.folder import read_records
from cgxas.data.potentials import HEAVIEST, read_potentials
from cgxas.data.record import Record
from cgxas.figures.style import COLOURS, STYLE
from cgxas.model.scattering.phases import PhaseModel
from cgxas.physics.scattering.cluster import SIZE
from cgxas.spectra.axis import FEFF_POINTS, trapezoid_widths
from cgxas.typing import FloatArray

WIDTHS = trapezoid_widths(FEFF_POINTS, np.ones((1, len(FEFF_POINTS))))[0]


def part(record: Record) -> str:
    """Return what a record is used for."""
    digest = hashlib.sha256(record.material.formula.encode()).hexdigest()
    return {0: "test", 1: "validation"}.get(int(digest, 16) % 10, "training")


def rse(answer: FloatArray, truth: FloatArray) -> float:
    """Return the squared error over the squared truth, as on a uniform grid."""
    return float((WIDTHS * (answer - truth) ** 2).sum() / (WIDTHS * truth**2).sum())


def main() -> None:
    """Learn, save, test."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", choices=("validation", "test"), default="validation")
    parser.add_argument("--sites", type=int, default=0, help="at most so many")
    parser.add_argument("--atoms", type=float, default=SIZE)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--figure", type=Path, help="six spectra from the best to the worst")
    parser.add_argument("--all", action="store_true", help="learn from all parts, answer nothing")
    asked = parser.parse_args()
    folders = [asked.data / name for name in ("sim_feff10", "sim_feff10_references")]
    records = read_records(folders).records
    learnt = [each for each in records if asked.all or part(each) == "training"]
    records = [each for each in records if each.dataset == "sim_feff10"]
    begin = time.process_time()
    known, depths = read_potentials(asked.data / "sim_feff10_potentials", learnt)
    model = PhaseModel.fitted(known, depths)
    print(
        f"learnt from {len(known)} sites with potentials and {len(depths)} depths "
        f"in {time.process_time() - begin:.0f} s"
    )
    if asked.save:
        save_file({name: each.contiguous() for name, each in model.tensors().items()}, asked.save)
        print(f"{asked.save}: {asked.save.stat().st_size / 1e6:.1f} MB")
    if not asked.all:
        test(model, [each for each in records if part(each) == asked.part], asked)


def test(model: PhaseModel, records: list[Record], asked: argparse.Namespace) -> None:
    """Answer records, and print how well."""
    light = [each for each in records if each.material.cell.numbers[each.sites[0]] <= HEAVIEST]
    answered = [each for each in light if model.answers(each.material.cell, int(each.sites[0]))]
    print(f"{len(light)} sites of {asked.part}, {len(answered)} of them with known elements")
    if asked.sites:
        answered = answered[:: max(1, len(answered) // asked.sites)]
    begin = time.process_time()
    found = [model.mu(each.material.cell, int(each.sites[0]), asked.atoms) for each in answered]
    seconds = (time.process_time() - begin) / len(answered)
    errors = np.array([rse(mu, each.norm) for mu, each in zip(found, answered, strict=True)])
    z = np.array([each.material.cell.numbers[each.sites[0]] for each in answered])
    for name, band in (("all", z > 0), ("Z <= 9", z <= 9), ("11 to 20", z > 9)):
        print(
            f"{name:9s} {band.sum():4d} sites, RSE mean {errors[band].mean():.4f}, "
            f"median {np.median(errors[band]):.4f}"
        )
    print(f"{1 / seconds:.1f} sites per second of one core, {asked.atoms:g} atoms")

    if asked.figure:
        order = np.argsort(errors)
        draw([(answered[i], found[i], errors[i]) for i in order[_SHOWN * len(order) // 100]], asked)


_SHOWN = np.array([5, 20, 40, 60, 80, 95])  # per cent of sites that are answered better


def draw(shown: list[tuple[Record, FloatArray, float]], asked: argparse.Namespace) -> None:
    """Draw spectra from the best to the worst."""
    with rc_context(STYLE):
        figure = Figure(figsize=(7.0, 4.0), layout="constrained")
        for axes, (record, mu, error) in zip(
            figure.subplots(2, 3, sharex=True).flat, shown, strict=True
        ):
            axes.plot(FEFF_POINTS, record.norm, color="black", lw=1.4, label="FEFF")
            axes.plot(FEFF_POINTS, mu, color=COLOURS[1], lw=1.2, label="learnt phases")
            title = f"{record.element} in {record.material.formula}, RSE {error:.3f}"
            axes.set_title(title, fontsize=8.5)
            axes.set_ylim(bottom=0)
        figure.axes[0].legend(frameon=False)
        figure.supxlabel("energy from the edge (eV)")
        figure.supylabel("normalised absorption")
        figure.savefig(asked.figure, dpi=160)


if __name__ == "__main__":
    main()
