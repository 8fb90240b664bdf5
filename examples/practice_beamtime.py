"""A made-up beamtime at the Co K edge, to practise docs/tutorials on: nothing was measured.

Writes nine crystals, their "measured" scans as XDI files and the table that pairs them into
./practice. The scans are the bundled model's own spectra, blurred, on a sloping background, with
noise, and with edges moved the way real ones are: more for metals than for oxides.
"""

from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure

import cgxas

FOLDER = Path("practice")
# name -> space group, lattice constant (Angstrom), atoms with their places, shift of the edge (eV)
CUBIC = {
    "Co": ("Fm-3m", 3.545, ["Co"], [[0, 0, 0]], -6.2),
    "CoAl": ("Pm-3m", 2.862, ["Co", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]], -5.8),
    "CoSi2": ("Fm-3m", 5.365, ["Co", "Si"], [[0, 0, 0], [0.25, 0.25, 0.25]], -5.1),
    "CoS2": ("Pa-3", 5.538, ["Co", "S"], [[0, 0, 0], [0.389, 0.389, 0.389]], -3.9),
    "CoO": ("Fm-3m", 4.26, ["Co", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]], -2.2),
    "CoAl2O4": (
        "Fd-3m",
        8.104,
        ["Co", "Al", "O"],
        [[0] * 3, [0.625] * 3, [0.389] * 3],
        -2.4,
    ),
    "Co3O4": ("Fd-3m", 8.084, ["Co", "Co", "O"], [[0] * 3, [0.625] * 3, [0.3881] * 3], -1.3),
    "ZnCo2O4": ("Fd-3m", 8.095, ["Zn", "Co", "O"], [[0] * 3, [0.625] * 3, [0.388] * 3], -0.6),
    "LaCoO3": (
        "Pm-3m",
        3.83,
        ["La", "Co", "O"],
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]],
        -0.8,
    ),
}


def main() -> None:
    """Write crystals, scans and table, and tell the edges."""
    model = cgxas.load("universal")
    random = np.random.default_rng(64)
    for name in ("crystals", "spectra"):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
    rows = ["spectrum,crystal,element,compound"]
    for name, (group, a, species, places, shift) in CUBIC.items():
        crystal = Structure.from_spacegroup(group, Lattice.cubic(a), species, places)
        crystal.to(FOLDER / "crystals" / f"{name}.cif")
        predicted = model.predict(crystal, "Co")
        for scan in (1, 2):
            file = f"{name}_{scan}.xdi"
            (FOLDER / "spectra" / file).write_text(scanned(predicted, shift, random))
            rows.append(f"{file},{name}.cif,Co,{name}")
        print(f"{name:8} E0 {predicted.e0:.2f} eV as simulated, {shift:+.1f} eV as 'measured'")
    (FOLDER / "pairs.csv").write_text("\n".join(rows) + "\n")


def scanned(predicted: cgxas.Spectrum, shift: float, random: np.random.Generator) -> str:
    """Return an XDI file of a transmission scan that shows this spectrum."""
    energy = np.concatenate(
        [np.arange(7560, 7690, 5.0), np.arange(7690, 7760, 0.4), np.arange(7760, 8010, 2.0)]
    )
    fine = np.arange(7500, 8100, 0.2)
    mu = np.interp(fine, predicted.energy + shift, predicted.norm, right=1.0)
    kernel = np.exp(-0.5 * (np.arange(-4, 4.01, 0.2) / 0.9) ** 2)
    blurred = np.convolve(np.pad(mu, 20, mode="edge"), kernel / kernel.sum(), mode="valid")
    x = energy - 7709.0
    absorbed = 0.4 - 2.5e-4 * x + 1.1 * np.interp(energy, fine, blurred)
    absorbed += 1e-3 * random.normal(size=energy.size)
    head = ["XDI/1.0", "Element.symbol: Co", "Element.edge: K", "Column.1: energy eV"]
    head += ["Column.2: mutrans", "Sample.name: made up", "-" * 20, "energy mutrans"]
    lines = [f"# {line}" for line in head]
    lines += [f"{e:.2f} {m:.6f}" for e, m in zip(energy, absorbed, strict=True)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
