"""The value in which all roads meet: a spectrum, its sites, and the grid it stands on."""

from dataclasses import dataclass
from importlib import import_module  # figures and files know spectra, not the other way round
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from cgxas.arguments import as_list, as_whole_number, one_of_kind
from cgxas.errors import MissingExtra, SpectrumError
from cgxas.limits import POINTS
from cgxas.spectra.curve import checked_curve
from cgxas.spectra.edge import WithEdge
from cgxas.spectra.io.larch import import_larch
from cgxas.spectra.resample import variance_of_edge
from cgxas.spectra.trust import Trust
from cgxas.typing import FloatArray

if TYPE_CHECKING:
    import os

    from larch import Group
    from matplotlib.axes import Axes
    from pymatgen.analysis.xas.spectrum import XAS
    from pymatgen.core.structure import Structure


_HIGHEST = 1e6  # eV; the highest edge lies at 0.14 MeV


@dataclass(frozen=True)
class EnergyGrid:
    """Uniform energies, both ends included.

    Attributes:
        e_min: First energy in eV.
        e_max: Last energy in eV.
        n_points: Number of energies, P.

    Raises:
        SpectrumError: The ends are not finite and increasing, or there are fewer than 2 points.
    """

    e_min: float
    e_max: float
    n_points: int

    def __post_init__(self) -> None:
        numbers = (self.e_min, self.e_max, self.n_points)
        if not all(isinstance(each, Real) for each in numbers):
            raise SpectrumError("An energy grid is of two energies in eV and a number of points.")
        fits = -_HIGHEST <= self.e_min < self.e_max <= _HIGHEST
        if not fits or not 2 <= self.n_points <= POINTS.value or self.n_points % 1:
            raise SpectrumError(
                f"An energy grid needs e_min < e_max within {_HIGHEST:,.0f} eV and 2 to "
                f"{POINTS.value:,} points, not {self.e_min:g} to {self.e_max:g} eV in "
                f"{self.n_points:g}."
            )

    @property
    def energies(self) -> FloatArray:
        """The energies in eV, (P,)."""
        return np.linspace(self.e_min, self.e_max, self.n_points)


class _Curve(WithEdge):
    """A normalised curve whose arrays nobody can change."""

    def _freeze_arrays(self) -> None:
        """Replace energy and norm by checked copies which nobody can change."""
        energy, norm = checked_curve(self.energy, self.norm)
        for name, array in (("energy", energy), ("norm", norm)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)


@dataclass(frozen=True, eq=False)
class SiteSpectrum(_Curve):
    """The spectrum of one atom and of all atoms equivalent to it by symmetry.

    Attributes:
        sites: Zero-based indices, in the caller's structure, of the atoms sharing the spectrum.
        norm: Normalised absorption, (P,), read-only.
        energy: Energies in eV, (P,), read-only.
        occupancy: How much of these sites the absorber takes, above 0 and up to 1; less than 1 in
            a disordered crystal only.

    Raises:
        SpectrumError: The arrays are not a spectrum, or ``sites`` is empty or repeats an index.
    """

    sites: tuple[int, ...]
    norm: FloatArray
    energy: FloatArray
    occupancy: float = 1.0

    def __post_init__(self) -> None:
        self._freeze_arrays()
        given = as_list(self.sites, object, "sites are indices of atoms", SpectrumError)
        sites = tuple(as_whole_number(site, 0, "a site", SpectrumError) for site in given)
        object.__setattr__(self, "sites", sites)
        if not self.sites or len(set(self.sites)) != len(self.sites):
            raise SpectrumError(f"A site spectrum needs distinct site indices, not {self.sites}.")
        if not 0.0 < self.occupancy <= 1.0:
            raise SpectrumError(f"An occupancy lies above 0 and up to 1, not {self.occupancy}.")

    @property
    def site(self) -> int:
        """Index of the first of the equivalent atoms."""
        return self.sites[0]

    @property
    def multiplicity(self) -> int:
        """Number of equivalent atoms."""
        return len(self.sites)

    def __repr__(self) -> str:
        return f"SiteSpectrum(site {self.site}, x{self.multiplicity}, {self.norm.size} points)"


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(_Curve):
    """The XANES of one element in one material, simulated or measured.

    Attributes:
        energy: Energies in eV, (P,), read-only.
        norm: Normalised absorption, (P,), read-only; the mean over ``sites`` weighted by their
            multiplicity times occupancy where sites are known. Measured values may be negative.
        absorber: Symbol of the absorbing element.
        edge: Name of the edge.
        sites: One spectrum per symmetry-distinct absorbing atom, on the same energies.
        formula: Chemical formula of the material, or empty.
        model: Name of the model that computed it, or empty.
        source: Name of the file it came from, or empty.
        sigma: Standard deviation of a measured spectrum around this prediction, (P,), read-only;
            None where the model does not tell. Where a sample of arrangements stands for a
            disordered crystal, their spread is in it, and is all of it if the model tells none.
        structure: The caller's pymatgen Structure, if there is one.
        disorder: What stands for a disordered crystal: "majority", "sample of 5"; else empty.
        trust: How much like it the model has learnt from; None where the model does not tell.
        edge_sigma: Standard deviation of a measured edge energy around this prediction, eV, which
            is part of ``sigma``; None where the model does not tell.

    Raises:
        SpectrumError: The arrays are not a spectrum, or the sites do not fit to it.
    """

    energy: FloatArray
    norm: FloatArray
    absorber: str
    edge: str = "K"
    sites: tuple[SiteSpectrum, ...] = ()
    formula: str = ""
    model: str = ""
    source: str = ""
    sigma: FloatArray | None = None
    structure: "Structure | None" = None
    disorder: str = ""
    trust: Trust | None = None
    edge_sigma: float | None = None

    def __post_init__(self) -> None:
        self._freeze_arrays()
        if self.trust is not None:
            one_of_kind(self.trust, Trust, "trust of a spectrum is a Trust", SpectrumError)
        for name in ("absorber", "edge", "formula", "model", "source"):
            one_of_kind(getattr(self, name), str, f"{name} of a spectrum is a text", SpectrumError)
        sites = as_list(self.sites, SiteSpectrum, "sites are SiteSpectrum values", SpectrumError)
        object.__setattr__(self, "sites", tuple(sites))
        if self.sigma is not None:
            _, sigma = checked_curve(self.energy, self.sigma)
            if sigma.min() < 0:
                raise SpectrumError("A standard deviation cannot be negative.")
            sigma.flags.writeable = False
            object.__setattr__(self, "sigma", sigma)
        if not all(np.array_equal(site.energy, self.energy) for site in self.sites):
            raise SpectrumError("The site spectra must have the same energies as their mean.")
        indices = [index for site in self.sites for index in site.sites]
        if len(set(indices)) != len(indices):
            raise SpectrumError("An atom belongs to two of the site spectra: give each one once.")

    @property
    def n_atoms(self) -> float:
        """Absorbing atoms in the caller's cell, as far as sites are known."""
        return sum(site.multiplicity * site.occupancy for site in self.sites)

    @property
    def shape_sigma(self) -> FloatArray | None:
        """``sigma`` without what an edge adds that may lie elsewhere, (P,); None without one."""
        if self.sigma is None or not self.edge_sigma:
            return self.sigma
        of_edge = variance_of_edge(self.energy, self.norm, self.edge_sigma)
        return np.asarray(np.sqrt(np.maximum(self.sigma**2 - of_edge, 0.0)))

    @property
    def label(self) -> str:
        """What it is, in a few words: ``Fe2O3, Fe K edge``."""
        return ", ".join(filter(None, [self.formula, f"{self.absorber} {self.edge} edge"]))

    def __repr__(self) -> str:
        e0 = self.e0_or_none()
        parts = [
            self.label,
            f"{self.norm.size} points {self.energy[0]:.2f} to {self.energy[-1]:.2f} eV",
            "no edge" if e0 is None else f"E0 {e0:.2f} eV",
            f"distinct sites: {len(self.sites)}" if self.sites else "",
            self.disorder,
            "" if self.trust is None else self.trust.text,
            f"model {self.model}" if self.model else "",
            f"from {self.source}" if self.source else "",
        ]
        return f"Spectrum({'; '.join(filter(None, parts))})"

    def _repr_html_(self) -> str:
        """Show itself in a notebook."""
        shown: str = import_module("cgxas.figures.notebook").spectrum_html(self)
        return shown

    def plot(self, ax: "Axes | None" = None, sites: bool = True) -> "Axes":
        """Draw the spectrum, with its band, E0 and white line.

        Args:
            ax: Where to draw; a new figure if None.
            sites: Draw the distinct sites as thin lines.

        Returns:
            The axes that were drawn on.
        """
        drawn: Axes = import_module("cgxas.figures").plot_spectrum(self, ax, sites=sites)
        return drawn

    def save(self, path: "str | os.PathLike[str]", sites: bool = False) -> None:
        """Write it to a file in the format of the suffix, as `cgxas predict -o` does.

        Args:
            path: ``.xdi``, ``.json``, ``.csv``, ``.prj`` (Athena), ``.nxs`` (NeXus) or
                ``.parquet``; an existing file is replaced.
            sites: Add the curves of the distinct sites (JSON always holds them).

        Raises:
            OutputError: It cannot be written there, or the format cannot hold so many sites.
            SpectrumError: An Athena project is asked for, and there is no edge.
            MissingExtra: Larch, which writes Athena projects, is not installed.
        """
        import_module("cgxas.spectra.io.write").write_spectrum(self, path, sites)

    def to_larch(self) -> "Group":
        """Convert to a Larch group, ready for its plots and fits.

        Returns:
            A ``larch.Group`` with ``energy``, ``mu``, ``norm`` (the same numbers as ``mu``,
            which is normalised already), ``e0`` (steepest rise; None without an edge), ``atsym``,
            ``edge``, ``label``, ``filename`` and ``model``; and ``sigma``, None if the model tells
            none.

        Raises:
            MissingExtra: Larch is not installed.
        """
        import_larch()
        from larch import Group

        return Group(
            energy=self.energy.copy(),
            mu=self.norm.copy(),
            norm=self.norm.copy(),
            e0=self.e0_or_none(),
            atsym=self.absorber,
            edge=self.edge,
            label=self.label,
            filename=self.source,
            model=self.model,
            sigma=None if self.sigma is None else self.sigma.copy(),
        )

    def to_pymatgen(self) -> "XAS":
        """Convert to pymatgen's spectrum, a material average without ``absorbing_index``.

        Returns:
            A ``pymatgen.analysis.xas.spectrum.XAS``; its own ``e0`` is the steepest of the points,
            be it on a pre-edge peak, not ours.

        Raises:
            SpectrumError: The spectrum has no structure, or pymatgen refuses it.
            MissingExtra: Only ``pymatgen-core`` is installed.
        """
        if self.structure is None:
            raise SpectrumError("pymatgen's XAS needs a crystal: give the spectrum a structure.")
        try:
            from pymatgen.analysis.xas.spectrum import XAS
        except ImportError as error:
            raise MissingExtra.of("pymatgen", "pymatgen") from error
        curve = self.energy.tolist(), self.norm.tolist()
        try:
            return XAS(*curve, self.structure, self.absorber, self.edge, spectrum_type="XANES")
        except ValueError as error:
            raise SpectrumError(f"pymatgen refuses the spectrum: {error}") from error
