"""XDI/1.0, the text files of beamlines: a header of named fields, then columns of numbers.

What XDI has no field for stands under ``Cgxas.``: kind, model, source, e0, half_step ...
Source: https://github.com/XraySpectroscopy/XAS-Data-Interchange, specification 1.0.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cgxas.errors import OutputError
from cgxas.spectra.io.base import Choice, Curve, Format
from cgxas.spectra.io.facts import columns, distinct_sites, facts, program, told_trust
from cgxas.spectra.io.scan import KINDS, Scan
from cgxas.spectra.io.text.read import read_table, rows, scan_of

MAX_COLUMNS = 128
"""Columns the compiled XDI reader (libxdifile) can hold."""

_MAGIC = b"XDI/"
_FIELD = re.compile(r"[#\s]*(\w+\.\w+)\s*:\s*(.*)")
_STANDARD = {
    "absorber": "Element.symbol",
    "edge": "Element.edge",
    "formula": "Sample.name",
    "label": "Sample.name",
}
_IN_EV = ("e0", "half_step", "energy_shift")


def _read(path: Path, choice: Choice) -> Scan:
    """Read the numbers, and the fields of the header.

    Larch's reader of the header stops at "Mono.d_spacing: 3.1356 A", which is how NSLS-II BMM
    writes it.
    """
    table, header = read_table(path, choice)
    fields = {found[1].lower(): found[2].strip() for found in map(_FIELD.match, header) if found}
    spacing = _number(fields.get("mono.d_spacing", ""))
    has_angle = "energy" not in table.names and "angle" in table.names
    if choice.energy is None and has_angle and spacing:
        table = table.with_energy(table.names.index("angle"), spacing)
    scan = scan_of(
        table,
        choice,
        format=FORMAT.name,
        label=fields.get("sample.name", ""),
        element=fields.get("element.symbol", "").capitalize(),
        edge=fields.get("element.edge", "").upper(),
        energy_shift=_number(fields.get("cgxas.energy_shift", "")),
        edge_guess=fields.get("cgxas.edge_guess", ""),
        trust=told_trust({name.removeprefix("cgxas."): fields[name] for name in fields}, path.name),
    )
    return replace(scan, kind=_kind(scan.kind, fields, choice.mu is not None))


def _kind(found: str, fields: dict[str, str], is_chosen: bool) -> str:
    """Return the kind that the header tells, if it is about the column that was taken.

    Version 0.1.0 wrote no kind of what it predicted, but its model.
    """
    stated = fields.get("cgxas.kind", "simulated" if "cgxas.model" in fields else "")
    if stated == "simulated" or (stated in KINDS and found == "mu" and not is_chosen):
        return stated
    return found


def _number(text: str) -> float:
    found = re.match(r"[-+]?\d+(\.\d*)?", text.strip())
    return float(found[0]) if found else 0.0


def _write(path: Path, curve: Curve, sites: bool) -> None:
    """Write it without Mono.d_spacing, which is required for angles only.

    A monochromator is named all the same, since xdi-validator asks for one.
    """
    table = columns(curve, sites)
    if len(table) > MAX_COLUMNS:
        n_sites = len(distinct_sites(curve))
        raise OutputError(f"XDI cannot hold {n_sites} sites: write .csv or .json instead.")
    fields = _fields(curve, list(table), sites)
    # The comment section between /// and --- stays empty: XDI reserves it for the user's words.
    lines = [f"XDI/1.0 {program()}", *fields, "///", "-" * 30, " ".join(table)]
    text = "\n".join([*(f"# {line}" for line in lines), *rows(table, " ")])
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _fields(curve: Curve, names: Sequence[str], sites: bool) -> Iterator[str]:
    told = {key: _text(key, value) for key, value in facts(curve).items()}
    fields = {
        **{field: told[key] for key, field in _STANDARD.items() if key in told},
        "Mono.name": "none" if told.get("kind") == "simulated" else "unknown",
        "Column.1": "energy eV",
        **{f"Column.{n}": name for n, name in enumerate(names[1:], start=2)},
        **{f"Cgxas.{key}": text for key, text in told.items() if key not in _STANDARD},
        **{
            f"Cgxas.multiplicity_{site.site}": str(site.multiplicity)
            for site in distinct_sites(curve, sites)
        },
        **{
            f"Cgxas.occupancy_{site.site}": f"{site.occupancy:.4g}"
            for site in distinct_sites(curve, sites)
            if site.occupancy < 1
        },
    }
    for name, text in fields.items():
        if text:  # a line break inside a value would start a line of its own
            yield f"{name}: {' '.join(text.split())}"


def _text(key: str, value: str | float | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.6f} eV" if key in _IN_EV else f"{value:.10g}"


FORMAT = Format(
    name="XDI",
    suffixes=(".xdi",),
    recognises=lambda path, head: _MAGIC in head.split(b"\n", maxsplit=1)[0][:80],
    read=_read,
    write_one=_write,
    has_groups=True,
    has_columns=True,
)
