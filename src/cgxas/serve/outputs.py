"""Answers as files: spectra in the formats that the library writes, figures, one zip of all."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cgxas.errors import OutputError
from cgxas.matching.found import Matches
from cgxas.mixing.mixture import Mixture
from cgxas.serve.files import lent_folder
from cgxas.serve.jobs import Found
from cgxas.spectra.io.formats import table_suffixes
from cgxas.spectra.measurement import Measurement
from cgxas.spectra.spectrum import Spectrum

MEDIA_TYPES = {
    "xdi": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "prj": "application/octet-stream",
    "nxs": "application/x-hdf5",
    "parquet": "application/vnd.apache.parquet",
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
"""What can be asked for, and how it is sent."""

FIGURES = ("png", "svg", "pdf")
_IN_ZIP = ("xdi", "csv", "json", "svg", "png")


def predicted_file(spectra: Sequence[Spectrum], wanted: str) -> Found:
    """Return spectra as one file; several in a format that holds one as a zip of them.

    Args:
        spectra: what to write.
        wanted: one of `MEDIA_TYPES`.

    Raises:
        OutputError: there are too many for a figure.
        MissingExtra: a library that writes such files is not installed.
    """
    stem = _stems(spectra)[0] if len(spectra) == 1 else "cgxas"
    with lent_folder() as folder:
        if wanted == "zip":
            files = _every_file(spectra, folder)
        elif wanted in FIGURES or f".{wanted}" in table_suffixes():
            files = [_one_file(spectra, folder / f"{stem}.{wanted}")]
        else:
            files = [
                _one_file([each], folder / f"{name}.{wanted}")
                for each, name in zip(spectra, _stems(spectra), strict=True)
            ]
        if wanted == "zip" or len(files) > 1:
            return _found(_zipped(files), f"{stem}.zip")
        return _found(files[0].read_bytes(), files[0].name)


def measured_file(measured: Measurement, wanted: str) -> Found:
    """Return a normalised measurement as a file.

    Args:
        measured: what to write.
        wanted: "xdi", "csv", "prj", "nxs" or "parquet".

    Raises:
        OutputError: it is asked for as a figure or a zip.
        MissingExtra: a library that writes such files is not installed.
    """
    if wanted in FIGURES or wanted == "zip":
        raise OutputError(
            f"a measurement is written as xdi, csv, prj, nxs or parquet, not {wanted}"
        )
    with lent_folder() as folder:
        path = folder / f"{_plain(measured.source)}_norm.{wanted}"
        measured.save(path)
        return _found(path.read_bytes(), path.name)


def matches_file(found: Matches, wanted: str) -> Found:
    """Return ranked crystals as a table, or the first of them as a figure.

    Args:
        found: what to write.
        wanted: "csv", "parquet", or one of `FIGURES`.

    Raises:
        MissingExtra: a library that writes such files is not installed.
    """
    with lent_folder() as folder:
        path = folder / f"{_plain(found.measured.source)}_match.{wanted}"
        if wanted in FIGURES:
            found.save_figure(path)
        else:
            found.save(path)
        return _found(path.read_bytes(), path.name)


def mixture_file(found: Mixture, wanted: str) -> Found:
    """Return fractions as a table or as a figure; arguments and errors as of `matches_file`."""
    from cgxas.figures.style import write_figure

    with lent_folder() as folder:
        path = folder / f"{found.element}_mix.{wanted}"
        if wanted in FIGURES:
            write_figure(found.plot, path)
        else:
            found.save(path)
        return _found(path.read_bytes(), path.name)


def _one_file(spectra: Sequence[Spectrum], path: Path) -> Path:
    if path.suffix[1:] in FIGURES:
        from cgxas.figures import save_figure

        save_figure(spectra, path)
    elif path.suffix in table_suffixes():
        from cgxas.spectra.io.write import write_spectra

        write_spectra(spectra, path, sites=True)
    else:
        spectra[0].save(path, sites=len(spectra[0].sites) > 1)
    return path


def _every_file(spectra: Sequence[Spectrum], folder: Path) -> list[Path]:
    files = [
        _one_file([each], folder / f"{name}.{suffix}")
        for each, name in zip(spectra, _stems(spectra), strict=True)
        for suffix in _IN_ZIP
    ]
    return [*files, _one_file(spectra, folder / "all.prj")]


def _stems(spectra: Sequence[Spectrum]) -> list[str]:
    """Return a name for each, none twice."""
    names: list[str] = []
    for each in spectra:
        name = f"{_plain(each.source)}_{each.absorber}"
        while name in names:
            name += "_2"
        names.append(name)
    return names


def _plain(source: str) -> str:
    """Return the name of a file, without suffix and without signs that some system minds."""
    stem = PurePosixPath(source).stem
    text = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in stem)
    return text.strip("._")[:60] or "crystal"


def _zipped(files: Sequence[Path]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.name)
    return buffer.getvalue()


def _found(data: bytes, name: str) -> Found:
    kind = MEDIA_TYPES.get(name.rpartition(".")[2], "text/plain")
    return Found(data=data, name=name, media_type=kind)
