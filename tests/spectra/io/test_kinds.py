"""Files of many kinds, made of many elements: each gives the edge that was put into it."""

from collections.abc import Callable

import numpy as np
import pytest

from cgxas.errors import CgxasError, ReadingWarning, SpectrumError
from cgxas.spectra.io.read import read_spectrum
from cgxas.spectra.measurement import Measurement

pytest.importorskip("larch")

ELEMENTS = {"Mn": 6539.0, "Ni": 8333.0, "Se": 12658.0, "Zr": 17998.0}
"""K edges that are put into the files, eV."""

every_element = pytest.mark.parametrize("element", ELEMENTS)


def check(found: Measurement, element: str, step: float | None = 0.8) -> None:
    """Compare with the edge that was put in; its half step is where the arctangent rises."""
    assert (found.element, found.edge) == (element, "K")
    assert found.half_step == pytest.approx(ELEMENTS[element], abs=0.6)
    assert found.e0 == pytest.approx(ELEMENTS[element], abs=1.0)
    if step is not None:
        assert found.edge_step == pytest.approx(step, rel=0.03)


@pytest.fixture
def counted(scanned) -> Callable[[str], dict[str, np.ndarray]]:
    """Counts of a scan in transmission and fluorescence, by the names of beamlines."""

    def counts(element: str) -> dict[str, np.ndarray]:
        energy, mu = scanned(ELEMENTS[element])
        i0 = 1e6 * (1.0 + 0.01 * np.sin(np.arange(energy.size)))
        parts = {f"if{n}": i0 * mu * share for n, share in enumerate((0.1, 0.2, 0.3, 0.4), 1)}
        return {"energy": energy, "i0": i0, "it": i0 * np.exp(-mu), **parts}

    return counts


LEGENDS = {
    "Mn": (
        ["Mono Energy *", "Scaler preset time *", "I0", "It", "XSP3:DT Corr I0", "Eiger ROI1"],
        3,
    ),
    "Ni": (["Mono Energy (alt) *", "ID Gap *", "Timer", "I0", "Iref", "XMAP:NiKa_Sum"], 2),
    "Se": (["Mono Energy (alt) *", "I0", "It", "SIS scaler time preset", "XMAP8:SeKa", "x"], 4),
    "Zr": (["Energy *", "I0", "It", "Iref", "XSP3:0:ZrKa", "XSP3:1:ZrKa"], 3),
}


@every_element
@pytest.mark.parametrize("heading", ["padded", "cut", "shifted"])
def test_names_of_a_legend_are_those_of_its_numbers_or_none(tmp_path, counted, element, heading):
    """APS: a legend down two columns, and a line of headings that may be cut or shifted."""
    names, per_row = LEGENDS[element]
    counts = counted(element)
    signal = counts["if4"]
    columns = [np.full(signal.size, 100.0 + n) for n in range(6)]
    columns[0], columns[5] = counts["energy"], signal
    at_i0 = names.index("I0")
    columns[at_i0] = counts["i0"]
    rows = [names[n::per_row] for n in range(per_row)]
    legend = [
        "#  " + "   ".join(f"{names.index(name) + 1}) {name:22}" for name in row) for row in rows
    ]
    told = names if heading != "shifted" else [names[0], "extra", *names[1:5]]
    headings = "#" + "".join(
        f"{name[:21]:21}" if heading != "padded" else f"{name:24}" for name in told
    )
    header = "\n".join(["# 1-D Scan File", *legend, "#", "# Column Headings:", headings])
    path = tmp_path / "a.dat"
    np.savetxt(path, np.transpose(columns), header=header, comments="", fmt="%.6f")
    try:
        found = read_spectrum(path, element, mu=f"'{names[5].removesuffix(' *')}'/I0")
    except SpectrumError:
        assert heading == "shifted"
        return
    check(found, element, 0.32)
    with pytest.raises(CgxasError):
        read_spectrum(path, element, mu="nothing/I0")


FEFF = {
    "version 6": "# FeO6\n# Feff 6.10l\n# omega    e    k    mu    mu0     chi     @#",
    "version 8": (
        "# cassiterite                                          Feff8L (EXAFS)  0.1\n"
        "#  omega    e    k    mu    mu0     chi"
    ),
    "version 9": (
        "# # oxide                                              Feff 9.6.4\n"
        "#  xsedge+ 50, used to normalize mu           2.5002E-04\n"
        "#  -------------------------------------------\n"
        "#  omega    e    k    mu    mu0     chi     @#"
    ),
    "version 10": (
        " # oxide                                               FEFF 10.0.0\n"
        "     0/   0 paths used\n  xsedge+ 50, used to normalize mu           2.5002E-04\n"
        "   omega    e    k    mu    mu0     chi     @#"
    ),
    "no labels": "# oxide    Feff 9.05\n#  xsedge+ 50, used to normalize mu  2.5E-04\n# ----------",
}


@every_element
@pytest.mark.parametrize("version", FEFF)
def test_mu_of_feff_is_its_fourth_column(tmp_path, scanned, element, version):
    energy, mu = scanned(ELEMENTS[element])
    norm = (mu - 0.3 + 2e-4 * (energy - ELEMENTS[element])) / 0.8
    e, step = energy - ELEMENTS[element], (energy > ELEMENTS[element]).astype(float)
    rows = np.transpose([energy, e, np.zeros(e.size), norm, step, norm - step])
    lines = [f"{a:13.3f}{b:11.3f}{c:8.3f}{d:13.5E}{f:13.5E}{g:13.5E}" for a, b, c, d, f, g in rows]
    (tmp_path / "xmu.dat").write_text("\n".join([FEFF[version], *lines]) + "\n")
    found = read_spectrum(tmp_path / "xmu.dat")
    np.testing.assert_allclose(found.norm, norm, atol=1e-5)
    assert found.kind == "simulated"
    check(found, element, 1.0)


@every_element
@pytest.mark.parametrize(
    "labels",
    ["ee xmu bkg preline postline", "energy xmu bkg pre_edge post_edge", "e mu bkg pre post"],
)
def test_mu_that_athena_saved(tmp_path, scanned, element, labels):
    energy, mu = scanned(ELEMENTS[element])
    rows = np.transpose([energy, mu, mu - 0.01, 0 * mu + 0.3, 0 * mu + 1.1])
    header = f"Athena data file -- Athena version 0.8.050\n-----\n  {'   '.join(labels.split())}"
    np.savetxt(tmp_path / "a.xmu", rows, header=header)
    check(read_spectrum(tmp_path / "a.xmu"), element)


def test_chi_that_athena_saved_is_refused(tmp_path):
    k = np.linspace(0.0, 12.0, 240)
    rows = np.transpose([k, np.sin(k), k * np.sin(k), 0 * k + 1])
    np.savetxt(tmp_path / "a.chi", rows, header="Athena data file\n-----\n k  chi  chik  win")
    with pytest.raises(SpectrumError, match="no energy column"):
        read_spectrum(tmp_path / "a.chi")


@every_element
@pytest.mark.parametrize(
    ("formula", "step"),
    [
        ("(if1+if2+if3+if4)/i0", 0.8),
        ("sum(if*)/i0", 0.8),
        ("log(i0/it)", 0.8),
        ("-ln(it/i0)", 0.8),
        ("(if[1]+if[2])/i0", 0.24),
        ("$7/$2", 0.32),
    ],
)
def test_formulas_of_channels(tmp_path, counted, element, formula, step):
    counts = counted(element)
    np.savetxt(tmp_path / "a.dat", np.transpose([*counts.values()]), header=" ".join(counts))
    found = read_spectrum(tmp_path / "a.dat", mu=formula)
    check(found, element, step)
    assert any(words.startswith(f"mu is {formula}") for words in found.done)


@every_element
def test_channels_without_a_formula_are_summed(tmp_path, counted, element):
    counts = counted(element)
    del counts["it"]
    np.savetxt(tmp_path / "a.dat", np.transpose([*counts.values()]), header=" ".join(counts))
    found = read_spectrum(tmp_path / "a.dat")
    check(found, element)
    assert "mu is (if1+if2+if3+if4)/i0" in found.done


@every_element
def test_a_tiny_step_in_transmission_beside_fluorescence_is_warned_of(tmp_path, counted, element):
    counts = counted(element)
    mu = counts["if4"] / counts["i0"]
    counts["it"] = counts["i0"] * np.exp(-0.01 * mu)
    np.savetxt(tmp_path / "a.dat", np.transpose([*counts.values()]), header=" ".join(counts))
    with pytest.warns(ReadingWarning, match="--mu fluorescence"):
        check(read_spectrum(tmp_path / "a.dat"), element, 0.0032)


@every_element
@pytest.mark.parametrize(
    ("separator", "head"), [(",", ",energy,mu"), ("\t", "\tenergy\tmu"), (";", ";energy;mu")]
)
def test_an_index_of_pandas_is_no_energy(tmp_path, scanned, element, separator, head):
    energy, mu = scanned(ELEMENTS[element])
    lines = [
        f"{n}{separator}{a}{separator}{b}" for n, (a, b) in enumerate(zip(energy, mu, strict=True))
    ]
    (tmp_path / "a.csv").write_text("\n".join([head, *lines]) + "\n")
    found = read_spectrum(tmp_path / "a.csv")
    check(found, element)
    assert "energy is column 2, energy" in found.done


@every_element
@pytest.mark.parametrize(
    "names",
    [
        ("energy_requested", "energy_readback"),
        ("Energy_setpoint", "Energy_achieved"),
        ("energy", "energy_rbv"),
        ("mono_energy", "mono_energy_encoder"),
    ],
)
def test_what_the_monochromator_reached_is_taken_and_told(tmp_path, counted, element, names):
    counts = counted(element)
    rows = [counts["energy"].round(-1), counts["energy"], counts["i0"], counts["it"]]
    np.savetxt(tmp_path / "a.dat", np.transpose(rows), header=" ".join([*names, "i0", "it"]))
    found = read_spectrum(tmp_path / "a.dat")
    check(found, element)
    assert found.done[0].startswith(f"energy is column 2, {names[1]} (")


@pytest.mark.parametrize(
    ("element", "edge"), [("P", 2149.0), ("S", 2471.0), ("Cl", 2824.0), ("K", 3610.0)]
)
@pytest.mark.parametrize("before", [16.0, 27.0, 34.0])
@pytest.mark.parametrize("slope", [-4e-3, -2.5e-3, 2.5e-3])
@pytest.mark.parametrize("step", [0.02, 0.05])
def test_a_small_step_on_a_steep_background_with_a_short_pre_edge(
    tmp_path, element, edge, before, slope, step
):
    x = np.arange(-before, 60.0, 0.4)
    rise = 0.5 + np.arctan(x / 0.9) / np.pi + 0.6 * np.exp(-((x - 2.5) ** 2) / 6.0)
    np.savetxt(
        tmp_path / "a.dat",
        np.transpose([edge + x, 0.3 + slope * x + step * rise]),
        header="energy mu",
    )
    found = read_spectrum(tmp_path / "a.dat", element)
    assert found.e0 == pytest.approx(edge, abs=1.0)
    assert found.half_step == pytest.approx(edge, abs=1.0)
    assert found.edge_step == pytest.approx(step, rel=0.15 if before > 20.0 else 0.2)
    assert found.ranges.npre == 1


@every_element
def test_numbers_that_touch_as_fortran_writes_them(tmp_path, scanned, element):
    energy, mu = scanned(ELEMENTS[element])
    lines = [f"{a:12.4f}{b - 0.9:12.5E}" for a, b in zip(energy, mu, strict=True)]
    assert any(len(line.split()) == 1 for line in lines)
    (tmp_path / "a.dat").write_text("energy mu\n" + "\n".join(lines).replace("E", "D") + "\n")
    check(read_spectrum(tmp_path / "a.dat"), element)
