"""How the answers of a calibrated model are judged: by the compounds that were measured."""

from collections.abc import Sequence

import numpy as np

from cgxas.calibration.measured import Compounds
from cgxas.calibration.trials import Trial
from cgxas.elements import atomic_number
from cgxas.model.model import fingerprinted
from cgxas.model.trust.error import ExpectedError
from cgxas.model.trust.reference import Reference
from cgxas.physics.fingerprint import joined


def learnt_from(
    compounds: Compounds, elements: Sequence[str], found: Sequence[Trial], method: str
) -> Reference | None:
    """Return what the answers of a model that was calibrated to compounds are judged by.

    The errors to expect are those of compounds in the test part of a trial, which is judged by the
    compounds of the other parts alone.

    Args:
        compounds: all of them.
        elements: absorbers that the calibration learnt from.
        found: trials of the method.
        method: the method that made the model.

    Returns:
        None where the model that was calibrated tells nothing of what it learnt from.
    """
    reference = compounds.model.checkpoint.trust
    if reference is None:
        return None
    rows = np.flatnonzero(np.isin(compounds.element, list(elements)))
    prints = {int(n): fingerprinted(compounds.sites[int(n)]) for n in rows}

    def without(element: str, names: Sequence[str]) -> Reference:
        is_left = (compounds.element == element) & np.isin(compounds.name, names)
        known = [prints[int(n)] for n in rows if not is_left[n]]
        formulas = [formula for sites, _, formula in known for _ in range(len(sites))]
        return reference.with_measured(joined([sites for sites, _, _ in known]), formulas)

    errors, new, of = [], [], []
    for trial in (trial for trial in found if trial.method == method):
        others = without(trial.element, trial.parts["test"])
        for name in trial.parts["test"]:
            mine = (compounds.element == trial.element) & (compounds.name == name)
            (number,) = np.flatnonzero(mine)
            errors.append(trial.rse[name])
            new.append(others.judge(*prints[int(number)]).newness)
            of.append(atomic_number(trial.element))
    whole = without("", ())
    if not errors:
        return whole
    return whole.with_error(ExpectedError.fit(np.array(errors), np.array(of), np.array(new)))
