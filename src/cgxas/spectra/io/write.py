"""Spectra into files: CSV, JSON and XDI for one, Parquet for many; never half a file."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from cgxas.errors import OutputError
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.typing import FloatArray
from cgxas.writing import atomic_path

SPECTRUM_SUFFIXES = (".csv", ".json", ".xdi")
"""File types for one spectrum."""

TABLE_SUFFIXES = (".parquet",)
"""File types for many spectra."""

XDI_COLUMNS = 128
"""Columns the compiled XDI reader (libxdifile) can hold."""

ROWS_AT_ONCE = 1024
"""Spectra held in memory while a table is written."""


def check_output(path: str | os.PathLike[str], suffixes: Sequence[str]) -> Path:
    """Refuse an output file that cannot be written, before any work is done.

    Args:
        path: The wanted file; an existing one will be replaced.
        suffixes: The allowed suffixes, lower case, with their dots.

    Returns:
        The path.

    Raises:
        OutputError: Unknown suffix, no such folder, a folder, or no permission to write.
    """
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise OutputError(f"{target} has no known file type: use {', '.join(suffixes)}.")
    if target.is_dir():
        raise OutputError(f"{target} is a folder: choose the name of a file.")
    if not target.parent.is_dir():
        raise OutputError(f"The folder {target.parent} does not exist: create it first.")
    # The folder decides, since a file is replaced; but a write-protected file is a wish, too.
    if not all(os.access(p, os.W_OK) for p in (target.parent, target) if p.exists()):
        raise OutputError(f"{target} cannot be written: permission denied.")
    return target


def write_spectrum(spectrum: Spectrum, path: str | os.PathLike[str], sites: bool = False) -> None:
    """Write one spectrum as ``.csv``, ``.json`` or ``.xdi``, chosen by the suffix.

    Args:
        spectrum: What to write.
        path: The file; an existing one is replaced.
        sites: Add one column ``norm_<site>`` per distinct site (JSON always holds the sites).

    Raises:
        OutputError: The file cannot be written there, or XDI cannot hold so many sites.
    """
    target = check_output(path, SPECTRUM_SUFFIXES)
    columns = spectrum.sites if sites else ()
    match target.suffix.lower():
        case ".csv":
            text = _csv(spectrum, columns)
        case ".json":
            text = json.dumps(_json(spectrum), indent=1, ensure_ascii=False) + "\n"
        case _:
            text = _xdi(spectrum, columns)
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _csv(spectrum: Spectrum, sites: Sequence[SiteSpectrum]) -> str:
    header = ",".join(["energy", "norm", *_further(spectrum, sites)])
    return "\n".join([header, *_rows(spectrum, sites, ",")]) + "\n"


def _further(spectrum: Spectrum, sites: Sequence[SiteSpectrum]) -> dict[str, FloatArray]:
    """The columns after energy and norm, by name."""
    band = {} if spectrum.sigma is None else {"sigma": spectrum.sigma}
    return band | {f"norm_{site.site}": site.norm for site in sites}


def _rows(spectrum: Spectrum, sites: Sequence[SiteSpectrum], separator: str) -> Iterator[str]:
    """The numbers line by line; 1e-8 eV and 10 digits of norm outlast float32 and 1e-6."""
    curves = [spectrum.norm, *_further(spectrum, sites).values()]
    for energy, *values in zip(spectrum.energy, *curves, strict=True):
        yield separator.join([f"{energy:.8f}", *(f"{value:.10g}" for value in values)])


def _json(spectrum: Spectrum) -> dict[str, Any]:
    return {
        "program": _program(),
        "formula": spectrum.formula,
        "absorber": spectrum.absorber,
        "edge": spectrum.edge,
        "model": spectrum.model,
        "source": spectrum.source,
        **_edge_json(spectrum),
        "energy": spectrum.energy.tolist(),
        "norm": spectrum.norm.tolist(),
        "sigma": None if spectrum.sigma is None else spectrum.sigma.tolist(),
        "sites": [
            {
                "sites": list(site.sites),
                "multiplicity": site.multiplicity,
                **_edge_json(site),
                "norm": site.norm.tolist(),
            }
            for site in spectrum.sites
        ],
    }


def _edge_json(curve: Spectrum | SiteSpectrum) -> dict[str, Any]:
    """E0 and white line; null for a curve without an edge, which is still worth writing."""
    e0 = curve.e0_or_none()
    if e0 is None:
        return {"e0": None, "white_line": None}
    energy, height = curve.white_line
    return {"e0": e0, "white_line": {"energy": energy, "height": height}}


def _program() -> str:
    return f"cgxas/{version('cgxas')}"


def _xdi(spectrum: Spectrum, sites: Sequence[SiteSpectrum]) -> str:
    """XDI/1.0; Mono.d_spacing is left out, as it is required for angles only."""
    labels = ["energy", "norm", *_further(spectrum, sites)]
    if len(labels) > XDI_COLUMNS:
        raise OutputError(f"XDI cannot hold {len(sites)} sites: write .csv or .json instead.")
    # The comment section between /// and --- stays empty: XDI reserves it for the user's words.
    lines = [f"XDI/1.0 {_program()}", *_xdi_fields(spectrum, sites, labels), "///", "-" * 30]
    header = [f"# {line}" for line in [*lines, " ".join(labels)]]
    return "\n".join([*header, *_rows(spectrum, sites, " ")]) + "\n"


def _xdi_fields(
    spectrum: Spectrum, sites: Sequence[SiteSpectrum], labels: Sequence[str]
) -> Iterator[str]:
    e0 = spectrum.e0_or_none()
    fields = {
        "Element.symbol": spectrum.absorber,
        "Element.edge": spectrum.edge,
        "Sample.name": spectrum.formula,
        "Column.1": "energy eV",
        **{f"Column.{n}": label for n, label in enumerate(labels[1:], start=2)},
        "Cgxas.model": spectrum.model,
        "Cgxas.source": spectrum.source,
        "Cgxas.e0": "" if e0 is None else f"{e0:.6f} eV",
        **{f"Cgxas.multiplicity_{site.site}": str(site.multiplicity) for site in sites},
    }
    for name, value in fields.items():
        if value:  # a line break inside a value would start a line of its own
            yield f"{name}: {' '.join(value.split())}"


def write_parquet(
    spectra: Iterable[Spectrum], path: str | os.PathLike[str], sites: bool = False
) -> None:
    """Write many spectra as one table, a row per spectrum.

    Columns: ``spectrum`` (running number), ``source``, ``formula``, ``absorber``, ``edge``,
    ``model``, ``site`` (first atom of a distinct site; null in the row of the mean),
    ``multiplicity`` (atoms behind the row; null where unknown), ``e0`` in eV (null without an
    edge), ``energy`` in eV, ``norm`` and ``sigma`` (lists; null where the model tells no sigma).

    Args:
        spectra: What to write; may be a generator, only some are held in memory at once.
        path: The ``.parquet`` file; an existing one is replaced.
        sites: Add a row for every distinct site, after the row of its mean.

    Raises:
        OutputError: The file cannot be written there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = check_output(path, TABLE_SUFFIXES)
    text = {name: pa.string() for name in ("source", "formula", "absorber", "edge", "model")}
    whole = {name: pa.int32() for name in ("site", "multiplicity")}
    curves = {name: pa.list_(pa.float64()) for name in ("energy", "norm", "sigma")}
    schema = pa.schema({"spectrum": pa.int64(), **text, **whole, "e0": pa.float64(), **curves})
    rows = (row for n, s in enumerate(spectra) for row in _table_rows(n, s, sites))
    with atomic_path(target) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def _table_rows(number: int, spectrum: Spectrum, sites: bool) -> Iterator[dict[str, Any]]:
    about = {
        "spectrum": number,
        "source": spectrum.source,
        "formula": spectrum.formula,
        "absorber": spectrum.absorber,
        "edge": spectrum.edge,
        "model": spectrum.model,
    }
    atoms = sum(site.multiplicity for site in spectrum.sites) or None
    mean = {"site": None, "multiplicity": atoms, "sigma": spectrum.sigma}
    yield {**about, **mean, **_table_curve(spectrum)}
    for site in spectrum.sites if sites else ():
        numbers = {"site": site.site, "multiplicity": site.multiplicity, "sigma": None}
        yield {**about, **numbers, **_table_curve(site)}


def _table_curve(curve: Spectrum | SiteSpectrum) -> dict[str, Any]:
    return {"e0": curve.e0_or_none(), "energy": curve.energy, "norm": curve.norm}
