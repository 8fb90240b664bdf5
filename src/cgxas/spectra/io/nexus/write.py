"""Spectra into a NeXus file of the new NXxas layout, one entry for each.

An entry holds ``energy``, ``intensity`` (raw mu where there is one, else norm),
``intensity_errors`` (sigma), ``element``, ``absorption_edge``, the NXdata group ``plot``, and what
NXxas has no field for in the group ``cgxas``: norm, the curves of sites, kind, model, e0 ...
Energies stand, as a link, where readers of the old layout look for them.
"""

import re
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

from cgxas.errors import OutputError
from cgxas.spectra.io.base import Curve
from cgxas.spectra.io.facts import columns, distinct_sites, facts, program
from cgxas.spectra.measurement import Measurement

FACTS = "cgxas"
"""The group of an entry in which cgxas writes what NXxas has no field for."""

_MODES = {"transmission": "transmission", "fluorescence": "fluorescence yield"}


def write(path: Path, curves: Iterable[Curve], sites: bool) -> None:
    """Write an entry per curve, the first one as the default.

    Args:
        path: a new file.
        curves: predicted or measured.
        sites: add the curves of the distinct sites.

    Raises:
        OutputError: there is no curve.
    """
    import h5py

    # of HDF5 1.8, whose structures have checksums: damage is noticed at once
    with h5py.File(path, "w", libver=("v108", "v108")) as root:
        root.attrs["NX_class"], root.attrs["creator"] = np.bytes_("NXroot"), np.bytes_(program())
        for curve in curves:
            name = _free_name(root, curve)
            root.attrs.setdefault("default", np.bytes_(name))
            _write_entry(_group(root, name, "NXentry"), curve, sites)
        if not len(root):
            raise OutputError("A NeXus file needs at least one spectrum.")


def _free_name(root: Any, curve: Curve) -> str:
    """Return a name of letters, digits and underscores that the file does not hold yet."""
    label = (curve.label or curve.source) if isinstance(curve, Measurement) else curve.label
    name = re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_")[:60] or "entry"
    names = chain([name], (f"{name}_{n}" for n in count(2)))
    return next(each for each in names if each not in root)


def _write_entry(entry: Any, curve: Curve, sites: bool) -> None:
    import h5py

    told, table = facts(curve), columns(curve)
    label = str(told.get("label") or told.get("formula") or "")
    edge = _group(entry, "edge", "NXabsorption_edge")
    for group, name, text in (
        (entry, "definition", "NXxas"),
        (entry, "title", label or str(told["source"] or "spectrum")),
        (entry, "element", str(told["absorber"])),
        (entry, "absorption_edge", str(told["edge"])),
        (entry, "mode", _MODES.get(str(told["kind"]), "")),
        (edge, "name", str(told["edge"])),
        (_group(entry, "sample", "NXsample"), "name", label),
    ):
        _write_text(group, name, text)
    entry["is_experimental"] = told["kind"] != "simulated"
    entry["energy"] = table["energy"]
    entry["energy"].attrs["units"] = np.bytes_("eV")
    entry["intensity"] = table.get("mu", table["norm"])
    meaning = "mu" if "mu" in table else "normalised mu"
    entry["intensity"].attrs["long_name"] = np.bytes_(meaning)
    if "sigma" in table:
        entry["intensity_errors"] = table["sigma"]
    plot = _group(entry, "plot", "NXdata")
    entry.attrs["default"] = np.bytes_("plot")
    plot.attrs["signal"], plot.attrs["axes"] = np.bytes_("intensity"), np.array([b"energy"])
    for name in ("energy", "intensity"):
        plot[name] = h5py.SoftLink(entry[name].name)
    instrument = _group(entry, "instrument", "NXinstrument")
    monochromator = _group(instrument, "monochromator", "NXmonochromator")
    monochromator["energy"] = h5py.SoftLink(entry["energy"].name)
    _write_facts(_group(entry, FACTS, "NXcollection"), curve, sites)


def _write_facts(group: Any, curve: Curve, sites: bool) -> None:
    for name, value in {"program": program(), **facts(curve)}.items():
        if isinstance(value, str):
            _write_text(group, name, value)
        elif value is not None:
            group[name] = value
    group["norm"] = columns(curve)["norm"]
    for site in distinct_sites(curve, sites):
        each = _group(group, f"site_{site.site}", "NXcollection")
        each["norm"], each["sites"] = site.norm, list(site.sites)
        each["multiplicity"] = site.multiplicity


def _write_text(group: Any, name: str, text: str) -> None:
    """Write a text of fixed length, which needs no heap; nothing if it is empty."""
    import h5py

    data = text.replace("\0", " ").encode("utf-8", "replace")
    if data:
        group.create_dataset(name, data=data, dtype=h5py.string_dtype("utf-8", len(data)))


def _group(parent: Any, name: str, nx_class: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = np.bytes_(nx_class)
    return group
