from pathlib import Path

import numpy as np

from cgxas.spectra.sanity import sanity_reasons


def test_filters_equal_the_authors(reference: Path):
    with np.load(reference / "functions.npz", allow_pickle=False) as file:
        dropped = [bool(sanity_reasons(mu)) for mu in file["filter_spectra"]]
        assert dropped == file["filter_drop"].tolist()


def test_each_filter_has_its_name():
    good = np.where(np.arange(100) < 30, 0.0, 1.1)
    assert sanity_reasons(good) == ()
    high, negative, late, dip = good.copy(), good.copy(), good.copy(), good.copy()
    high[0], negative[3], late[:80], dip[60] = 0.51, -0.051, 0.0, 0.29
    assert sanity_reasons(high) == ("starts_high",)
    assert sanity_reasons(negative) == ("negative",)
    assert sanity_reasons(late) == ("late_edge",)
    assert sanity_reasons(dip) == ("dip_after_edge",)
    assert sanity_reasons(good / 1.2) == ("no_peak",)
    late[79] = 1.0
    assert sanity_reasons(late) == ()
