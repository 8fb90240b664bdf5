"""cgxas spectrum and predict into files that hold many spectra."""

import numpy as np
import pytest

from cgxas.spectra.io.read import read_spectrum

pytest.importorskip("larch")


@pytest.mark.parametrize("suffix", [".prj", ".nxs", ".h5"])
def test_spectrum_is_written_and_read_again(cgxas, tmp_path, scanned, suffix):
    np.savetxt(tmp_path / "a.dat", np.transpose(scanned(5487.0)), header="energy mu")
    out = tmp_path / f"a{suffix}"
    answer = cgxas("spectrum", tmp_path / "a.dat", "--element", "La", "--edge", "L3", "-o", out)
    assert answer.code == 0, answer.err
    again = read_spectrum(out)
    assert (again.element, again.edge) == ("La", "L3")
    np.testing.assert_allclose(again.mu, scanned(5487.0)[1], rtol=1e-9)
    assert "La L3" in cgxas("spectrum", out).out


@pytest.mark.parametrize("suffix", [".prj", ".nxs", ".hdf5"])
def test_predictions_are_written_one_or_many(cgxas, tmp_path, crystals, random_model, suffix):
    one, many = tmp_path / f"one{suffix}", tmp_path / f"many{suffix}"
    words = ("-a", "Fe", "--model", random_model)
    assert cgxas("predict", crystals / "iron.cif", *words, "-o", one).code == 0
    found = read_spectrum(one)
    assert (found.element, found.edge, found.kind) == ("Fe", "K", "simulated")
    other = tmp_path / "other.cif"
    other.write_bytes((crystals / "iron.cif").read_bytes())
    both = (crystals / "iron.cif", other)
    answer = cgxas("predict", *both, *words, "--sites", "-o", many)
    assert answer.code == 0, answer.err
    assert f"wrote {many}" in answer.err
    refusal = cgxas("spectrum", many)
    assert refusal.code == 2
    assert "choose one" in refusal.err
    assert "--group" in refusal.err
