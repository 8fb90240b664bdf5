"""The Ti K edge of rutile and anatase: one formula, two crystals, two spectra."""

from pathlib import Path

from matplotlib.figure import Figure

import cgxas

HERE = Path(__file__).parent


def main(picture: str = "polymorphs.png") -> None:
    """Predict both spectra, say how they differ and draw them."""
    model = cgxas.load("universal")
    figure = Figure(layout="constrained")
    ax = figure.add_subplot()
    for name, colour in (("rutile", "tab:blue"), ("anatase", "tab:red")):
        spectrum = model.predict(HERE / f"TiO2_{name}.cif", absorber="Ti")
        energy, height = spectrum.white_line
        print(f"{name:8} E0 {spectrum.e0:.2f} eV, white line {height:.2f} at {energy:.2f} eV")
        cgxas.plot_spectrum(spectrum, ax, sites=False)
        curve = next(line for line in ax.lines if line.get_label() == "mean")
        curve.set(label=name, color=colour)
    ax.legend()
    figure.savefig(picture)


if __name__ == "__main__":
    main()
