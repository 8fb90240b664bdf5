"""Tables of potentials, and that with them the scattering gives FEFF's spectra."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cgxas.crystals.canonical import Cell
from cgxas.data.potentials import read_potentials
from cgxas.data.record import Material, Record
from cgxas.errors import DatasetError
from cgxas.physics.scattering.absorption import absorption
from cgxas.physics.scattering.cluster import cluster
from cgxas.physics.scattering.potentials import Potentials


def record(name: str, numbers: tuple[int, ...], sites: tuple[int, ...] = (0,)) -> Record:
    cell = Cell(np.eye(3) * 3.0, np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.array(numbers))
    return Record(
        spectrum_id=name,
        material=Material(name, "X", cell),
        element="Li",
        sites=np.array(sites),
        site_certain=True,
        energy=np.arange(3.0),
        norm=np.zeros(3),
        theory="FEFF10",
        fidelity="FEFF10",
        dataset="made up",
    )


def test_missing_and_damaged_tables_are_refused(tmp_path):
    with pytest.raises(DatasetError, match=r"potentials\.parquet"):
        read_potentials(tmp_path, [])
    (tmp_path / "potentials.parquet").write_text("no table")
    with pytest.raises(DatasetError, match=r"potentials\.parquet is not a readable Parquet table"):
        read_potentials(tmp_path, [])


def test_depths_are_taken_of_known_spectra_of_one_site(tmp_path):
    pq.write_table(
        pa.table({"spectrum_id": pa.array([], pa.string())}), tmp_path / "potentials.parquet"
    )
    rows = {
        "spectrum_id": ["a", "b", "elsewhere"],
        "fermi": [-2.0, -3.0, 0.0],
        "v_int": [-10.0, -9.0, 0.0],
    }
    pq.write_table(pa.table(rows), tmp_path / "scalars.parquet")
    known, depths = read_potentials(tmp_path, [record("a", (3, 9)), record("b", (3, 3), (0, 1))])
    assert known == []
    assert [each.depth for each in depths] == [pytest.approx(8.0 / 27.211386245988)]


def test_feff_s_potentials_give_feff_s_spectra(shared):
    """The clusters are half as large as FEFF's, and fade."""
    from cgxas.data.folder import read_records

    folder = shared / "data" / "sim_feff10_potentials"
    if not folder.is_dir():
        pytest.skip(f"no potentials at {folder}")
    records = read_records([shared / "data" / "sim_feff10"]).records
    chosen = [each for each in records if each.element in ("O", "Si", "Cl")][::60]
    known, depths = read_potentials(folder, chosen)
    assert len(known) > 2
    assert len(known) + len(depths) <= len(chosen)
    curves = {(id(each.material.cell), int(each.sites[0])): each.norm for each in chosen}
    errors = []
    for each in known:
        around = cluster(each.cell, each.atom, 60)
        of_element = {
            int(each.cell.numbers[atom]): phase
            for atom, phase in zip(each.scatterers, each.phases, strict=True)
        }
        phases = np.stack([of_element[int(z)] for z in each.cell.numbers[around.atom]])
        phases[0] = each.absorber
        potentials = Potentials(
            each.half_width, each.depth, each.self_energy, phases, each.own, each.dipole
        )
        truth = curves[id(each.cell), each.atom]
        found = absorption(around, potentials)
        errors.append(((found - truth) ** 2).sum() / (truth**2).sum())
    assert np.median(errors) < 0.02
    assert max(errors) < 0.1
