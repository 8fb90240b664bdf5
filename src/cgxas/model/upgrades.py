"""Descriptions of older model files, brought to the present format one step at a time.

1: the network of SPEC, 0.1.0 in the making. 2: networks that tell fidelities apart. 3: calibrated
models. 4: everything that decides an answer is in the file, and covered by its hash. 5: networks
whose outputs are counted from the edge.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cgxas.crystals.bonds import usual_bonds

FORMAT = 5
"""Number of the present format."""

HASHED = 4
"""The first format whose hash covers the description."""

Description = dict[str, Any]


def upgraded(description: Mapping[str, Any]) -> Description:
    """Return a description in the present format.

    Raises:
        KeyError, TypeError or ValueError: it is damaged.
    """
    found = dict(description)
    while found["format"] < FORMAT:
        found = _STEPS[found["format"]](found) | {"format": found["format"] + 1}
    return found


def _tell_fidelities(old: Description) -> Description:
    """1 to 2: a network knew one kind of spectra."""
    config = {**old["config"], "fidelities": []}
    return {**old, "config": config, "elements": _added(old, fidelity=None)}


def _may_be_calibrated(old: Description) -> Description:
    """2 to 3: no model was calibrated."""
    return {**old, "elements": _added(old, test_e0=None, simulated=None), "calibration": None}


def _whole(old: Description) -> Description:
    """3 to 4: what were constants of the program stand in the file."""
    config = dict(old["config"])
    cell = config.pop("cell")
    graph = {
        "cutoff": 8.0,
        "neighbours": 12,
        "cell": cell,
        "symprec": 0.01,
        "per_orbit": cell == "canonical" and not config["wave_numbers"],
    }
    absorbers = {f"{symbol} K": dict(card) for symbol, card in old["elements"].items()}
    for card in absorbers.values():
        card["test_half_step_error"] = card.pop("test_e0")
    calibration = None
    if old["calibration"] is not None:
        features = {"broadening": 2.5, "first": -16.0, "last": 54.01, "step": 55 / 99}
        values = {"features": features, "terms": old["calibration"]}
        calibration = {"kind": "gaussian", "values": values}
    elif any(card["test_half_step_error"] is not None for card in absorbers.values()):
        # Its head was re-learnt on measured spectra, and stands in the network itself.
        calibration = {"kind": "uncalibrated", "values": {}}
    return {
        "name": old["name"],
        "architecture": {"architecture": "cgxas", "graph": graph, **config},
        "absorbers": absorbers,
        "bonds": usual_bonds().to_dict(),
        "calibration": calibration,
        "provenance": old["provenance"],
        "format": old["format"],
    }


def _name_axis(old: Description) -> Description:
    """4 to 5: all outputs stood in fixed windows, and no kernel beside the network."""
    absorbers = {name: {**card, "edge_axis": None} for name, card in old["absorbers"].items()}
    architecture = {**old["architecture"], "axis": "window"}
    return {**old, "architecture": architecture, "absorbers": absorbers, "kernel": None}


def _added(old: Description, **values: Any) -> dict[str, Any]:
    """Return the cards of the absorbers with further values."""
    return {symbol: {**card, **values} for symbol, card in old["elements"].items()}


_STEPS: Mapping[int, Callable[[Description], Description]] = {
    1: _tell_fidelities,
    2: _may_be_calibrated,
    3: _whole,
    4: _name_axis,
}
