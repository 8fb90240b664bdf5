"""Real series, whose truth is known."""

import numpy as np
import pytest

import cgxas

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def files(shared, tmp_path_factory):
    """Writes the scans of a series as files, a folder for each kind."""
    import pyarrow.parquet

    def write(name: str):
        source = shared / "data" / "series" / name / "scans.parquet"
        if not source.is_file():
            pytest.skip(f"no series at {source}")
        folder = tmp_path_factory.mktemp(name)
        for row in pyarrow.parquet.read_table(source).to_pylist():
            (folder / row["kind"]).mkdir(exist_ok=True)
            table = np.transpose([row["energy"], row["mu"]])
            np.savetxt(folder / row["kind"] / f"{row['scan']}.dat", table, header="energy mu")
        return folder

    return write


def test_iron_glasses_between_their_standards(files):
    series = files("fe_glass_redox") / "series"
    ends = [
        f"low={series}/PyNa17R_pt1_01.dat,{series}/PyNa17R_pt3_01.dat",
        f"high={series}/PyNa1[23]00_*.dat",
    ]
    found = cgxas.mix([series], ends, absorber="Fe")
    ferric = dict(zip(found.names, found.fractions @ [0.09, 0.95], strict=True))
    assert abs(ferric["PyNa5R_pt3_01"] - 0.60) < 0.05
    # Spots 1 and 2 of PyNa5R are of PyNa1600, as its README tells.
    for name in ("PyNa1600_pt1_01", "PyNa1600_pt2_01", "PyNa5R_pt1_01", "PyNa5R_pt2_01"):
        assert abs(ferric[name] - 0.75) < 0.05, name
    assert dict(found.left_out).keys() == {"PyNa17R_pt2_01"}
    assert "beam was lost" in found.left_out[0][1] and "7230.0 eV" in found.left_out[0][1]
    assert found.components.count == 2


def test_dropped_points_are_named(files):
    folder = files("fe_glass_redox")
    series = folder / "series"
    ends = [series / "PyNa17R_pt1_01.dat", series / "PyNa1200_pt1_01.dat"]
    found = cgxas.mix([str(folder / "sample" / "GFL_*.dat")], ends, absorber="Fe")
    reasons = dict(found.left_out)
    assert "7143.5 eV" in reasons["GFL_08_01_POI5_01"]


def test_arsenic_is_sulfide_and_a_little_arsenate(files):
    folder = files("as_refs_unknowns")
    found = cgxas.mix(
        [folder / "unknown" / "OTT3_55_spot0.dat"], [folder / "reference"], absorber="As", most=3
    )
    share = dict(zip(found.references, found.fractions[0], strict=True))
    sulfides = sum(x for name, x in share.items() if "yrite" in name or "orpiment" in name)
    arsenates = sum(x for name, x in share.items() if "arsenate" in name or "as2o5" in name)
    assert abs(sulfides - 0.907) < 0.05 and abs(arsenates - 0.092) < 0.05


def test_many_references_for_copper_are_overfitting(files):
    folder = files("cu_refs_unknowns")
    found = cgxas.mix([folder / "unknown"], [folder / "reference"], absorber="Cu")
    assert any("overfitting" in each for each in found.warnings)
    assert any("foil" in each and "not told apart" in each for each in found.warnings)
