"""The oxygen K edge of LiFePO4, site by site, and on to Larch."""

from pathlib import Path

import cgxas

CRYSTAL = Path(__file__).parent / "LiFePO4.cif"


def main() -> None:
    """Predict all oxygen sites, then the average over the atoms of one of them."""
    model = cgxas.load("universal")
    spectrum = model.predict(CRYSTAL, absorber="O")
    for site in spectrum.sites:
        print(f"site {site.site:2}, {site.multiplicity} equivalent atoms, E0 {site.e0:.2f} eV")
    # Sites are indices in the caller's own structure.
    apex = model.predict(CRYSTAL, absorber="O", sites=list(spectrum.sites[0].sites))
    print(f"mean of the first site alone: E0 {apex.e0:.2f} eV")
    group = spectrum.to_larch()
    print(f"Larch group of {len(group.energy)} points: {group.label}")


if __name__ == "__main__":
    main()
