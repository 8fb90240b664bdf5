"""Potentials of runs of FEFF, out of the tables that stand beside a data set.

A folder of potentials holds `potentials.parquet`, all that the scattering of a site needs, and
`scalars.parquet`, the Fermi level and the muffin-tin zero of more sites. Their rows are named by
the spectra of the data set.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cgxas.crystals.neighbours import neighbours
from cgxas.data.record import Record
from cgxas.errors import DatasetError
from cgxas.model.scattering.known import KnownDepth, KnownPotentials, on_nodes
from cgxas.physics.free_atoms import HARTREE
from cgxas.reading import refuse_unreadable
from cgxas.spectra.axis import FEFF_POINTS
from cgxas.typing import FloatArray

HEAVIEST: Final = 20
"""Atomic number up to which absorbers are taken: beyond, FEFF scatters f waves as well."""

_STEP_AT: Final = 50.0  # eV above the Fermi level, where FEFF takes the edge step
_REACH: Final = 9.0  # Angstrom, within which FEFF's cluster lies
_MOMENTA: Final = 3
_POTENTIALS: Final = "potentials.parquet"
_SCALARS: Final = "scalars.parquet"


def read_potentials(
    folder: Path, records: Sequence[Record]
) -> tuple[list[KnownPotentials], list[KnownDepth]]:
    """Read the potentials of the sites of some records.

    Args:
        folder: of the tables.
        records: of the data set beside it, each of one site; those without a row are left out.

    Returns:
        Sites with all potentials, and further sites of which only the depth is known.

    Raises:
        DatasetError: a table is missing or not readable, or lacks a column.
    """
    wanted = {record.spectrum_id: record for record in records if len(record.sites) == 1}
    light = {
        name
        for name, record in wanted.items()
        if record.material.cell.numbers[record.sites[0]] <= HEAVIEST
    }
    known = {
        row["spectrum_id"]: _known(row, wanted[row["spectrum_id"]])
        for row in _rows(folder / _POTENTIALS, None)
        if row["spectrum_id"] in light
    }
    depths = [
        _depth(row, wanted[row["spectrum_id"]])
        for row in _rows(folder / _SCALARS, ["spectrum_id", "fermi", "v_int"])
        if row["spectrum_id"] in wanted and row["spectrum_id"] not in known
    ]
    return list(known.values()), depths


def _rows(path: Path, columns: list[str] | None) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    refuse_unreadable(path, DatasetError)
    try:
        yield from pyarrow.parquet.read_table(path, columns=columns).to_pylist()
    except (OSError, ValueError, MemoryError, pyarrow.ArrowException) as error:
        raise DatasetError(f"{path} is not a readable Parquet table of potentials") from error


def _depth(row: dict[str, Any], record: Record) -> KnownDepth:
    atom = int(record.sites[0])
    return KnownDepth(record.material.cell, atom, (row["fermi"] - row["v_int"]) / HARTREE)


def _known(row: dict[str, Any], record: Record) -> KnownPotentials:
    cell, atom = record.material.cell, int(record.sites[0])
    points = len(FEFF_POINTS)
    energy = _complex(row, "em")
    half_width = float(energy[0].imag)
    fermi = float(energy[-1].real)
    norm = np.array(row["xsnorm"])[:points]
    step = float(np.interp(_STEP_AT / HARTREE, energy[:points].real - fermi, norm))
    own = _complex(row, "xsec")[:points] / step
    dipole = _complex(row, "dipole")[:points] * norm * row["s02"] / step
    phases = _complex(row, "phase").reshape(len(row["z"]), -1, len(energy))
    phases = phases[:, :_MOMENTA, :points]
    smooth = np.unwrap(phases.real, axis=2, period=np.pi) + 1j * phases.imag
    nodes = on_nodes(smooth, half_width)
    near = neighbours(cell, np.array([atom]), _REACH)
    # FEFF has one potential for each element: that of its atom nearest to the absorber.
    nearest: dict[int, int] = {}
    for other in near.atom:
        nearest.setdefault(int(cell.numbers[other]), int(other))
    places = [place for place, z in enumerate(row["z"]) if place and z in nearest]
    return KnownPotentials(
        cell=cell,
        atom=atom,
        half_width=half_width,
        depth=fermi - row["v_int"],
        self_energy=on_nodes(_complex(row, "eref")[:points] - row["v_int"]),
        own=on_nodes(own, half_width),
        dipole=on_nodes(dipole, half_width),
        absorber=nodes[0],
        scatterers=np.array([nearest[row["z"][place]] for place in places], dtype=np.int64),
        phases=nodes[places],
    )


def _complex(row: dict[str, Any], name: str) -> NDArray[np.complex128]:
    real: FloatArray = np.array(row[f"{name}_re"], dtype=np.float64)
    return np.asarray(real + 1j * np.array(row[f"{name}_im"], dtype=np.float64))
