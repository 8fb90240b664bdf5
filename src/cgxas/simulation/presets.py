"""Named settings of FEFF10: how large its spheres are, and which cards it is given.

Both presets share the tags of pymatgen's MPXANESSet (Mathew et al., doi:10.1038/sdata.2018.151;
Ong et al., doi:10.1016/j.commatsci.2012.10.028): the final-state rule for the core hole, the
self-energy of Hedin and Lundqvist with a ground-state background, mu on some 100 points from 15 eV
below the Fermi level to 40 eV above. LDOS is left out, as it has no part in mu(E).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cgxas.errors import ConfigError
from cgxas.typing import FloatArray

_MARGIN: Final = 0.1  # Angstrom that a sphere reaches beyond the atom it is counted to
_LIGHT: Final = 20  # up to calcium scattering reaches further, and neighbours matter more

CARDS: Final = (
    "EDGE K",
    "COREHOLE FSR",
    "S02 0.0",
    "EXCHANGE 0 0.0 0.0 2",
    "XANES 3.7 .04 .1",
)
"""Tags of MPXANESSet that do not depend on the crystal."""


@dataclass(frozen=True)
class Sphere:
    """How far a sphere around the absorber reaches.

    Attributes:
        atoms: it holds at least so many, the absorber included, ...
        least: ... reaches so far in any case, Angstrom, ...
        most: ... and never further than this, Angstrom.
    """

    atoms: int
    least: float
    most: float

    def radius(self, distances: FloatArray) -> float:
        """Return its radius, Angstrom.

        Args:
            distances: (N,) of the atoms from the absorber, Angstrom, ascending, the absorber's own
                0 first; at least those nearer than `most`.
        """
        if len(distances) < self.atoms:
            return self.most
        counted = float(distances[self.atoms - 1]) + _MARGIN
        return min(max(counted, self.least), self.most)


@dataclass(frozen=True)
class Preset:
    """Settings of FEFF10 under one name.

    Attributes:
        name: of the preset.
        scf: sphere of the self-consistent potentials.
        light: sphere of full multiple scattering around absorbers up to Z = 20.
        heavy: the same around all others.
        light_waves: highest angular momentum that is scattered around absorbers up to Z = 20; -1:
            what FEFF takes itself, which is 3.
        told: the spheres in a few words.
    """

    name: str
    scf: Sphere
    light: Sphere
    heavy: Sphere
    light_waves: int
    told: str

    def fms(self, number: int) -> Sphere:
        """Return the sphere of full multiple scattering around an absorber."""
        return self.light if number <= _LIGHT else self.heavy

    def waves(self, number: int) -> int:
        """Return the highest angular momentum scattered around an absorber; -1: FEFF's own."""
        return self.light_waves if number <= _LIGHT else -1

    @property
    def model(self) -> str:
        """What stands as the model of a spectrum."""
        return f"FEFF10 ({self.name})"

    @property
    def theory(self) -> str:
        """What stands as the theory of a spectrum in a data set."""
        return f"FEFF10, preset {self.name}: MPXANESSet tags, {self.told}"


QUICK: Final = Preset(
    "quick",
    scf=Sphere(16, 3.0, 4.5),
    light=Sphere(90, 6.5, 7.5),
    heavy=Sphere(40, 5.0, 7.5),
    light_waves=2,
    told="SCF 16 atoms, FMS 90 atoms and lmax 2 up to Ca, 40 atoms beyond",
)
"""Small spheres, for many crystals: those most FEFF10 spectra of the bundled models rest on."""

FULL: Final = Preset(
    "full",
    scf=Sphere(1, 4.5, 4.5),
    light=Sphere(1, 7.5, 7.5),
    heavy=Sphere(1, 7.5, 7.5),
    light_waves=-1,
    told="SCF 4.5 A, FMS 7.5 A",
)
"""The spheres of MPXANESSet."""

PRESETS: Final[Mapping[str, Preset]] = {each.name: each for each in (QUICK, FULL)}
"""Name -> preset."""


def preset_of(name: str) -> Preset:
    """Return a preset by its name.

    Raises:
        ConfigError: there is none of that name.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise ConfigError(f"there is no preset {name!r:.40}: choose {' or '.join(PRESETS)}")
    return PRESETS[name]
