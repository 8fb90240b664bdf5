"""What a model knows, as an element picker and a list of models need it."""

from typing import Any

from cgxas.elements import SYMBOLS
from cgxas.model.checkpoint import Checkpoint, load_checkpoint
from cgxas.model.location import SIMULATED, bundled

CALIBRATED = 5
"""Measured compounds from which on the calibration of an element was tested with each left out."""

WELL = 0.02
"""Relative squared error on unseen formulas up to which an element is simulated well."""


def element_values(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Return, by atomic number, how far each element can be trusted as an absorber.

    Its class is "calibrated" (5 measured compounds or more), "few" (1 to 4), "simulated" (none, and
    RSE on unseen simulated formulas up to 0.02), "rough" (above), or "none": it is not answered.

    Args:
        checkpoint: the model that answers.
    """
    reference = checkpoint.trust
    measured = None if reference is None else reference.measured
    simulated = None if reference is None else reference.simulated
    source = checkpoint
    if checkpoint.is_calibrated and SIMULATED in bundled():
        source = load_checkpoint(SIMULATED)
    found = []
    for number, symbol in enumerate(SYMBOLS, start=1):
        card = checkpoint.elements.get(symbol)
        known = card is not None and (checkpoint.is_calibrated or card.n_train != 0)
        other = source.elements.get(symbol)
        rse = None if other is None else other.test_rse
        n_measured = len(measured.compounds(symbol)) if known and measured else 0
        n_simulated = len(simulated.compounds(symbol)) if known and simulated else 0
        found.append(
            {
                "symbol": symbol,
                "number": number,
                "class": _class(known, n_measured, rse),
                "measured": n_measured,
                "simulated": n_simulated,
                "rse_simulated": None if rse is None else round(rse, 4),
            }
        )
    return found


def _class(known: bool, n_measured: int, rse: float | None) -> str:
    if not known:
        return "none"
    if n_measured:
        return "calibrated" if n_measured >= CALIBRATED else "few"
    return "simulated" if rse is not None and rse <= WELL else "rough"


def model_values(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Return the model that answers, and the bundled ones.

    Args:
        checkpoint: the model that answers.
    """
    others = [load_checkpoint(name) for name in bundled() if name != checkpoint.name]
    return [
        {
            "name": each.name,
            "answers": each is checkpoint,
            "is_calibrated": each.is_calibrated,
            "sha256": each.sha256,
            "elements": list(each.elements),
        }
        for each in (checkpoint, *others)
    ]
