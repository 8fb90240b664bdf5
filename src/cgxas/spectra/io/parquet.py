"""Parquet: one table of any number of spectra, a row per spectrum; other tables are read too."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from cgxas.errors import MissingExtra
from cgxas.spectra.io.base import Curve, Format
from cgxas.spectra.io.facts import distinct_sites, edges
from cgxas.spectra.io.parquet_read import FORMAT_NAME, read_all, read_one
from cgxas.spectra.spectrum import SiteSpectrum, Spectrum
from cgxas.spectra.trust import Trust

ROWS_AT_ONCE = 1024
"""Rows held in memory while a table is written."""

_TEXTS = ("source", "formula", "absorber", "edge", "model", "disorder")
_TRUST_NUMBERS = ("trust_distance", "trust_expected_rse")
_MAGIC = b"PAR1"


def _need_pyarrow() -> None:
    MissingExtra.refuse_without("pyarrow", "pyarrow", "data")


def _write(path: Path, curves: Iterable[Curve], sites: bool) -> None:
    """Write a row per spectrum, and one per distinct site after the row of its mean if wanted.

    Columns: ``spectrum`` (running number), ``source``, ``formula``, ``absorber``, ``edge``,
    ``model``, ``disorder`` (what stands for a disordered crystal), ``site`` (first atom of a
    distinct site; null in the row of the mean), ``multiplicity`` (sites behind the row),
    ``occupancy`` (how much of them the absorber takes; both null where unknown), ``e0`` and
    ``half_step`` in eV (null without an edge), ``trust`` (seen, near, far), ``trust_nearest``,
    ``trust_distance``, ``trust_expected_rse``, ``trust_reason`` (null where the model tells none),
    ``energy`` in eV, ``norm`` and ``sigma`` (lists; null where the model tells no sigma). Of a
    measurement the normalised curve is written, and its label as formula.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = {name: pa.string() for name in _TEXTS}
    whole = {name: pa.int32() for name in ("site", "multiplicity")}
    marks = {name: pa.float64() for name in ("occupancy", "e0", "half_step")}
    trust = {n: pa.float64() if n in _TRUST_NUMBERS else pa.string() for n in Trust("near").facts}
    lists = {name: pa.list_(pa.float64()) for name in ("energy", "norm", "sigma")}
    schema = pa.schema({"spectrum": pa.int64(), **text, **whole, **marks, **trust, **lists})
    spectra = (each if isinstance(each, Spectrum) else each.to_spectrum() for each in curves)
    rows = (row for n, each in enumerate(spectra) for row in _rows(n, each, sites))
    with pq.ParquetWriter(path, schema) as writer:
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def _rows(number: int, spectrum: Spectrum, sites: bool) -> Iterator[dict[str, Any]]:
    trust = {} if spectrum.trust is None else spectrum.trust.facts
    about = {"spectrum": number, **{name: getattr(spectrum, name) for name in _TEXTS}, **trust}
    n_sites = sum(site.multiplicity for site in spectrum.sites) or None
    share = spectrum.n_atoms / n_sites if n_sites else None
    mean = {"site": None, "multiplicity": n_sites, "occupancy": share, "sigma": spectrum.sigma}
    yield {**about, **mean, **_curve(spectrum)}
    for site in distinct_sites(spectrum, sites):
        numbers = {"site": site.site, "multiplicity": site.multiplicity}
        yield {**about, **numbers, "occupancy": site.occupancy, "sigma": None, **_curve(site)}


def _curve(curve: Spectrum | SiteSpectrum) -> dict[str, Any]:
    return {**edges(curve), "energy": curve.energy, "norm": curve.norm}


FORMAT = Format(
    name=FORMAT_NAME,
    suffixes=(".parquet",),
    recognises=lambda path, head: path.suffix.lower() == ".parquet" or head.startswith(_MAGIC),
    read=read_one,
    read_all=read_all,
    write_many=_write,
    prepare=_need_pyarrow,
    has_groups=True,
    has_columns=True,
)
