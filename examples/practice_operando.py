"""A made-up operando series at the Ti K edge, to practise docs/tutorials on: nothing was measured.

Anatase turns into rutile as it is heated. Writes 30 scans, the table of their temperatures, and the
crystals into ./heating. The scans are the bundled model's own spectra, mixed, 0.6 eV off on the
energy scale, on a background that drifts, with noise; of one the beam was lost.
"""

import shutil
from pathlib import Path

import numpy as np

import cgxas

FOLDER, HERE = Path("heating"), Path(__file__).parent
N_SCANS, LOST = 30, 17
SHIFT, NOISE = 0.6, 0.01  # eV; of the step


def main() -> None:
    """Write scans, table and crystals."""
    (FOLDER / "scans").mkdir(parents=True, exist_ok=True)
    model, random = cgxas.load(), np.random.default_rng(64)
    curves = []
    for name in ("anatase", "rutile"):
        shutil.copy(HERE / f"TiO2_{name}.cif", FOLDER / f"{name}.cif")
        curves.append(model.predict(FOLDER / f"{name}.cif", "Ti"))
        print(f"{name}: E0 {curves[-1].e0 + SHIFT:.2f} eV in these scans")
    energy = np.concatenate(
        [np.arange(4870, 4960, 4.0), np.arange(4960, 5020, 0.4), np.arange(5020, 5150, 2.0)]
    )
    rows = ["scan,temperature_K,rutile"]
    for n in range(N_SCANS):
        temperature = 300 + 40 * n
        rutile = float(1 / (1 + np.exp(-(temperature - 900) / 90)))
        norm = (1 - rutile) * on(curves[0], energy) + rutile * on(curves[1], energy)
        x = energy - 4975.0
        mu = 0.5 - (3e-4 + 4e-6 * n) * x + (0.8 + 0.005 * n) * norm
        mu += 0.8 * NOISE * random.normal(size=energy.size)
        if n == LOST:
            mu[energy > 5010] = 0.0
        name = f"heat_{n:02d}"
        rows.append(f"{name},{temperature},{rutile:.3f}")
        table = np.transpose([energy, mu])
        np.savetxt(FOLDER / "scans" / f"{name}.dat", table, "%.6f", header="energy mu")
    (FOLDER / "temperatures.csv").write_text("\n".join(rows) + "\n")
    print(f"wrote {N_SCANS} scans from 300 to {temperature} K into {FOLDER}")


def on(predicted: cgxas.Spectrum, energy: np.ndarray) -> np.ndarray:
    """Return a predicted curve on the energies of a scan: 0 before it, 1 behind it."""
    known = np.interp(energy, predicted.energy + SHIFT, predicted.norm)
    first, last = predicted.energy[[0, -1]] + SHIFT
    before = predicted.norm[0] * np.exp((energy - first).clip(max=0) / 5.0)
    settled = 1 + (predicted.norm[-1] - 1) * np.exp(-(energy - last).clip(min=0) / 15.0)
    return np.where(energy < first, before, np.where(energy > last, settled, known))


if __name__ == "__main__":
    main()
