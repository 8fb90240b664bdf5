"""What is asked of every crystal: a small value that goes with the work, to whatever machine."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cgxas.arguments import as_list
from cgxas.crystals.disorder.order import Disorder
from cgxas.errors import UnknownElement
from cgxas.model.location import bundled
from cgxas.predict import load


@dataclass(frozen=True)
class Asked:
    """What a model is asked of every crystal.

    Attributes:
        absorbers: symbols of the elements; "all" stands for whatever the model knows.
        model: name of a bundled model, or path of a model file on the machine that computes; None:
            the usual one.
        fidelity: what to answer as, such as "FEFF10"; None: the usual one of each absorber.
        disorder: what is done with disordered crystals.
        device: where the network computes, such as "cuda".
    """

    absorbers: tuple[str, ...]
    model: str | None = None
    fidelity: str | None = None
    disorder: Disorder = Disorder()  # noqa: RUF009  (it is frozen)
    device: str = "cpu"


def asked_of(
    absorber: str | Sequence[str],
    model: str | Path | None,
    fidelity: str | None,
    disorder: Disorder,
    device: str,
) -> tuple[Asked, dict[str, Any]]:
    """Return what is asked, having seen that it can be; and all of it that changes answers.

    Args:
        absorber: symbol of the element, several of them, or "all".
        model: as for `load`.
        fidelity: as for `load`.
        disorder: what is done with disordered crystals.
        device: where the networks compute.

    Raises:
        AbsorberError: the model does not know an absorber.
        CheckpointError: the model cannot be used.
        ConfigError: it does not know the fidelity.
    """
    given = [absorber] if isinstance(absorber, str) else absorber
    what = "absorbers are symbols such as 'Fe'"
    absorbers = tuple(dict.fromkeys(as_list(given, str, what, UnknownElement, least=1)))
    predictor = load(model, fidelity)
    predictor.predict_iter([], absorbers, "yield", disorder)
    is_file = model is not None and str(model) not in bundled()
    where = str(Path(str(model)).absolute()) if is_file else predictor.name
    identity = {
        "absorbers": list(absorbers),
        "model": predictor.name,
        "model_sha256": predictor.checkpoint.sha256,
        "fidelity": fidelity,
        "disorder": asdict(disorder),
    }
    return Asked(absorbers, where, fidelity, disorder, device), identity
