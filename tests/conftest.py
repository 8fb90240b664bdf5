"""What several test files need."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from cgxas.spectra.spectrum import SiteSpectrum, Spectrum

BESIDE_THE_REPOSITORY = Path(__file__).parents[2] / "shared"


def pytest_terminal_summary(terminalreporter) -> None:
    """Print how far each stage is from the reference values of tests/golden."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for kind, value in report.user_properties if report.when == "call" else ():
            if kind == "deviation":
                stage, precision, apart, allowed = value
                before, _ = found.setdefault(stage, {}).get(precision, (0.0, allowed))
                found[stage][precision] = max(before, apart), allowed
    if not found:
        return
    terminalreporter.section("largest deviation from the reference values")
    width = max(map(len, found))
    head = f"{'float64':>9} {'allowed':>9}  {'float32':>9} {'allowed':>9}"
    terminalreporter.write_line(f"{'stage':{width}}  {head}")
    for stage in sorted(found):
        cells = [found[stage].get(precision) for precision in ("float64", "float32")]
        words = [f"{c[0]:9.1e} {c[1]:9.0e}" if c else f"{'-':>9} {'-':>9}" for c in cells]
        terminalreporter.write_line(f"{stage:{width}}  {'  '.join(words)}")


@pytest.fixture(scope="session", autouse=True)
def _compiled_data_sets(tmp_path_factory) -> Iterator[None]:
    """Keep compiled data sets out of the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CGXAS_CACHE", str(tmp_path_factory.mktemp("compiled")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data sets, which is not part of the repository."""
    folder = Path(os.environ.get("CGXAS_SHARED", BESIDE_THE_REPOSITORY))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder}; set CGXAS_SHARED to their folder")
    return folder


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of values computed with the paper authors' own code."""
    return Path(__file__).parent / "golden" / "data"


@pytest.fixture
def spectrum() -> Spectrum:
    """Fe2O3 with two distinct sites, four atoms and one; the edges lie at 7120 and 7122 eV."""
    energy = np.linspace(7100.0, 7155.0, 100)

    def mu(e0: float) -> np.ndarray:
        step = 0.5 + np.arctan((energy - e0) / 0.5) / np.pi
        return step + 0.6 * np.exp(-((energy - e0 - 6.0) ** 2) / 8.0)

    sites = (
        SiteSpectrum((4, 5, 6, 7), mu(7120.0), energy),
        SiteSpectrum((9,), mu(7122.0), energy),
    )
    mean = (4 * sites[0].norm + sites[1].norm) / 5
    return Spectrum(energy, mean, "Fe", sites=sites, formula="Fe2O3", model="m1", source="a.cif")


@pytest.fixture(scope="session")
def scanned() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Makes a measured spectrum: a step of 0.8 with a white line on a falling background."""

    def make(
        e0: float = 7120.0, before: float = 100.0, after: float = 400.0, noise: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        near = np.arange(-min(before, 20.0), min(after, 60.0), 0.5)
        far = np.concatenate([np.arange(-before, near[0], 4.0), near, np.arange(60.0, after, 3.0)])
        x = np.unique(far)
        norm = 0.5 + np.arctan(x / 0.7) / np.pi + 0.5 * np.exp(-((x - 5.0) ** 2) / 8.0)
        mu = 0.3 - 2e-4 * x + 0.8 * norm
        return e0 + x, mu + noise * np.random.default_rng(64).normal(size=x.size)

    return make


@pytest.fixture(scope="session")
def random_model(tmp_path_factory) -> Path:
    """A small model file with random weights; its spectra have an edge, but mean nothing."""
    import torch

    from cgxas.model.architecture import Targets
    from cgxas.model.cgxas.config import CGXASConfig
    from cgxas.model.cgxas.network import CGXAS
    from cgxas.model.checkpoint import Checkpoint
    from cgxas.model.description import AbsorberCard
    from cgxas.spectra.xray import WINDOWS

    config = CGXASConfig(hidden=16, n_modules=2)
    random = torch.Generator().manual_seed(64)
    network = CGXAS(config)
    for name, tensor in network.state_dict().items():
        if name.endswith(("running_var", "norm.weight")):
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=random))
        elif tensor.is_floating_point():
            width = tensor.shape[-1] if tensor.ndim == 2 else 16
            tensor.copy_(torch.randn(tensor.shape, generator=random) / width**0.5)
    x = torch.linspace(-15.0, 40.0, config.n_outputs)
    mean = 0.5 + torch.atan(x) / torch.pi + 0.5 * torch.exp(-((x - 6.0) ** 2) / 8.0)
    norm = mean + torch.tensor([[-0.02], [0.02]])
    network.start_from(Targets(norm, torch.ones_like(norm), torch.tensor([26, 22])))
    cards = {key: AbsorberCard(grid, 1000) for key, grid in WINDOWS.items()}
    cards["Fe", "K"] = AbsorberCard(WINDOWS["Fe", "K"], 2345, 321, 0.0123, 0.987)
    cards["Tc", "K"] = AbsorberCard(WINDOWS["Tc", "K"], 12)
    cards["I", "K"] = AbsorberCard(WINDOWS["I", "K"], 0)
    provenance = {"data": {"folder": "made up", "sha256": "0" * 64}, "command": "none"}
    path = tmp_path_factory.mktemp("models") / "random.safetensors"
    Checkpoint("random", config, cards, network.state_dict(), provenance).save(path)
    return path


@pytest.fixture(scope="session")
def rewrite_model() -> Callable[..., None]:
    """Copies a model file, with its description and tensors changed."""
    import json

    from safetensors import safe_open
    from safetensors.torch import save_file

    from cgxas.model.checkpoint import _divided
    from cgxas.model.container import tensors_hash
    from cgxas.model.description import description_hash

    def rewrite(source: Path, target: Path, change, rehash: bool = True) -> None:
        """Change a description and tensors in place; the hashes are right unless told otherwise."""
        with safe_open(source, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            description = json.loads(file.metadata()["cgxas"])
        change(description, tensors)
        version = description.get("format")
        if rehash and (not isinstance(version, int) or version >= 4):
            names = ("calibration", "trust", "scattering")
            parts = [part for part in names if description.get(part)]
            state, own = _divided(tensors, parts)
            if "parent" not in description:
                description["network_sha256"] = tensors_hash(state)
            description |= {f"{part}_sha256": tensors_hash(own[part]) for part in parts}
            description["sha256"] = description_hash(description)
        save_file(tensors, target, metadata={"cgxas": json.dumps(description)})

    return rewrite


@pytest.fixture(scope="session")
def oxides(tmp_path_factory) -> Path:
    """A data set of nine rock salts, MgO, FeO and NiO in three sizes: two spectra of each."""
    import pyarrow
    import pyarrow.parquet

    places = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    places += [[0.5 + x, y, z] for x, y, z in places]
    first = {"Mg": 1290.0, "Fe": 7100.0, "Ni": 8320.0, "O": 526.0}
    materials, spectra = [], []
    for n in range(9):
        metal, a = ("Mg", "Fe", "Ni")[n % 3], 4.1 + 0.05 * n
        materials.append(
            {
                "material_id": f"m{n}",
                "formula": f"{metal}O",
                "lattice": (np.eye(3) * a).tolist(),
                "species": [metal] * 4 + ["O"] * 4,
                "frac_coords": places,
            }
        )
        for element, site in ((metal, 2), ("O", 5)):
            energy = first[element] + np.arange(60)
            spectra.append(
                {
                    "spectrum_id": f"m{n}-{element}",
                    "material_id": f"m{n}",
                    "element": element,
                    "site_index": site,
                    "site_certain": True,
                    "energy": energy.tolist(),
                    "mu": (0.5 + np.arctan(np.arange(60) - 15.0 - n / 4) / np.pi).tolist(),
                    "theory": "made up",
                }
            )
    folder = tmp_path_factory.mktemp("data") / "oxides"
    folder.mkdir()
    for name, rows in (("materials", materials), ("spectra", spectra)):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="session")
def write_salts() -> Callable[..., Path]:
    """Writes a data set of rock salts, each of its own size and formula, whose edges follow it.

    Every crystal has an iron and an oxygen spectrum of each theory; those of a theory lie 3 eV
    above those of the one before.
    """
    import pyarrow
    import pyarrow.parquet

    places = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    places += [[0.5 + x, y, z] for x, y, z in places]

    def write(folder: Path, numbers: Sequence[int] = range(10), theories=("FEFF 9.9.1",)) -> Path:
        materials = [
            {
                "material_id": f"m{n}",
                "formula": f"X{n}",
                "lattice": (np.eye(3) * (4 + 0.1 * n)).tolist(),
                "species": ["Fe"] * 4 + ["O"] * 4,
                "frac_coords": places,
            }
            for n in numbers
        ]
        spectra = [
            {
                "spectrum_id": f"m{n}-{element}-{which}",
                "material_id": f"m{n}",
                "element": element,
                "site_index": site,
                "site_certain": True,
                "energy": (first + np.arange(60)).tolist(),
                "mu": (0.5 + np.arctan(np.arange(60) - 15 - n / 3 - 3 * which) / np.pi).tolist(),
                "theory": theory,
            }
            for n in numbers
            for which, theory in enumerate(theories)
            for element, site, first in (("Fe", 2, 7110.0), ("O", 5, 525.0))
        ]
        folder.mkdir(parents=True)
        for name, rows in (("materials", materials), ("spectra", spectra)):
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{name}.parquet")
        return folder

    return write


@pytest.fixture(scope="session")
def salts(tmp_path_factory, write_salts) -> Path:
    """A data set of ten rock salts with two spectra each."""
    return write_salts(tmp_path_factory.mktemp("data") / "salts")


@pytest.fixture
def finished_run(tmp_path, random_model, oxides) -> Callable[..., Path]:
    """Lays down the folder of a run that came to its end, with made-up results on the oxides."""
    from dataclasses import replace

    from cgxas.evaluation.tested import TestedSpectra
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.training.folder import RunFolder

    def lay_down(
        name: str,
        kind: str = "universal",
        element: str | None = None,
        split_by: str = "formula",
        error: float = 0.01,
        data: Path = oxides,
    ) -> Path:
        run = RunFolder(
            path=tmp_path / "runs" / name,
            name=name,
            kind=kind,
            element=element,
            split_by=split_by,
            split_sha256="ab" * 32,
            data=(data,),
            data_sha256="cd" * 32,
            command=f"cgxas train {name}.toml",
            environment={"torch": "2.6", "device": "<CPU>"},
        )
        run.path.mkdir(parents=True)
        run.save()
        replace(load_checkpoint(random_model), name=name).save(run.model)
        (run.path / "log.csv").write_text(
            "epoch,train_loss,validation_rse,learning_rate,seconds,spectra_per_second\n"
            "1,0.5,0.2,0.001,3,100\n2,0.1,0.05,0.001,3,100\n3,0.05,0.04,0.0001,3,100\n"
        )
        names = [f"m{n}-{e}" for n in range(9) for e in (("Mg", "Fe", "Ni")[n % 3], "O")]
        names = [each for each in names if element in (None, each.split("-")[1])]
        size = len(names)
        energy = np.tile(np.linspace(0.0, 55.0, 100), (size, 1))
        target = 0.5 + np.arctan(energy - 15) / np.pi
        target[0, 60:] = np.nan
        rse = error * 1.3 ** np.arange(size)
        TestedSpectra(
            key=np.array([f"oxides/{each}" for each in names]),
            element=np.array([each.split("-")[1] for each in names]),
            fidelity=np.full(size, "FEFF9"),
            formula=np.full(size, "MO"),
            energy=energy,
            target=target,
            predicted=target + 0.1,
            rse=rse,
            pcc=1 - rse,
            half_step_error=np.where(np.arange(size) == 1, np.nan, 0.5),
        ).write(run.path / "test.parquet")
        return run.path

    return lay_down


@pytest.fixture(scope="session")
def measured_folder(tmp_path_factory) -> Path:
    """Ten Fe and eight Ti rock salts; the wider the cell, the later the edge, by up to 5 eV."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cgxas.spectra.xray import WINDOWS

    folder = tmp_path_factory.mktemp("data") / "measured"
    folder.mkdir()
    crystals, spectra = [], []
    for element, anions in (("Fe", "OSNCF" * 2), ("Ti", "OSNCFPBH")):
        for n, anion in enumerate(anions):
            a, name = 2.0 + 0.12 * n, f"{element}{anion}{n}"
            crystals.append(
                {
                    "material_id": name,
                    "formula": name,
                    "lattice": [0, a, a, a, 0, a, a, a, 0],
                    "species": [element, anion],
                    "frac_coords": [0, 0, 0, 0.5, 0.5, 0.5],
                }
            )
            start = WINDOWS[element, "K"].e_min
            energy = np.arange(start - 40, start + 120, 0.5)
            x = energy - start - 12 - 0.6 * n
            mu = 0.5 + np.arctan(x / 1.5) / np.pi + 0.3 * np.exp(-((x - 6) ** 2) / 8)
            for scan in range(1 + n % 2):
                spectra.append(
                    {
                        "spectrum_id": f"{name}-{scan}",
                        "material_id": name,
                        "element": element,
                        "site_index": 0,
                        "site_certain": True,
                        "energy": energy.tolist(),
                        "mu": mu.tolist(),
                        "theory": "experiment",
                        "source": "bench",
                    }
                )
    pq.write_table(pa.Table.from_pylist(crystals), folder / "materials.parquet")
    pq.write_table(pa.Table.from_pylist(spectra), folder / "spectra.parquet")
    return folder


@pytest.fixture(scope="session")
def calibrated_model(tmp_path_factory, measured_folder, random_model) -> Path:
    """The random model calibrated to the measured rock salts; Ti answers 8 eV below its window."""
    from dataclasses import replace

    from cgxas.calibration.gaussian import fit_gaussian
    from cgxas.calibration.measured import read_compounds
    from cgxas.model.checkpoint import load_checkpoint
    from cgxas.model.description import AbsorberCard
    from cgxas.spectra.spectrum import EnergyGrid

    parent = load_checkpoint(random_model)
    compounds = read_compounds([measured_folder], parent)
    own = {element: parent.elements[element].grid for element in ("Fe", "Ti")}
    lower = EnergyGrid(own["Ti"].e_min - 8, own["Ti"].e_max - 8, own["Ti"].n_points)
    cards = {
        ("Fe", "K"): AbsorberCard(
            own["Fe"], 15, 10, 0.02, test_half_step_error=0.7, simulated=own["Fe"]
        ),
        ("Ti", "K"): AbsorberCard(lower, 9, 6, 0.03, test_half_step_error=0.9, simulated=own["Ti"]),
    }
    calibration = fit_gaussian(compounds, np.arange(len(compounds)))
    path = tmp_path_factory.mktemp("models") / "measured.safetensors"
    replace(parent, name="measured", cards=cards, calibration=calibration).save(path)
    return path


@pytest.fixture(scope="session")
def scattered(calibrated_model, tmp_path_factory) -> Path:
    """The calibrated model, had the measured edges lain twice as far from what it expects."""
    from dataclasses import replace

    from cgxas.model.checkpoint import load_checkpoint

    found = load_checkpoint(calibrated_model)
    wider = replace(found.calibration, offset_unit=2 * found.calibration.offset_unit)
    path = tmp_path_factory.mktemp("models") / "scattered.safetensors"
    replace(found, calibration=wider).save(path)
    return path
