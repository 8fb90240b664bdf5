"""What is asked of every crystal: a small value that goes with the work, to whatever machine."""

from dataclasses import dataclass

from cgxas.crystals.disorder.order import Disorder


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
