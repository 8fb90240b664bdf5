"""What a program such as FEFF says of the measured compounds, to compare a calibration with."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cgxas.calibration.measured import STEP, Compounds
from cgxas.data.folder import read_records
from cgxas.model.calibration.curves import Curve, CurvesCalibration
from cgxas.typing import FloatArray


def program_curves(folders: Sequence[Path], compounds: Compounds) -> CurvesCalibration:
    """Return the simulated curves of compounds, where data sets have them.

    Spectra of single sites are averaged, weighted by the column `multiplicity`.

    Args:
        folders: data sets; compounds they name as the measured one does are the same.
        compounds: the measured ones.

    Raises:
        DatasetError: one cannot be read.
    """
    records = read_records(folders).records
    number = {
        (str(element), str(name)): n
        for n, (element, name) in enumerate(zip(compounds.element, compounds.name, strict=True))
    }
    sites: dict[int, list[tuple[Curve, float]]] = defaultdict(list)
    for record in records:
        about = record.annotation
        name = about.compound or record.material.material_id
        if (record.element, name) in number:
            curve = (record.energy, record.norm)
            sites[number[record.element, name]].append((curve, about.multiplicity))
    curves: dict[str, dict[str, Curve]] = defaultdict(dict)
    for compound, found in sorted(sites.items()):
        element, name = str(compounds.element[compound]), str(compounds.name[compound])
        curves[element][name] = _mean(found)
    return CurvesCalibration(curves)


def _mean(sites: list[tuple[Curve, float]]) -> tuple[FloatArray, FloatArray]:
    """Return the mean over sites, on energies that all of them cover."""
    low = max(energy[0] for (energy, _), _ in sites)
    high = min(energy[-1] for (energy, _), _ in sites)
    energy = np.arange(low, high, STEP)
    curves = [np.interp(energy, *curve) for curve, _ in sites]
    return energy, np.average(curves, axis=0, weights=[weight for _, weight in sites])
