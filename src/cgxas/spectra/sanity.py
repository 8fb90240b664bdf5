"""The quality filters which the paper's authors apply to simulated spectra."""

import numpy as np
import numpy.typing as npt

from cgxas.spectra.curve import finite_numbers


def sanity_reasons(norm: npt.ArrayLike) -> tuple[str, ...]:
    """Name the quality filters of the paper's authors which a simulated spectrum fails.

    Args:
        norm: Absorption on the 100-point grid, (100,).

    Returns:
        Some of ``starts_high`` (first point above 0.5), ``no_peak`` (maximum below 1),
        ``negative`` (minimum below -0.05), ``late_edge`` (first value above 0.9 at index 80 or
        later, or none) and ``dip_after_edge`` (a value below 0.3 after it); empty if accepted.

    Raises:
        SpectrumError: Not one row of finite numbers.

    Source: SPEC section 5; the public code to arXiv 2512.23449.
    """
    y = finite_numbers(norm, "mu")
    above = y > 0.9
    edge = int(np.argmax(above)) if above.any() else y.size
    failed = {
        "starts_high": y[0] > 0.5,
        "no_peak": y.max() < 1.0,
        "negative": y.min() < -0.05,
        "late_edge": edge >= 80,
        "dip_after_edge": bool((y[edge:] < 0.3).any()),
    }
    return tuple(name for name, is_so in failed.items() if is_so)
