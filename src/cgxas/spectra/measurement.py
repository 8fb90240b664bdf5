"""A measured spectrum, as given and normalised."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cgxas.spectra.ranges import Ranges
from cgxas.spectra.spectrum import Spectrum
from cgxas.typing import FloatArray

if TYPE_CHECKING:
    import os

    from larch import Group


@dataclass(frozen=True, eq=False)
class Measurement:
    """A measured spectrum, as given and normalised.

    Attributes:
        energy: (P,) eV, strictly increasing, never shifted.
        mu: (P,) as measured, in the units of the file.
        norm: (P,) normalised: 0 before the edge, about 1 above it.
        element: symbol of the absorber.
        edge: name of the edge.
        kind: transmission, fluorescence, reference, mu, normalised, simulated.
        format: of the file.
        source: name of the file.
        label: of the sample, or empty.
        e0: steepest point of the edge in eV (Larch), the origin of the ranges; of data left as
            they are, where mu is 0.5.
        edge_step: height of the edge in units of mu.
        energy_shift: eV to be added to calibrate the energies; kept beside them.
        ranges: of the pre-edge and post-edge fits; None if the data were left as they are.
        pre_line: (P,) pre-edge line in units of mu, or None.
        post_line: (P,) post-edge curve in units of mu, or None.
        flattened: whether the post-edge curve was made level.
        done: what was understood or changed, in words.
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
    e0: float
    edge_step: float
    energy_shift: float = 0.0
    ranges: Ranges | None = None
    pre_line: FloatArray | None = None
    post_line: FloatArray | None = None
    flattened: bool = False
    done: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("energy", "mu", "norm", "pre_line", "post_line"):
            array = getattr(self, name)
            if array is not None:
                array = np.array(array, dtype=np.float64)
                array.flags.writeable = False
                object.__setattr__(self, name, array)

    @property
    def energy_step(self) -> float:
        """Median distance of the points within 10 eV of the edge, eV."""
        near = self.energy[np.abs(self.energy - self.e0) <= 10.0]
        return float(np.median(np.diff(near if near.size > 1 else self.energy)))

    def to_spectrum(self) -> Spectrum:
        """Return the normalised curve on its own energies, without the energy shift."""
        return Spectrum(
            self.energy, self.norm, self.element, self.edge, formula=self.label, source=self.source
        )

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Write it to a file in the format of the suffix, as `cgxas spectrum -o` does.

        Args:
            path: ``.xdi``, ``.json``, ``.csv``, ``.prj`` (Athena) or ``.parquet`` (which holds
                the normalised curve only); an existing file is replaced.

        Raises:
            OutputError: it cannot be written there.
            MissingExtra: Larch, which writes Athena projects, is not installed.
        """
        from cgxas.spectra.io.write import write_spectrum

        write_spectrum(self, path)

    def to_larch(self) -> "Group":
        """Return a Larch group with the data as given and how they were normalised.

        Raises:
            MissingExtra: Larch is not installed.
        """
        group: Any = self.to_spectrum().to_larch()
        group.mu = self.mu.copy()
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
