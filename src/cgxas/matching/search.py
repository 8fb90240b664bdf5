"""A measured spectrum and crystals in, the crystals ranked out."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cgxas.arguments import one_of_kind
from cgxas.crystals.disorder.order import Disorder
from cgxas.crystals.io.read import CrystalLike
from cgxas.data.collection import Collection, NamedCrystal
from cgxas.errors import AbsorberNotInCrystal, CrystalError, SpectrumError, WrongEdge
from cgxas.matching.found import Match, Matches
from cgxas.matching.rank import ranked
from cgxas.model.location import usual
from cgxas.predict import Answered, Predictor, answers_of, load
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.measurement import Measurement

ANSWERED = "K"
"""The edge that models answer with."""


def match(
    scan: Measurement | str | os.PathLike[str],
    crystals: CrystalLike | Sequence[CrystalLike],
    absorber: str | None = None,
    model: Predictor | str | Path | None = None,
    disorder: str | Disorder = "refuse",
    on_crystal: Callable[[], None] = lambda: None,
) -> Matches:
    """Rank crystals by how likely a measured spectrum is theirs.

    Each is predicted; shift and broadening are fitted within the bounds that the model's own
    uncertainty sets; what is left is weighed by the band of the prediction
    (`cgxas.matching.fit` tells how). None of them may fit, and that has a probability as well.

    Args:
        scan: the measured spectrum, or its file.
        crystals: files, folders, patterns, data sets, archives, pymatgen or ASE objects: what a
            `Collection` reads.
        absorber: the absorbing element; the one the scan states or is guessed to be of, if None.
        model: a `Predictor`, or name or path of a model; "calibrated" if None.
        disorder: what is done with a disordered crystal, as in `Predictor.predict`.
        on_crystal: called as each crystal is taken.

    Returns:
        The candidates, the likeliest first; crystals without the absorber and those that could
        not be answered stand apart.

    Raises:
        SpectrumError: the scan cannot be read or does not cover its edge.
        WrongEdge: it is not of a K edge.
        CrystalError: there are no crystals, or none can be answered.
        AbsorberNotInCrystal: the absorber is in none of them.
    """
    measured = scan if isinstance(scan, Measurement) else read_spectrum(scan, absorber)
    one_of_kind(measured, Measurement, "what is matched is a Measurement", SpectrumError)
    refuse_other_edge(measured, absorber)
    collection = Collection(crystals)
    predictor = model if isinstance(model, Predictor) else load(model or usual(None))

    def taken() -> Iterable[NamedCrystal]:
        for each in collection:
            yield each
            on_crystal()

    every = list(answers_of(predictor, taken(), [measured.element], disorder))
    return matches_of(measured, every, predictor.name, collection.told())


def matches_of(
    measured: Measurement, every: Sequence[Answered], model: str, passed_over: str = ""
) -> Matches:
    """Rank crystals that were answered; as `match`.

    Args:
        measured: the measured spectrum, of an edge that `refuse_other_edge` lets pass.
        every: what came of each crystal for its absorber.
        model: name of the model that answered.
        passed_over: files that were no crystals, in words; or empty.

    Raises:
        SpectrumError: the scan does not cover its edge.
        CrystalError: none of the crystals can be answered.
        AbsorberNotInCrystal: the absorber is in none of them.
    """
    good = [each for each in every if each.spectra]
    absent = tuple(each.crystal.name for each in every if each.is_absent)
    failures = tuple(f for each in every if (f := each.failure) and not each.is_absent)
    if not good and failures:
        raise CrystalError(f"none of the crystals can be answered; the first: {failures[0].reason}")
    if not good:
        raise AbsorberNotInCrystal(
            f"{measured.source or 'the scan'} is of {measured.element}, and none of the crystals "
            f"holds it: name its absorber, or other crystals"
        )
    candidates = [each.spectra[0] for each in good]
    found = ranked(measured, candidates)
    return Matches(
        measured=measured,
        energy=found.points.energy,
        norm=found.points.norm,
        matches=tuple(
            Match(good[n].crystal.name, float(found.score[n]), found.fits[n], candidates[n])
            for n in found.order
        ),
        none=found.none,
        model=model,
        absent=absent,
        failures=failures,
        passed_over=passed_over,
    )


def refuse_other_edge(measured: Measurement, absorber: str | None) -> None:
    """Refuse what no model answers for.

    Args:
        measured: the measured spectrum.
        absorber: what it should be of; None: anything.

    Raises:
        WrongEdge: it is of another absorber, or not of a K edge.
    """
    if absorber is not None and measured.element != absorber:
        raise WrongEdge(f"{measured.source} is of {measured.element}, not of {absorber}")
    if measured.edge != ANSWERED:
        raise WrongEdge(
            f"{measured.source} is of {measured.element} {measured.edge}, and models answer with "
            f"{ANSWERED} edges only: match a measured {ANSWERED} edge, or say which absorber and "
            "edge it is of"
        )
