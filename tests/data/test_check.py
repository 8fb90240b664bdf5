import pytest

from cgxas.data.check import REASONS, check_folder
from cgxas.data.folder import Origin, read_records, write_dataset
from cgxas.errors import DatasetError


def steps(*pieces: tuple[int, float]) -> list[float]:
    """A curve of 60 points: so many of each value."""
    return [value for count, value in pieces for _ in range(count)]


def test_good_folder(folder):
    found = check_folder(folder)
    assert (found.name, found.materials, found.spectra) == (folder.name, 2, 4)
    assert found.found == {}
    assert found.flagged == 0


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"material_id": "gold"}, ["no_crystal"]),
        ({"site_index": 2}, ["wrong_absorber"]),
        ({"site_index": 17}, ["wrong_absorber"]),
        ({"site_index": -1}, ["wrong_absorber"]),
        ({"element": "Fe"}, ["wrong_absorber", "outside_window"]),
        ({"element": "Qq"}, ["wrong_absorber", "no_window"]),
        ({"element": "U"}, ["wrong_absorber", "no_window"]),
        ({"mu": [0.1, 0.2]}, ["not_finite"]),
        ({"mu": [float("nan")] * 60}, ["not_finite"]),
        ({"energy": None}, ["not_finite"]),
        ({"energy": [4970.0] * 60}, ["not_increasing"]),
        ({"energy": [4.970 + n / 1000 for n in range(60)]}, ["outside_window"]),
        ({"energy": [4970 + n / 3 for n in range(60)]}, ["short"]),
        ({"mu": steps((30, 0.6), (30, 1.2))}, ["starts_high"]),
        ({"mu": steps((20, 0.1), (40, 0.95))}, ["no_peak"]),
        ({"mu": steps((20, -0.1), (40, 1.1))}, ["negative"]),
        ({"mu": steps((50, 0.1), (10, 1.1))}, ["late_edge"]),
        ({"mu": steps((20, 0.1), (10, 1.2), (5, 0.2), (25, 1.1))}, ["dip_after_edge"]),
        ({"spectrum_id": "c"}, ["equal_name"]),
        ({"edge": "L3"}, ["other_edge"]),
        ({"edge": "L3", "site_index": 2}, ["wrong_absorber", "other_edge"]),
        ({"edge": "k"}, []),
        ({"theory": None}, ["missing_value"]),
        ({"element": None}, ["missing_value"]),
        ({"weight": 0.0}, ["impossible_value"]),
        ({"energy_shift": float("nan")}, ["impossible_value"]),
    ],
)
def test_damaged_spectra_are_told(write, materials, spectra, change, reasons):
    spectra[0].update(change)
    name = spectra[0]["spectrum_id"]
    found = check_folder(write(materials, spectra)).found
    assert found == {reason: [name] for reason in reasons}
    assert set(found) <= set(REASONS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lattice": None}, "unreadable_crystal"),
        ({"species": ["Ti"] * 5 + ["Xx"]}, "unreadable_crystal"),
        ({"lattice": [[4.594, 0, 0], [4.594, 0, 0], [0, 0, 2.958]]}, "no_volume"),
        ({"frac_coords": [[0, 0, 0.01 * n] for n in range(6)]}, "overlapping_atoms"),
        ({"formula": None}, "missing_value"),
    ],
)
def test_damaged_crystals_are_told(write, materials, spectra, change, reason):
    materials[0].update(change)
    found = check_folder(write(materials, spectra))
    assert found.found == {reason: ["rutile"]}
    assert found.flagged == 1


@pytest.mark.parametrize("name", ["negative", "starts_high", "no_peak"])
def test_measured_spectra_need_not_look_simulated(write, materials, spectra, name):
    curves = {
        "negative": steps((20, -0.1), (40, 1.1)),
        "starts_high": steps((30, 0.6), (30, 1.2)),
        "no_peak": steps((20, 0.1), (40, 0.95)),
    }
    spectra[0]["mu"] = curves[name]
    assert name in check_folder(write(materials, spectra)).found
    spectra[0]["theory"] = "experiment"
    assert check_folder(write(materials, spectra)).found == {}
    spectra[0].update(theory="made up", fidelity="experiment")
    assert check_folder(write(materials, spectra)).found == {}


def test_same_site_of_the_same_crystal_is_double(write, materials, spectra):
    materials.append({**materials[0], "material_id": "copy"})
    again = {**spectra[0], "spectrum_id": "again", "material_id": "copy"}
    again["mu"] = [1.01 * value for value in again["mu"]]
    other_site = {**spectra[0], "spectrum_id": "other", "site_index": 1}
    other_code = {**spectra[0], "spectrum_id": "code", "theory": "FEFF 9"}
    rows = [*spectra, again, other_site, other_code]
    assert check_folder(write(materials, rows)).found == {"duplicate": ["again"]}


def test_measured_again_is_not_double_but_copied_is(write, materials, spectra):
    first = {**spectra[0], "theory": "experiment"}
    again = {**first, "spectrum_id": "again", "mu": [1.01 * value for value in first["mu"]]}
    copied = {**first, "spectrum_id": "copied"}
    assert check_folder(write(materials, [first, again, copied])).found == {"duplicate": ["copied"]}


def test_one_spectrum_may_have_several_reasons(write, materials, spectra):
    spectra[0]["mu"] = steps((60, 0.6))
    found = check_folder(write(materials, spectra))
    assert found.found == {"starts_high": ["a"], "no_peak": ["a"], "late_edge": ["a"]}
    assert list(found.found) == [reason for reason in REASONS if reason in found.found]
    assert found.flagged == 1


def test_changed_table_is_told(folder, tmp_path_factory):
    written = tmp_path_factory.mktemp("out") / "mine"
    write_dataset(written, read_records([folder]).records, Origin("x"))
    assert check_folder(written).found == {}
    (written / "materials.parquet").write_bytes((folder / "materials.parquet").read_bytes())
    assert check_folder(written).found == {"changed_table": ["materials.parquet"]}


def test_missing_table_is_refused(folder):
    (folder / "spectra.parquet").unlink()
    with pytest.raises(DatasetError, match="is missing"):
        check_folder(folder)


def test_rows_without_a_name_are_counted(write, materials, spectra):
    spectra[2]["spectrum_id"] = None
    found = check_folder(write(materials, spectra))
    assert (found.spectra, found.found) == (4, {"missing_value": ["row 3"]})


def test_two_crystals_of_one_name_are_told(write, materials, spectra):
    materials.append(dict(materials[1]))
    found = check_folder(write(materials, spectra))
    assert (found.materials, found.found) == (3, {"equal_name": ["iron"]})


def test_column_of_another_type_is_refused(write, materials, spectra):
    for row in spectra:
        row["weight"] = "heavy"
    with pytest.raises(DatasetError, match="column 'weight' holds string"):
        check_folder(write(materials, spectra))


def test_real_folders(shared):
    """Few of the collected FEFF9 spectra fail the authors' filters; no measured one is flagged."""
    feff9 = check_folder(shared / "data" / "sim_feff9")
    sane = ("starts_high", "no_peak", "negative", "late_edge", "dip_after_edge")
    flagged = {name for reason in sane for name in feff9.found.get(reason, ())}
    assert 0 < len(flagged) < 1e-3 * feff9.spectra
    assert set(feff9.found) <= {*sane, "short"}
    assert check_folder(shared / "data" / "exp").found == {}
