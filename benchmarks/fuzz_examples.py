"""A small good file of every kind that cgxas reads, made here, and the call that reads it."""

import gzip
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Example:
    """A file and its reader.

    Attributes:
        reader: what reads it, as the table names it.
        name: of the file.
        content: its bytes; of a compressed file those inside, which are packed after the change.
        read: the call that takes the path of the file.
        packed: whether the file is compressed by gzip.
    """

    reader: str
    name: str
    content: bytes
    read: Callable[[Path], object]
    packed: bool = False


def crystal(path: Path) -> object:
    """Read a crystal, and choose the cell it is computed in."""
    from cgxas.crystals.structure import standardise

    return standardise(path)


def spectrum(path: Path) -> object:
    """Read and normalise a spectrum."""
    from cgxas.spectra.io.read import read_spectrum

    return read_spectrum(path)


def model(path: Path) -> object:
    """Read a model file."""
    from cgxas.model.checkpoint import load_checkpoint

    return load_checkpoint(path)


def settings(path: Path) -> object:
    """Read the settings of a run."""
    from cgxas.training.settings import RunSettings

    return RunSettings.from_toml(path)


def split(path: Path) -> object:
    """Read a split."""
    from cgxas.data.split import read_saved_split

    return read_saved_split(path)


def pairs(path: Path) -> object:
    """Read a table of spectra and crystals."""
    from cgxas.data.sources.experiments import read_pairs

    return read_pairs(path)


def manifest(path: Path) -> object:
    """Read the manifest of a data set."""
    from cgxas.data.manifest import read_manifest

    return read_manifest(path.parent)


def table(path: Path) -> object:
    """Read a data set, of which one table was changed."""
    from cgxas.data.folder import read_records

    for name, content in TABLES.items():
        if name != path.name:
            (path.parent / name).write_bytes(content)
    return read_records([path.parent])


def document(path: Path) -> object:
    """Read the spectra of a JSON document, as an import does."""
    from cgxas.data.sources.documents import read_documents

    return list(read_documents(path))


def feff(path: Path) -> object:
    """Read a FEFF input, as an import does."""
    from cgxas.data.sources.feff_input import read_input

    return read_input(path)


CIF = """data_rutile
_chemical_formula_sum 'Ti O2'
_cell_formula_units_Z 2
_cell_length_a 4.594(1)
_cell_length_b 4.594(1)
_cell_length_c 2.959
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 42/m n m'
_symmetry_Int_Tables_number 136
loop_
_symmetry_equiv_pos_as_xyz
'x,y,z'
'-x,-y,z'
'-y+1/2,x+1/2,z+1/2'
'y+1/2,-x+1/2,z+1/2'
'-x+1/2,y+1/2,-z+1/2'
'x+1/2,-y+1/2,-z+1/2'
'y,x,-z'
'-y,-x,-z'
'-x,-y,-z'
'x,y,-z'
'y+1/2,-x+1/2,-z+1/2'
'-y+1/2,x+1/2,-z+1/2'
'x+1/2,-y+1/2,z+1/2'
'-x+1/2,y+1/2,z+1/2'
'-y,-x,z'
'y,x,z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ti1 Ti4+ 0 0 0 1
O1 O2- 0.305 0.305 0 1.0
"""

BARE_CIF = """data_salt
_cell_length_a 4.26
_cell_length_b 4.26
_cell_length_c 4.26
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Co 0 0 0
O .5 .5 .5
"""

POSCAR = """rutile
1.0
4.594 0.0 0.0
0.0 4.594 0.0
0.0 0.0 2.959
Ti O
2 4
Direct
0.0 0.0 0.0
0.5 0.5 0.5
0.305 0.305 0.0
0.695 0.695 0.0
0.195 0.805 0.5
0.805 0.195 0.5
"""

XYZ = """4
ammonia
N 0.000 0.000 0.116
H 0.000 0.939 -0.271
H 0.813 -0.469 -0.271
H -0.813 -0.469 -0.271
"""

EXTENDED_XYZ = """2
Lattice="2.995 0 0 0 2.995 0 0 0 2.995" Properties=species:S:1:pos:R:3 pbc="T T T"
Ti 0.0 0.0 0.0
Co 1.4975 1.4975 1.4975
"""

LAMMPS = """rock salt

8 atoms
2 atom types
0.0 4.26 xlo xhi
0.0 4.26 ylo yhi
0.0 4.26 zlo zhi

Masses

1 58.933 # Co
2 15.999 # O

Atoms # atomic

1 1 0.0 0.0 0.0
2 1 0.0 2.13 2.13
3 1 2.13 0.0 2.13
4 1 2.13 2.13 0.0
5 2 2.13 0.0 0.0
6 2 0.0 2.13 0.0
7 2 0.0 0.0 2.13
8 2 2.13 2.13 2.13
"""

ESPRESSO = """&CONTROL
 calculation='scf', pseudo_dir='.'
/
&SYSTEM
 ibrav=1, celldm(1)=5.6598, nat=2, ntyp=2, ecutwfc=30
/
&ELECTRONS
/
ATOMIC_SPECIES
Ti 47.867 Ti.upf
Co 58.933 Co.upf
ATOMIC_POSITIONS crystal
Ti 0.0 0.0 0.0
Co 0.5 0.5 0.5
K_POINTS gamma
"""

FEFF = """TITLE CoO
EDGE K
CONTROL 1 1 1 1 1 1
POTENTIALS
* ipot z tag
0 27 Co
1 27 Co
2 8 O
ATOMS
* x y z ipot tag distance
0.0 0.0 0.0 0 Co 0.0
2.13 0.0 0.0 2 O 2.13
-2.13 0.0 0.0 2 O 2.13
0.0 2.13 0.0 2 O 2.13
0.0 -2.13 0.0 2 O 2.13
0.0 0.0 2.13 2 O 2.13
0.0 0.0 -2.13 2 O 2.13
2.13 2.13 0.0 1 Co 3.01
END
"""

ATOMS = """title CoO
space F m -3 m
a = 4.26
core = Co
edge = K
rmax = 5.0
atoms
! elem x y z tag
Co 0.0 0.0 0.0 Co
O 0.5 0.5 0.5 O
"""

SETTINGS = """name = "little"
[model]
architecture = "cgxas"
hidden = 16
n_modules = 2
[training]
epochs = 3
learning_rate = 1e-3
batch_crystals = 8
[split]
by = "formula"
seed = 1
"""

STRUCTURE = {
    "@module": "pymatgen.core.structure",
    "@class": "Structure",
    "charge": 0,
    "lattice": {"matrix": [[2.995, 0.0, 0.0], [0.0, 2.995, 0.0], [0.0, 0.0, 2.995]]},
    "sites": [
        {"species": [{"element": "Ti", "occu": 1}], "abc": [0.0, 0.0, 0.0], "label": "Ti"},
        {"species": [{"element": "Co", "occu": 1}], "abc": [0.5, 0.5, 0.5], "label": "Co"},
    ],
}


def curve() -> tuple[np.ndarray, np.ndarray]:
    """Return energies (eV) and mu of an iron edge, 100 points."""
    energy = np.concatenate([np.arange(6990, 7100, 6), np.arange(7100, 7140, 0.7)])
    energy = np.concatenate([energy, np.arange(7140, 7400, 10)])
    x = energy - 7120.0
    norm = 0.5 + np.arctan(x / 1.2) / np.pi + 0.4 * np.exp(-((x - 6) ** 2) / 8)
    return energy, 0.3 - 2e-4 * x + 0.8 * norm


ENERGY, MU = curve()


def columns(head: str, *rows: np.ndarray, between: str = " ") -> bytes:
    """Return a text of columns under a header."""
    lines = (between.join(f"{value:.6g}" for value in row) for row in zip(*rows, strict=True))
    return "\n".join([head, *lines, ""]).encode()


def xdi() -> bytes:
    """Return an XDI file of transmission."""
    head = (
        "# XDI/1.0 GSE/1.0\n# Column.1: energy eV\n# Column.2: itrans\n# Column.3: i0\n"
        "# Element.symbol: Fe\n# Element.edge: K\n# Mono.d_spacing: 3.13555\n# ///\n# foil\n"
        "#----\n# energy itrans i0"
    )
    return columns(head, ENERGY, 1e5 * np.exp(-MU), np.full(MU.size, 1e5))


def athena() -> bytes:
    """Return an Athena project of one group."""
    words = {"label": "foil", "bkg_e0": "7120", "bkg_z": "Fe", "fft_edge": "k", "datatype": "xmu"}
    arguments = ",".join(f"'{name}','{value}'" for name, value in words.items())
    energy = ",".join(f"'{value:.3f}'" for value in ENERGY)
    mu = ",".join(f"'{value:.5f}'" for value in MU)
    lines = [
        "# Athena project file -- Demeter version 0.9.26",
        "",
        "$old_group = 'abcd';",
        f"@args = ({arguments});",
        f"@x = ({energy});",
        f"@y = ({mu});",
        "[record]   # ",
        "",
        "@journal = {};",
        "",
        "1;",
        "",
    ]
    return "\n".join(lines).encode()


def nexus() -> bytes:
    """Return an HDF5 file with an NXxas entry."""
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w") as root:
        entry = root.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["definition"] = "NXxas"
        entry["scan/xrayedge/element"] = "Fe"
        entry["scan/xrayedge/edge"] = "K"
        entry["instrument/monochromator/energy"] = ENERGY
        entry["instrument/monochromator/energy"].attrs["units"] = "eV"
        entry["data/absorbed_beam"] = MU
        entry["data/mode"] = "Transmission"
        entry["data/energy"] = h5py.SoftLink("/entry/instrument/monochromator/energy")
    return memory.getvalue()


def angles() -> bytes:
    """Return a 9809 file, as beamlines in Japan write it."""
    angle = np.degrees(np.arcsin(12398.419 / (2 * 3.13551 * ENERGY)))
    head = (
        "  9809     SPring-8   BL01B1\n foil  20.01.01 10:00 - 20.01.01 10:10\n Fe.dat\n"
        " Ring :   8.0 GeV    99.5 mA -   99.4 mA\n"
        " Mono :   Si(111)       D=  3.13551 A    Initial angle= 16.00000 deg\n"
        f" BL01B1    Transmission( 2)   Repetition=  1     Points= {ENERGY.size}\n"
        " Param file : x.prm       energy axis(2)     Block =    1\n\n"
        " Block      Init-Eng  Final-Eng      Step/eV     Time/s       Num\n"
        f"     1        6990.00   7390.00         4.00       1.00       {ENERGY.size}\n"
        " Ortec( 0)     NDCH = 2\n"
        "  Angle(c)  Angle(o)    time/s         1         2\n"
        "      Mode         0         0         1         2\n"
        "    Offset         0         0     0.000     0.000"
    )
    i0 = np.full(MU.size, 1e5)
    return columns(head, angle, angle, np.ones(MU.size), i0, i0 * np.exp(-MU))


def calculated() -> bytes:
    """Return FEFF's xmu.dat."""
    x = ENERGY - 7120.0
    wave = np.sign(x) * np.sqrt(np.abs(x) * 0.2625)
    head = (
        "# Fe bcc                                        Feff9.9.1\n"
        "# Abs   Z=26 Rmt= 1.288 Rnm= 1.435 K  shell\n"
        "#     0/   0 paths used\n#  xsedge+ 50, used to normalize mu           2.5002E-04\n"
        "#  -----------------------------------------------------------------------\n"
        "#  omega    e    k    mu    mu0     chi     @#"
    )
    return columns(head, ENERGY, x, wave, MU, MU - 0.01, np.full(MU.size, 0.01))


def predicted(suffix: str) -> bytes:
    """Return a predicted spectrum as cgxas writes it."""
    from cgxas.spectra.spectrum import SiteSpectrum, Spectrum

    energy = np.linspace(7100.0, 7155.0, 100)
    norm = 0.5 + np.arctan((energy - 7120) / 0.5) / np.pi
    sites = (SiteSpectrum((0, 1), norm, energy),)
    whole = Spectrum(energy, norm, "Fe", sites=sites, formula="FeO", model="m", source="a.cif")
    return saved(whole.save, f"a{suffix}")


def saved(save: Callable[[Path], object], name: str) -> bytes:
    """Return what a call writes to a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        save(path)
        return path.read_bytes()


def small_model() -> bytes:
    """Return a model file of a tiny network with random weights."""
    import torch

    from cgxas.model.cgxas.config import CGXASConfig
    from cgxas.model.cgxas.network import CGXAS
    from cgxas.model.checkpoint import AbsorberCard, Checkpoint
    from cgxas.spectra.xray import WINDOWS

    torch.manual_seed(64)
    config = CGXASConfig(hidden=4, n_modules=1)
    cards = {("Fe", "K"): AbsorberCard(WINDOWS["Fe", "K"], 10)}
    return saved(
        Checkpoint("tiny", config, cards, CGXAS(config).state_dict(), {}).save, "tiny.safetensors"
    )


def tables() -> dict[str, bytes]:
    """Return the two tables of a data set of one crystal."""
    import pyarrow
    import pyarrow.parquet

    rows = {
        "materials.parquet": {
            "material_id": "m0",
            "formula": "TiCo",
            "lattice": [2.995, 0, 0, 0, 2.995, 0, 0, 0, 2.995],
            "species": ["Ti", "Co"],
            "frac_coords": [0.0, 0, 0, 0.5, 0.5, 0.5],
        },
        "spectra.parquet": {
            "spectrum_id": "m0-Co",
            "material_id": "m0",
            "element": "Co",
            "site_index": 1,
            "site_certain": True,
            "energy": (7700.0 + np.arange(60)).tolist(),
            "mu": (0.5 + np.arctan(np.arange(60) - 15) / np.pi).tolist(),
            "theory": "made up",
        },
    }
    found = {}
    for name, row in rows.items():
        memory = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), memory, compression=None)
        found[name] = memory.getvalue()
    return found


def split_file() -> bytes:
    """Return a split of three spectra."""
    import hashlib

    lists = {"train": ["a/1"], "validation": ["a/2"], "test": ["a/3"]}
    digest = hashlib.sha256()
    for part, keys in lists.items():
        digest.update("\n".join([part, *keys, ""]).encode())
    whole = {
        "format": 1,
        "by": "formula",
        "fractions": [0.8, 0.1, 0.1],
        "seed": 0,
        "data": ["a"],
        "data_sha256": "0" * 64,
        "sha256": digest.hexdigest(),
    }
    return json.dumps(whole | lists, indent=1).encode()


def manifest_file() -> bytes:
    """Return a manifest."""
    whole = {
        "format": 1,
        "name": "a",
        "origin": "made up",
        "licence": "MIT",
        "date": "2026-01-01",
        "theories": {"made up": 1},
        "fidelities": {"FEFF9": 1},
        "counts": {"spectra": 1, "materials": 1},
        "elements": {"Co": 1},
        "sha256": {"materials.parquet": "0" * 64, "spectra.parquet": "0" * 64},
        "left_out": {},
    }
    return json.dumps(whole, indent=1).encode()


def rows_of(content: dict) -> bytes:
    """Return JSON in lines, so that whole lines are changed as well."""
    return json.dumps(content, indent=1).encode()


TABLES = tables()
MAGNETITE_ROW = {"structure": STRUCTURE, "absorbing_atom": 1, "element": "Co", "edge": "K"}
DOCUMENT = MAGNETITE_ROW | {
    "energy": (7700.0 + np.arange(60)).tolist(),
    "mu": (0.5 + np.arctan(np.arange(60) - 15) / np.pi).tolist(),
}

EXAMPLES: tuple[Example, ...] = (
    Example("CIF", "rutile.cif", CIF.encode(), crystal),
    Example("CIF", "salt.cif", BARE_CIF.encode(), crystal),
    Example("POSCAR", "POSCAR", POSCAR.encode(), crystal),
    Example("XYZ", "ammonia.xyz", XYZ.encode(), crystal),
    Example("extended XYZ", "alloy.extxyz", EXTENDED_XYZ.encode(), crystal),
    Example("crystal JSON", "alloy.json", rows_of(STRUCTURE), crystal),
    Example(
        "crystal JSON", "mp.json", rows_of({"material_id": "mp-1", "structure": STRUCTURE}), crystal
    ),
    Example("LAMMPS", "salt.lmp", LAMMPS.encode(), crystal),
    Example("Quantum ESPRESSO", "scf.in", ESPRESSO.encode(), crystal),
    Example("FEFF input", "feff.inp", FEFF.encode(), crystal),
    Example("FEFF input", "atoms.inp", ATOMS.encode(), crystal),
    Example("XDI", "foil.xdi", xdi(), spectrum),
    Example("XDI", "written.xdi", predicted(".xdi"), spectrum),
    Example("CSV", "foil.csv", columns("energy,mu", ENERGY, MU, between=","), spectrum),
    Example("CSV", "written.csv", predicted(".csv"), spectrum),
    Example("columns", "foil.dat", columns("# energy mu", ENERGY, MU), spectrum),
    Example("columns", "bare.txt", columns("", ENERGY, MU), spectrum),
    Example("Athena", "plain.prj", athena(), spectrum),
    Example("Athena", "packed.prj", athena(), spectrum, packed=True),
    Example("spectrum JSON", "written.json", predicted(".json"), spectrum),
    Example("NeXus", "foil.nxs", nexus(), spectrum),
    Example("9809", "foil.9809", angles(), spectrum),
    Example("FEFF xmu.dat", "xmu.dat", calculated(), spectrum),
    Example("model file", "tiny.safetensors", small_model(), model),
    Example("settings", "run.toml", SETTINGS.encode(), settings),
    Example("split", "split.json", split_file(), split),
    Example("manifest", "manifest.json", manifest_file(), manifest),
    Example(
        "table of pairs",
        "pairs.csv",
        b"spectrum,crystal,element,shift\na.xdi,a.cif,Fe,0.5\n",
        pairs,
    ),
    Example("data set", "materials.parquet", TABLES["materials.parquet"], table),
    Example("data set", "spectra.parquet", TABLES["spectra.parquet"], table),
    Example("JSON document", "one.json", rows_of(DOCUMENT), document),
    Example("FEFF run", "feff.inp", FEFF.encode(), feff),
)
"""All that is changed; every one of them is read when left as it is."""


def content_of(example: Example, content: bytes) -> bytes:
    """Return what stands in the file."""
    return gzip.compress(content, mtime=0) if example.packed else content
