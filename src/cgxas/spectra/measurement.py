"""A measured spectrum, as given and normalised."""

from dataclasses import dataclass, replace
from importlib import import_module  # files know measurements, not the other way round
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cgxas.spectra.edge import WithEdge
from cgxas.spectra.ranges import Ranges
from cgxas.spectra.spectrum import Spectrum
from cgxas.spectra.trust import Trust
from cgxas.typing import FloatArray

if TYPE_CHECKING:
    import os

    from larch import Group


@dataclass(frozen=True, eq=False)
class Measurement(WithEdge):
    """A measured spectrum, as given and normalised.

    Attributes:
        energy: (P,) eV, strictly increasing, never shifted.
        mu: (P,) as measured, in the units of the file.
        norm: (P,) normalised: 0 before the edge, about 1 above it; e0 and half step are its own.
        element: symbol of the absorber.
        edge: name of the edge.
        kind: transmission, fluorescence, reference, mu, normalised, simulated.
        format: of the file.
        source: name of the file.
        label: of the sample, or empty.
        edge_step: height of the edge in units of mu.
        energy_shift: eV to be added to calibrate the energies; kept beside them.
        flat: (P,) norm with its post-edge made level; None if the data were left as they are.
        ranges: of the pre-edge and post-edge fits, counted from e0; None likewise.
        pre_line: (P,) pre-edge line in units of mu, or None.
        post_line: (P,) post-edge curve in units of mu, or None.
        done: what was understood or changed, in words.
        edge_source: who says which edge it is: "stated" by the file, "asked" for, or "guessed".
        edge_guess: how it was guessed, and what else it could be; empty otherwise.
        trust: of a predicted one, what the model told; None otherwise.
    """

    energy: FloatArray
    mu: FloatArray
    norm: FloatArray
    element: str
    edge: str
    kind: str
    format: str
    source: str
    label: str
    edge_step: float
    energy_shift: float = 0.0
    flat: FloatArray | None = None
    ranges: Ranges | None = None
    pre_line: FloatArray | None = None
    post_line: FloatArray | None = None
    done: tuple[str, ...] = ()
    edge_source: str = "stated"
    edge_guess: str = ""
    trust: Trust | None = None

    def __post_init__(self) -> None:
        for name in ("energy", "mu", "norm", "flat", "pre_line", "post_line"):
            array = getattr(self, name)
            if array is not None:
                array = np.array(array, dtype=np.float64)
                array.flags.writeable = False
                object.__setattr__(self, name, array)

    @property
    def energy_step(self) -> float:
        """Median distance of the points within 10 eV of e0, eV."""
        near = self.energy[np.abs(self.energy - self.e0) <= 10.0]
        return float(np.median(np.diff(near if near.size > 1 else self.energy)))

    def flattened(self) -> Self:
        """Return the same with `flat` for `norm`; itself if the data were left as they are."""
        return self if self.flat is None else replace(self, norm=self.flat)

    def to_spectrum(self) -> Spectrum:
        """Return the normalised curve on its own energies, without the energy shift."""
        return Spectrum(
            self.energy,
            self.norm,
            self.element,
            self.edge,
            formula=self.label,
            source=self.source,
            trust=self.trust,
        )

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Write it to a file in the format of the suffix, as `cgxas spectrum -o` does.

        Args:
            path: ``.xdi``, ``.json``, ``.csv``, ``.prj`` (Athena), ``.nxs`` (NeXus) or
                ``.parquet`` (which holds the normalised curve only); an existing file is replaced.

        Raises:
            OutputError: it cannot be written there.
            MissingExtra: Larch, which writes Athena projects, is not installed.
        """
        import_module("cgxas.spectra.io.write").write_spectrum(self, path)

    def to_larch(self) -> "Group":
        """Return a Larch group with the data as given and how they were normalised.

        Raises:
            MissingExtra: Larch is not installed.
        """
        group: Any = self.to_spectrum().to_larch()
        group.mu = self.mu.copy()
        if self.flat is not None:
            group.flat = self.flat.copy()
        group.e0, group.edge_step = self.e0, self.edge_step
        group.filename = self.label or self.source
        group.energy_shift = self.energy_shift
        if self.ranges:
            from larch import Group

            r = self.ranges
            group.pre_edge_details = Group(
                pre1=r.pre1, pre2=r.pre2, norm1=r.norm1, norm2=r.norm2, nnorm=r.nnorm, nvict=0
            )
        return group
