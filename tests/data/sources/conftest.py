"""Crystals, and FEFF runs as FEFF 9 and FEFF 10 leave them (made up, in their layout)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

FIRST_ENERGIES = {"Ti": 4966.0, "O": 524.0, "Fe": 7109.0, "Cu": 8985.0}
EDGE = 10.0
"""Energy of the edge above the first energy, eV."""

HEADERS = {
    "9": """\
# # comment:                                                     FEFF 9.9.1
# # Source:
# # POT  SCF 100  7.0000   0, screened core-hole, AFOLP (folp(0)= 1.150)
# # Abs   Z=29 Rmt= 1.568 Rnm= 1.618 K  shell
# # Gam_ch=1.729E+00 H-L exch Vi= 0.000E+00 Vr= 0.000E+00
# FMS rfms= 9.0000
#  S02=0.950  Temp=   0.00  Debye_temp=   0.00  Global_sig2= 0.00000
#     0/   0 paths used
#  xsedge+ 50, used to normalize mu           2.4594E-04
#  -----------------------------------------------------------------------
#  omega    e    k    mu    mu0     chi     @#
""",
    "10": """\
# # Cu                                                           FEFF 10.0.0
#  S02=1.000  Temp=   0.00  Debye_temp=   0.00  Global_sig2= 0.00000
#     0/   0 paths used
#  xsedge+ 50, used to normalize mu           1.2667E-04
#  -----------------------------------------------------------------------
#  omega    e    k    mu    mu0     chi     @#
""",
}


def curve(element: str, n_points: int = 120, width: float = 70.0) -> tuple[np.ndarray, np.ndarray]:
    """Energy and mu of a spectrum with an edge and a white line."""
    x = np.linspace(0.0, width, n_points)
    mu = 0.5 + np.arctan((x - EDGE) / 0.8) / np.pi + 0.4 * np.exp(-((x - EDGE - 5) ** 2) / 8)
    return np.round(FIRST_ENERGIES[element] + x, 3), mu


def xmu_text(element: str, version: str = "9", **curve_settings) -> str:
    """The text of an xmu.dat."""
    energy, mu = curve(element, **curve_settings)
    rows = []
    for omega, value in zip(energy, mu, strict=True):
        e = omega - energy[0] - EDGE
        k = np.sign(e) * np.sqrt(abs(e) / 3.81)
        rows.append(f"{omega:12.3f}{e:11.3f}{k:8.3f}{value:13.5E}{1.0:13.5E}{value - 1:13.5E}")
    return HEADERS[version] + "\n".join(rows) + "\n"


@pytest.fixture(scope="session")
def rutile() -> Structure:
    return Structure.from_spacegroup(
        "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
    )


@pytest.fixture(scope="session")
def two_sites() -> Structure:
    """Ti in two different surroundings: sites 1 and 3 of Cu2Ti2O."""
    return Structure(
        Lattice.orthorhombic(5.1, 5.6, 6.3),
        ["Cu", "Ti", "Cu", "Ti", "O"],
        [[0, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0.5], [0.45, 0, 0.55], [0.25, 0.25, 0.2]],
    )


@pytest.fixture
def feff_text() -> Callable[..., str]:
    """Make the text of an xmu.dat."""
    return xmu_text


@pytest.fixture
def runs(tmp_path) -> Path:
    """The folder of the runs."""
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@pytest.fixture
def make_run(runs) -> Callable[..., Path]:
    """Write a run below the folder of runs: its input (by pymatgen) and its spectrum."""

    def make(
        name: str,
        structure: Structure,
        site: int,
        version: str = "9",
        header: bool = True,
        tags: dict | None = None,
    ) -> Path:
        from pymatgen.io.feff.sets import MPXANESSet

        run = runs / name
        run.mkdir(parents=True)
        parts = MPXANESSet(site, structure, radius=7.0, user_tag_settings=tags or {}).all_input()
        wanted = [part for part in parts if header or part != "HEADER"]
        (run / "feff.inp").write_text("\n\n".join(str(parts[part]) for part in wanted))
        (run / "xmu.dat").write_text(xmu_text(structure[site].specie.symbol, version))
        return run

    return make


@pytest.fixture
def site_document(rutile) -> Callable[..., dict]:
    """Make a document as the raw archive of Mathew et al. 2018 holds them."""

    def make(site: int = 0, material: str = "mp-2657", **others) -> dict:
        table = xmu_text(rutile[site].specie.symbol).splitlines()
        rows = [[float(word) for word in line.split()] for line in table if line[0] != "#"]
        return {
            "structure": rutile.as_dict(),
            "absorbing_atom": site,
            "spectrum": rows,
            "spectrum_type": "XANES",
            "edge": "K",
            "metadata": {"mp_id": material, "absorbing_atom_index": site},
            **others,
        }

    return make


@pytest.fixture
def plain_document(rutile) -> Callable[..., dict]:
    """Make a document with energy and mu, and the crystal as lists."""

    def make(element: str = "Ti", site: int | None = 0, **others) -> dict:
        energy, mu = curve(element)
        return {
            "structure": {
                "lattice": rutile.lattice.matrix.tolist(),
                "species": [each.specie.symbol for each in rutile],
                "frac_coords": rutile.frac_coords.tolist(),
            },
            "element": element,
            "site": site,
            "energy": energy.tolist(),
            "mu": mu.tolist(),
            **others,
        }

    return make
