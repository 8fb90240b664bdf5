"""Files of the kind 9809, as Photon Factory, SPring-8, Aichi SR and SAGA-LS write them."""

import numpy as np
import pytest

from cgxas.errors import UnreadableSpectrum
from cgxas.spectra.io.read import read_scan

SI_111, SI_311 = 3.13551, 1.63747


def angles(energy: np.ndarray, spacing: float = SI_111) -> np.ndarray:
    return np.degrees(np.arcsin(12398.419843 / (2 * spacing * energy)))


@pytest.fixture
def written(tmp_path):
    """Writes a file with angles of both kinds, the time and counts."""

    def text(energy, counts, modes, where="KEK-PF   BL9A", method="Transmission( 2)", **about):
        spacing, offsets = about.get("spacing", SI_111), about.get("offsets", [0.0] * len(modes))
        seconds = about.get("seconds", np.ones(energy.size))
        observed = angles(energy, spacing)
        n = len(counts)
        blocks = [f"     {block}     7000.00  7400.00   4.00   1.00   99" for block in (1, 2, 3)]
        header = [
            f"  9809     {where}",
            " Fe2O3           19.06.01 10:00 - 19.06.01 10:10",
            " F2T0",
            " Ring :   2.5 GeV    99.5 mA -   99.5 mA",
            f" Mono :   Si(111)       D=  {spacing:7.5f} A    Initial angle= 16.00000 deg",
            f" BL9A    {method}   Repetition=  1     Points= {energy.size}",
            " Param file : x.prm       energy axis(2)     Block =    3",
            "",
            " Block      Init-Eng  Final-Eng         Step/eV     Time/s       Num",
            *blocks,
            f" Ortec( 0)     NDCH = {n}",
            "  Angle(c)  Angle(o)    time/s" + "".join(f"{at + 1:10}" for at in range(n)),
            "      Mode         0         0" + "".join(f"{mode:10}" for mode in modes),
            "    Offset         0         0" + "".join(f"{dark:10.3f}" for dark in offsets),
        ]
        rows = np.transpose([observed + 0.01, observed, seconds, *counts])
        lines = ["".join(f"{value:18.7f}" for value in row) for row in rows]
        path = tmp_path / "a.dat"
        path.write_text("\r\n".join([*header, *lines, "\x1a"]))
        return path

    return text


@pytest.mark.parametrize(
    "where", ["KEK-PF   BL9A", "SPring-8   BL14B2", "AichiSR  BL5S1", "SAGA-LS BL11"]
)
@pytest.mark.parametrize(("e0", "spacing"), [(7120.0, SI_111), (8979.0, SI_111), (25514.0, SI_311)])
def test_energies_are_those_of_the_observed_angle(written, scanned, where, e0, spacing):
    energy, mu = scanned(e0)
    i0 = np.full(energy.size, 1e6)
    path = written(energy, (i0, i0 * np.exp(-mu)), (1, 2), where, spacing=spacing)
    scan = read_scan(path)
    np.testing.assert_allclose(scan.energy, energy, atol=0.01)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-6)
    assert (scan.format, scan.kind) == ("9809", "transmission")
    assert scan.done[0].startswith("energies are computed from column 2, Angle(o), the angle obs")
    assert "Angle(c) stands beside it" in scan.done[0]


def test_dark_counts_are_taken_off_by_the_second(written, scanned):
    energy, mu = scanned()
    seconds = np.where(energy < 7120.0, 1.0, 3.0)
    i0 = 1e5 * seconds
    counts = (i0 + 700.0 * seconds, i0 * np.exp(-mu) + 900.0 * seconds)
    path = written(energy, counts, (1, 2), offsets=(700.0, 900.0), seconds=seconds)
    scan = read_scan(path)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-5)
    assert any("dark counts" in words for words in scan.done)


def test_channels_of_fluorescence_are_summed_and_others_left_out(written, scanned):
    energy, mu = scanned()
    i0 = np.full(energy.size, 1e6)
    parts = [share * i0 * mu * 1e-2 for share in (0.2, 0.3, 0.5)]
    counts = (i0, 0.5 * i0, *parts, np.ones(energy.size))
    path = written(energy, counts, (1, 2, 3, 3, 3, 5), method="Fluorescence( 3)")
    scan = read_scan(path)
    np.testing.assert_allclose(scan.mu, mu * 1e-2, atol=1e-6)
    assert (scan.kind, scan.done[-1]) == ("fluorescence", "mu is (if1+if2+if3)/i0")
    np.testing.assert_allclose(read_scan(path, mu="ln(i0/it)").mu, np.log(2.0), atol=1e-6)
    np.testing.assert_allclose(read_scan(path, mu="5/4").mu, parts[0] / (0.5 * i0), rtol=1e-4)


def test_the_other_angle_is_taken_where_it_is_asked_for_or_the_first_was_not_read(written, scanned):
    energy, mu = scanned()
    i0 = np.full(energy.size, 1e6)
    path = written(energy, (i0, i0 * np.exp(-mu)), (1, 2))
    scan = read_scan(path, energy="Angle(c)")
    assert (scan.energy < energy).all()
    assert "the angle of the set point" in scan.done[0]


def test_without_a_spacing_or_modes_that_fit_it_says_so(written, scanned):
    energy, mu = scanned()
    i0 = np.full(energy.size, 1e6)
    path = written(energy, (i0, i0 * np.exp(-mu)), (1, 2))
    text = path.read_text()
    path.write_text(text.replace("D=", "d is"))
    with pytest.raises(UnreadableSpectrum, match="spacing"):
        read_scan(path)
    path.write_text(
        text.replace("      Mode         0         0         1         2", "      Mode")
    )
    np.testing.assert_allclose(read_scan(path, mu="ln(4/5)").mu, mu, atol=1e-6)
