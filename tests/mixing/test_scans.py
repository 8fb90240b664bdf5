"""Whatever users bring: files, folders, projects, stacks, columns, tables; along any axis."""

import os

import numpy as np
import pytest

import cgxas
from cgxas.errors import BadMeasurement, SpectrumError, UnclearSpectrum, UnreadableSpectrum
from cgxas.mixing.axes import axis_of
from cgxas.mixing.files import expanded
from cgxas.mixing.scans import How, read_named

from .conftest import ENERGY

FRACTIONS = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])


@pytest.fixture
def folder(tmp_path, mixed, write_series):
    return write_series(tmp_path / "series", mixed(FRACTIONS, 0.002))


@pytest.fixture
def pure(tmp_path, mixed, write_series):
    """Measured references."""
    found = write_series(tmp_path / "pure", mixed(np.eye(2), 0.001), "phase_{}.dat")
    return [found / "phase_1.dat", found / "phase_2.dat"]


def assert_right(mixture):
    assert np.abs(mixture.fractions - FRACTIONS).max() < 0.03
    assert mixture.element == "Fe"


def test_a_folder_in_natural_order(tmp_path, mixed, write_series, pure):
    shares = np.array([[1 - n / 12, n / 12] for n in range(12)])
    folder = write_series(tmp_path / "many", mixed(shares, 0.002))
    (folder / "notes.md").write_text("what was done")
    found = cgxas.mix([folder], pure)
    assert found.names[:3] == ("scan_1", "scan_2", "scan_3") and len(found) == 12
    assert found.left_out == ()
    assert np.abs(found.fractions - shares).max() < 0.03


def test_patterns_and_files(folder, pure):
    assert_right(cgxas.mix([str(folder / "scan_*.dat")], pure))
    assert_right(cgxas.mix(sorted(folder.iterdir()), [str(pure[0]), f"b={pure[1]}"]))


def test_the_mean_of_scans_is_a_reference(folder, pure):
    found = cgxas.mix([folder], [f"first={pure[0]},{pure[0]}", pure[1]])
    assert found.references == ("first", "phase_2")
    assert "mean of" in found.told[0]


def test_an_athena_project(tmp_path, folder, pure):
    scans = [cgxas.read_spectrum(path) for path in sorted(folder.iterdir())]
    cgxas.write_spectra(scans, tmp_path / "all.prj")
    found = cgxas.mix([tmp_path / "all.prj"], pure)
    assert_right(found)
    one = cgxas.mix([f"{tmp_path / 'all.prj'}:2"], pure)
    assert len(one) == 1 and np.allclose(one.fractions, found.fractions[1], atol=0.01)


def test_columns_of_a_text(tmp_path, mixed, pure):
    table = np.column_stack([ENERGY, np.arange(ENERGY.size), *mixed(FRACTIONS, 0.002)])
    np.savetxt(
        tmp_path / "all.csv", table, delimiter=",", header="energy,index,m1,m2,m3", comments=""
    )
    for columns in ("m*", "3-5", "3,m2,5"):
        found = cgxas.mix([tmp_path / "all.csv"], pure, columns=columns)
        assert found.names == ("m1", "m2", "m3")
        assert_right(found)
    with pytest.raises(UnclearSpectrum, match="no columns 'x"):
        cgxas.mix([tmp_path / "all.csv"], pure, columns="x*")


def test_stacks_and_entries_of_hdf5(tmp_path, mixed, pure):
    h5py = pytest.importorskip("h5py")
    norm = mixed(FRACTIONS, 0.002)
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["run/energy"], file["run/stack"] = ENERGY, norm.T
    found = cgxas.mix(
        [tmp_path / "stack.h5"], pure, absorber="Fe", energy="run/energy", mu="run/stack"
    )
    assert_right(found)
    with h5py.File(tmp_path / "bliss.h5", "w") as file:
        for n, each in enumerate(norm, 1):
            file[f"{n}.1/measurement/energy"] = ENERGY
            file[f"{n}.1/measurement/mu"] = each
            file[f"{n}.1/start_time"] = f"2026-01-02T03:0{n}:00"
    words = {"energy": "measurement/energy", "mu": "measurement/mu"}
    found = cgxas.mix([tmp_path / "bliss.h5"], pure, **words, axis="time")
    assert_right(found)
    assert found.names == ("1.1", "2.1", "3.1")
    assert found.axis.tolist() == [0, 60, 120]


def test_measurements_and_spectra(folder, pure):
    scans = [cgxas.read_spectrum(path) for path in sorted(folder.iterdir())]
    references = [cgxas.read_spectrum(path) for path in pure]
    assert_right(cgxas.mix(scans, references))
    with pytest.raises(SpectrumError, match="not both"):
        cgxas.mix([*scans, folder], references)


def test_faulty_scans_are_named_and_left_out(folder, mixed, write_series, pure):
    bad = mixed(FRACTIONS, 0.002)
    bad[0, 230:] = -0.6
    bad[1] = np.random.default_rng(0).normal(size=ENERGY.size)
    write_series(folder, bad[:2], "bad_{}.dat")
    np.savetxt(folder / "dark.dat", np.transpose([ENERGY, 0 * ENERGY]), header="energy mu")
    np.savetxt(
        folder / "cobalt.dat", np.transpose([ENERGY + 597, mixed([[1.0]])[0]]), header="energy mu"
    )
    (folder / "empty.dat").write_text("")
    found = cgxas.mix([folder], pure)
    reasons = dict(found.left_out)
    assert set(reasons) == {"bad_1", "bad_2", "dark", "cobalt", "empty"}
    assert "beam was lost" in reasons["bad_1"] and "edge" in reasons["cobalt"]
    assert_right(found)


def test_copies_and_misfits_are_noted(tmp_path, mixed, write_series, pure):
    norm = mixed(np.repeat(FRACTIONS, 3, axis=0), 0.002)
    norm[4] += 0.08 * np.exp(-((ENERGY - 7150.0) ** 2) / 100.0)
    norm[7] = norm[6]
    found = cgxas.mix([write_series(tmp_path / "series", norm)], pure)
    assert "far worse" in found.notes[4] and "same numbers as scan_7" in found.notes[7]
    assert any("scan_5" in warning for warning in found.warnings)


def test_a_hole_is_not_bridged(tmp_path, folder, pure, mixed):
    kept = np.abs(ENERGY - 7150.0) > 15.0
    table = np.transpose([ENERGY[kept], mixed([[0.5, 0.5]])[0][kept]])
    np.savetxt(folder / "hole.dat", table, header="energy norm")
    reasons = dict(cgxas.mix([folder], pure).left_out)
    assert "no points between" in reasons["hole"]


def test_drift_is_not_read_as_chemistry(tmp_path, mixed, write_series, pure):
    norm = np.concatenate([mixed([[0.5, 0.5]], 0.002, n, n * 0.15) for n in range(6)])
    folder = write_series(tmp_path / "drift", norm)
    held = cgxas.mix([folder], pure)
    (said,) = [each for each in held.warnings if "moved along the energy" in each]
    assert said.startswith("5 of 6 scans") and "scan_6 by +0.7" in said
    assert not any("moved" in each for each in cgxas.mix([folder / "scan_1.dat"], pure).warnings)
    free = cgxas.mix([folder], pure, shift="free")
    assert np.abs(free.fractions - 0.5).max() < 0.03
    assert np.allclose(free.shift, [n * 0.15 for n in range(6)], atol=0.05)


def test_drift_is_told_where_there_are_no_references(tmp_path, mixed, write_series):
    pytest.importorskip("pymcr")
    norm = np.concatenate([mixed([[0.5, 0.5]], 0.002, n, n * 0.15) for n in range(6)])
    found = cgxas.mix([write_series(tmp_path / "drift", norm)])
    assert any("they are one curve" in each for each in found.warnings)
    shares = np.linspace(0, 1, 8)
    norm = mixed(np.transpose([1 - shares, shares]), 0.002)
    found = cgxas.mix([write_series(tmp_path / "chemistry", norm)])
    assert not any("moved" in each for each in found.warnings)


def test_a_phase_without_reference_is_no_drift(tmp_path, mixed, write_series, pure):
    shares = np.linspace(0, 0.6, 8)
    norm = mixed(np.transpose([0.6 - shares / 2, 0.4 - shares / 2, shares]), 0.002)
    said = cgxas.mix([write_series(tmp_path / "three", norm)], pure).warnings
    assert any("missing in the references" in each for each in said)
    assert not any("moved along" in each for each in said)


def test_lengths_and_grids_may_differ(tmp_path, mixed, pure):
    for n, share in enumerate(FRACTIONS):
        energy = np.arange(7090.0 - 5 * n, 7240.0 - 5 * n, 0.3 + 0.2 * n)
        norm = mixed([share], 0.002, n, energy=energy)[0]
        order = slice(None, None, -1 if n == 1 else 1)
        scale = 1000.0 if n == 2 else 1.0
        table = np.transpose([energy / scale, 0.4 + 0.5 * norm])[order]
        np.savetxt(tmp_path / f"s{n}.dat", table, header="energy mu")
    assert_right(cgxas.mix([str(tmp_path / "s*.dat")], pure))


def test_counters_in_transmission_and_fluorescence(tmp_path, mixed, pure):
    random = np.random.default_rng(0)
    for n, norm in enumerate(mixed(FRACTIONS, 0.002)):
        i0 = 1e5 * random.uniform(0.9, 1.1, ENERGY.size)
        mu = 0.3 + 0.7 * norm
        table = np.transpose([ENERGY, i0, i0 * np.exp(-mu), 0.1 * i0 * mu])
        np.savetxt(tmp_path / f"s{n}.dat", table, header="energy i0 it if")
    for channel in (None, "fluorescence"):
        assert_right(cgxas.mix([str(tmp_path / "s*.dat")], pure, mu=channel))


def test_the_edge_step_may_change(tmp_path, mixed, pure):
    """A spot that drifts off the sample, or a thickness that changes, is no chemistry."""
    for n, norm in enumerate(mixed(FRACTIONS, 0.002)):
        table = np.transpose([ENERGY, 0.2 * (n + 1) + (0.9 - 0.3 * n) * norm])
        np.savetxt(tmp_path / f"s{n}.dat", table, header="energy mu")
    assert_right(cgxas.mix([str(tmp_path / "s*.dat")], pure))


def test_pure_scans(tmp_path, mixed, write_series, pure):
    found = cgxas.mix([write_series(tmp_path / "ends", mixed(np.eye(2), 0.002))], pure)
    assert np.abs(found.fractions - np.eye(2)).max() < 0.01
    assert (found.errors > 0).all() and np.isfinite(found.errors).all()


def test_few_scans_are_not_parted(folder):
    for n, said in ((1, "1 scan is too few"), (2, "2 scans are too few")):
        with pytest.raises(SpectrumError, match=said):
            cgxas.mix(sorted(folder.iterdir())[:n])


def test_axes(folder, tmp_path, pure):
    (tmp_path / "t.csv").write_text(
        "scan,time_s,T\nscan_1,20,300\nscan_2.dat,10,310\nscan_3,0,320\n"
    )
    found = cgxas.mix([folder], pure, axis=str(tmp_path / "t.csv"))
    assert found.axis_name == "time_s" and found.names == ("scan_3", "scan_2", "scan_1")
    found = cgxas.mix([folder], pure, axis=f"{tmp_path / 't.csv'}:T")
    assert found.axis.tolist() == [300, 310, 320]
    assert np.abs(found.fractions - FRACTIONS).max() < 0.03


def test_scans_of_one_spec_file_have_times_of_their_own(tmp_path, mixed, pure):
    lines = []
    for n, norm in enumerate(mixed(FRACTIONS, 0.002), 1):
        lines += [f"#S {n} xanes", f"#D Thu Nov 26 23:5{6 + n}:00 2026", "#L energy  mu"]
        lines += [f"{e:.2f} {m:.6f}" for e, m in zip(ENERGY, 0.3 + 0.7 * norm, strict=True)]
        lines += [""]
    (tmp_path / "all.spec").write_text("\n".join(lines))
    found = cgxas.mix([tmp_path / "all.spec"], pure, axis="time")
    assert_right(found)
    assert found.axis.tolist() == [0, 60, 120]
    assert found.names == ("1", "2", "3")


def test_files_may_be_laid_along_when_they_were_written(folder, pure):
    for n, path in enumerate(sorted(folder.iterdir())):
        os.utime(path, (0, 1e9 + 30 * n))
    found = cgxas.mix([folder], pure, axis="mtime")
    assert found.axis_name == "time_s" and found.axis.tolist() == [0, 30, 60]


def test_an_axis_that_is_not_known_is_refused(folder, tmp_path):
    scans = read_named(expanded([str(folder)], "scans"), How()).good
    with pytest.raises(UnclearSpectrum, match="state no time"):
        axis_of("time", scans, How())
    (tmp_path / "t.csv").write_text("scan,T\nscan_1,300\n")
    with pytest.raises(UnclearSpectrum, match="no row for scan_2, scan_3"):
        axis_of(str(tmp_path / "t.csv"), scans, How())
    with pytest.raises(UnclearSpectrum, match="neither order"):
        axis_of("temperature", scans, How())
    with pytest.raises(UnreadableSpectrum):
        axis_of(str(tmp_path / "none.csv"), scans, How())


def test_a_column_is_an_axis(tmp_path, mixed, pure):
    for n, each in enumerate(mixed(FRACTIONS, 0.002)):
        table = np.transpose([ENERGY, each, np.full(ENERGY.size, 300.0 - 10 * n)])
        np.savetxt(tmp_path / f"s{n}.dat", table, header="energy mu T")
    found = cgxas.mix([str(tmp_path / "s*.dat")], pure, axis="T")
    assert found.axis.tolist() == [280, 290, 300]


def test_nothing_to_mix_is_refused(tmp_path, folder, pure):
    with pytest.raises(UnreadableSpectrum, match="there are no scans"):
        cgxas.mix([tmp_path / "nothing.dat"], pure)
    (tmp_path / "void").mkdir()
    with pytest.raises(UnreadableSpectrum, match="holds no files"):
        cgxas.mix([tmp_path / "void"], pure)
    np.savetxt(tmp_path / "dark.dat", np.transpose([ENERGY, 0 * ENERGY]), header="energy mu")
    with pytest.raises(BadMeasurement, match="none of the 1 scans"):
        cgxas.mix([tmp_path / "dark.dat"], pure)
    with pytest.raises(BadMeasurement, match="the reference dark cannot be used"):
        cgxas.mix([folder], [*pure, tmp_path / "dark.dat"])
    with pytest.raises(SpectrumError, match="several references are called phase_1"):
        cgxas.mix([folder], [pure[0], pure[0]])


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"shift": "some"}, "the shift is"),
        ({"shift": 9.0}, "the shift is"),
        ({"most": 0}, "most"),
        ({"components": 1}, "components"),
        ({"window": (5, -5)}, "the range"),
        ({"window": "wide"}, "the range"),
    ],
)
def test_impossible_wishes_are_refused(folder, pure, wish, said):
    with pytest.raises(SpectrumError, match=said):
        cgxas.mix([folder], pure, **wish)


def test_too_many_references_are_told(folder, tmp_path, mixed, write_series):
    many = write_series(tmp_path / "many", mixed([[1 - x, x] for x in np.linspace(0, 1, 6)], 0.001))
    found = cgxas.mix([folder], [many])
    assert any("overfitting" in each for each in found.warnings)
    assert any("not told apart" in each for each in found.warnings)
    few = cgxas.mix([folder], [many], most=2)
    assert not any("overfitting" in each for each in few.warnings)
    assert ((few.fractions > 0).sum(axis=1) <= 2).all()
