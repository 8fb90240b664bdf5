"""What is written as XDI passes the validator of the XDI community, an independent program."""

import dataclasses
from pathlib import Path

import pytest

from cgxas.spectra.io.scan import Scan
from cgxas.spectra.normalise import normalise

validator = pytest.importorskip(
    "xdi_validator", reason="xdi-validator is installed on Python 3.13 and in CI"
)


def complaints(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8") as file:
        found, _ = validator.validate(file)
    return found


@pytest.mark.parametrize("sites", [False, True])
@pytest.mark.parametrize("model", ["m1", ""])
def test_predictions_pass(tmp_path, banded, sites, model):
    path = tmp_path / "a.xdi"
    dataclasses.replace(banded, model=model).save(path, sites=sites)
    assert complaints(path) == {}


LABELS = [
    "",
    "hématite, 10 K",
    "Fe₂O₃ – α",
    "x: y # /// ---",
    "two\nlines",
    "鉄",
]  # it takes "7" for a number


@pytest.mark.parametrize("label", LABELS)
def test_measurements_pass_whatever_their_label(tmp_path, scanned, label):
    path = tmp_path / "a.xdi"
    for kind in ("transmission", "fluorescence", "mu"):
        scan = Scan(*scanned(), kind, "columns", "ä b.dat", label, "Fe", "K")
        normalise(scan).save(path)
        assert complaints(path) == {}
    normalise(Scan(*scanned(5487.0), "mu", "columns", "a.dat", label)).save(path)
    assert complaints(path) == {}


def test_normalised_data_pass(tmp_path, measurement):
    path = tmp_path / "a.xdi"
    dataclasses.replace(measurement, kind="normalised", ranges=None).save(path)
    assert complaints(path) == {}


def test_the_validator_complains_of_what_is_wrong(tmp_path, spectrum):
    path = tmp_path / "a.xdi"
    spectrum.save(path)
    path.write_text(path.read_text().replace("# Element.edge: K\n", ""))
    assert complaints(path)
