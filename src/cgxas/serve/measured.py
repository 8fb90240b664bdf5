"""Scans that were sent, as files or as curves -> measurements."""

from dataclasses import replace

from cgxas.errors import CgxasError
from cgxas.serve.files import laid_down, lent_folder, renamed, spectrum_name
from cgxas.serve.heard import heard, own
from cgxas.serve.jobs import Job
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.normalise import renormalised
from cgxas.spectra.ranges import Ranges
from cgxas.spectra.spectrum import Spectrum


def measured_of(job: Job) -> tuple[Measurement, list[str]]:
    """Return the measurement of a job, from its file or its curve, and what was warned of.

    Raises:
        SpectrumError: it cannot be read or normalised.
        UnknownElement: its element is none.
        MissingExtra: Larch is not installed.
    """
    if not job.scans:
        return _of_curve(job), []
    upload = job.scans[0]
    with lent_folder() as folder, heard() as told:
        path = laid_down(folder, upload, spectrum_name(upload.name))
        names = {str(path): upload.shown, path.name: upload.shown}
        try:
            element = job.word("element") or job.word("absorber")
            choice = (job.word(name) for name in ("group", "energy", "mu", "edge"))
            found = read_spectrum(path, element, *choice)
            if wanted := job.word("ranges"):
                found = renormalised(found, Ranges(**wanted))
        except CgxasError as error:
            raise type(error)(renamed(str(error), names)) from error
    found = replace(found, source=upload.shown, label=renamed(found.label, names))
    return found, own(told, names)


def _of_curve(job: Job) -> Measurement:
    curve = job.words["measured"]
    spectrum = Spectrum(curve["energy"], curve["norm"], curve["absorber"], curve.get("edge") or "K")
    flat = curve.get("flat")
    if flat is not None:
        flat = Spectrum(curve["energy"], flat, spectrum.absorber).norm
    return Measurement(
        energy=spectrum.energy,
        mu=spectrum.norm,
        norm=spectrum.norm,
        flat=flat,
        element=spectrum.absorber,
        edge=spectrum.edge,
        kind="normalised",
        format="JSON",
        source="the measured curve",
        label="",
        edge_step=1.0,
        energy_shift=curve.get("energy_shift") or 0.0,
    )
