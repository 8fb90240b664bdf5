"""Everything cgxas refuses to do, as one tree of errors; each message also tells the cure.

```text
CgxasError
├── CrystalError            the crystal cannot be used
│   ├── UnreadableCrystal       no reader understands the file
│   ├── DisorderedCrystal       a site is shared by several elements, or partly empty
│   ├── InvalidCell             no volume, or numbers that are not finite
│   └── OverlappingAtoms        two atoms at one place
├── AbsorberError           the absorber cannot be answered
│   ├── UnknownElement          not the symbol of an element
│   ├── UnsupportedAbsorber     an element the model has no energy grid or no training for
│   ├── AbsorberNotInCrystal    the crystal holds no such atom
│   └── InvalidSites            site indices outside the crystal, or of another element
├── SpectrumError           arrays that are not a spectrum
│   ├── UnreadableSpectrum      no reader understands the file
│   ├── UnclearSpectrum         several groups or columns fit, and none was chosen
│   ├── BadMeasurement          points which cannot be normalised
│   └── WrongEdge               the edge of another element than the one asked for
├── CheckpointError         the model file cannot be used
│   ├── CheckpointNotFound      neither a bundled model nor a file
│   ├── DamagedCheckpoint       cut short, altered, or not finite
│   ├── ForeignCheckpoint       not a cgxas model (a pickle with code in it, another network)
│   └── CheckpointVersion       written by a newer cgxas, or made of a model this one lacks
├── SimulationError         FEFF gives no spectrum, or none to be trusted
├── DatasetError            a data-set folder that does not hold what it should
├── ConfigError             a configuration with unknown or impossible values
├── OutputError             the result cannot be written there
├── MissingExtra            an optional package is not installed
└── Interrupted             a run was stopped on request; what it had is saved
```
"""

from typing import Self


class CgxasError(Exception):
    """Root of every error cgxas raises on purpose; its text is one sentence for the user."""


class CrystalError(CgxasError, ValueError):
    """The crystal cannot be used."""


class UnreadableCrystal(CrystalError):
    """No reader understands the file."""


class DisorderedCrystal(CrystalError):
    """A site is shared by several elements, or only partly occupied."""


class InvalidCell(CrystalError):
    """The cell has no volume, or a number in the crystal is not finite."""


class OverlappingAtoms(CrystalError):
    """Two atoms stand at one place."""


class AbsorberError(CgxasError, ValueError):
    """The absorber cannot be answered."""


class UnknownElement(AbsorberError):
    """The text is not the symbol of a chemical element."""


class UnsupportedAbsorber(AbsorberError):
    """The model has no energy grid, or no training, for this element."""


class AbsorberNotInCrystal(AbsorberError):
    """The crystal holds no atom of the wanted element."""


class InvalidSites(AbsorberError):
    """Site indices lie outside the crystal or belong to another element."""


class SpectrumError(CgxasError, ValueError):
    """The arrays are not a spectrum."""


class UnreadableSpectrum(SpectrumError):
    """No reader understands the file."""


class UnclearSpectrum(SpectrumError):
    """Several groups or columns of the file fit, and none was chosen."""


class BadMeasurement(SpectrumError):
    """The points cannot be normalised: too few, not finite, no pre-edge, saturated."""


class WrongEdge(SpectrumError):
    """The edge is not that of the element asked for."""


class CheckpointError(CgxasError):
    """The model file cannot be used."""


class CheckpointNotFound(CheckpointError, FileNotFoundError):
    """Neither a bundled model nor a file has this name."""


class DamagedCheckpoint(CheckpointError):
    """The model file is cut short, altered, or holds numbers that are not finite."""


class ForeignCheckpoint(CheckpointError):
    """The file is not a cgxas model, or not of the network it claims."""


class CheckpointVersion(CheckpointError):
    """The model file was written by a newer cgxas, or rests on a bundled model of another one."""


class SimulationError(CgxasError):
    """FEFF gives no spectrum, or none to be trusted, or takes too long."""


class DatasetError(CgxasError, ValueError):
    """A data-set folder does not hold what it should."""


class ConfigError(CgxasError, ValueError):
    """A configuration holds unknown names or impossible values."""


class OutputError(CgxasError, OSError):
    """The result cannot be written there."""


class MissingExtra(CgxasError, ImportError):
    """An optional package is not installed."""

    @classmethod
    def of(cls, package: str, extra: str) -> Self:
        """Say which extra brings the package, and how it is installed."""
        return cls(
            f"{package} is missing; the extra {extra} brings it: in a checkout of cgxas, "
            f'pip install -c constraints.txt ".[{extra}]"'
        )

    @classmethod
    def refuse_without(cls, module: str, package: str, extra: str) -> None:
        """Refuse before any work, and without importing it, where a module is not installed."""
        from importlib.util import find_spec

        if find_spec(module) is None:
            raise cls.of(package, extra)


class Interrupted(CgxasError):
    """A run was stopped on request; what it had is saved, and it can go on."""


class CgxasWarning(UserWarning):
    """Root of every warning cgxas gives on purpose."""


class FewTrainingSpectraWarning(CgxasWarning):
    """The model saw only few spectra of this absorber: the answer is a rough guess."""


class FarFromTrainingWarning(CgxasWarning):
    """The model learnt from nothing like this site: its spectrum is a guess."""


class FarFromMeasuredWarning(FarFromTrainingWarning):
    """No compound like this one was measured: its calibrated spectrum is a guess."""


class ReadingWarning(CgxasWarning):
    """A file was read, but something in it was missing, mended or guessed; the text says what."""


class SimulationWarning(CgxasWarning):
    """FEFF gave a spectrum, and something that it says, or shows, gives cause to doubt it."""
