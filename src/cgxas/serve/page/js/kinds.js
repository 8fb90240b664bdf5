/** Whether a file is a crystal or a scan: by its name, and else by what it holds. */

const SCANS = /\.(xdi|prj|nxs|h5|hdf5|csv|dat|txt|xmu|mu|nor|chi|xas|ex3|parquet|asc|spec|raw)(\.gz)?$/i;
const CRYSTALS = /(\.(cif|mcif|mmcif|vasp|poscar|xyz|extxyz|exyz|res|ins|shx|cell|cssr|xsf|axsf|gen|cfg|pdb|pwi|pw|pwo|abi|lmp|lammps|lammpstrj|dump|sdf|mol|db|json|inp|feff|in|xml)(\.gz|\.bz2|\.xz)?$)|poscar|contcar|outcar|xdatcar/i;

export function isScan({ name, data }) {
  if (CRYSTALS.test(name)) return false;
  if (SCANS.test(name)) return !holdsCrystal(data);
  return !holdsCrystal(data) && holdsColumns(data);
}

const head = (data) => new TextDecoder().decode(data.slice(0, 20000));
const holdsCrystal = (data) => /^\s*_(cell|atom_site)[_.]/im.test(head(data));

/** Lines of two numbers or more, the first of which rises: energies. */
function holdsColumns(data) {
  const rows = head(data).split(/\r?\n/).map((each) => each.trim().split(/[\s,;]+/).map(Number))
    .filter((row) => row.length > 1 && row.every(Number.isFinite));
  const rising = rows.filter((row, n) => n && row[0] > rows[n - 1][0]).length;
  return rows.length > 20 && rising > 0.9 * (rows.length - 1);
}
