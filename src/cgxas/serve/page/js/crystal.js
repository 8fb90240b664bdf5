/** The crystal in three dimensions: atoms, copies on faces and bonds come from the server. */

import { byId } from "./dom.js";

let library = null;
let viewer = null;
let shown = null;
let making = null;

/** The viewer, made once, when the first crystal is there; null in a browser without WebGL. */
function ready() {
  making ??= make();
  return making;
}

async function make() {
  try {
    library ??= await import("../vendor/3Dmol.es6-min.js");
    viewer = library.createViewer(byId("viewer"), { backgroundAlpha: 0, antialias: true });
    if (!viewer) throw new Error("no WebGL");
    byId("viewer").querySelector("canvas")?.setAttribute("aria-hidden", "true");
  } catch {
    viewer = null;
    byId("viewer").textContent = "This browser shows no 3D (WebGL is off); the sites are listed below.";
  }
  return viewer;
}

/** Draw a crystal; `lit` are the caller's sites that light up. */
export async function showCrystal(key, drawn, lit, colours, onAtom) {
  if (!drawn || !(await ready())) return;
  const isNew = shown !== key;
  if (isNew) build(drawn);
  shown = key;
  viewer.setBackgroundColor(colours.paper, 1);
  viewer.setStyle({}, { sphere: { scale: 0.26, colorscheme: "Jmol" }, stick: { radius: 0.1, colorscheme: "Jmol" } });
  const chosen = drawn.sites.flatMap((site, n) => (lit.has(site) ? [n] : []));
  if (chosen.length) {
    viewer.setStyle({ index: chosen }, { sphere: { scale: 0.42, color: colours.lit }, stick: { radius: 0.1, colorscheme: "Jmol" } });
  }
  viewer.setClickable({}, true, (atom) => onAtom(drawn.sites[atom.index]));
  viewer.setHoverable({}, true,
    (atom) => { byId("viewer-hint").textContent = `${atom.elem}, site ${drawn.sites[atom.index]}`; },
    () => {});
  for (const each of byId("element-key").querySelectorAll("i")) each.style.background = colourOf(each.dataset.element);
  if (isNew) {
    viewer.resize();
    viewer.zoomTo();
  }
  viewer.render();
}

/** As the viewer colours an element. */
function colourOf(symbol) {
  const value = library.elementColors.Jmol[symbol] ?? 0xff1493;
  return `#${value.toString(16).padStart(6, "0")}`;
}

export function resize() { viewer?.resize(); }

function build({ lattice, symbols, positions, bonds }) {
  viewer.removeAllModels();
  viewer.removeAllShapes();
  const atoms = symbols.map((elem, index) => ({
    elem, index, serial: index, x: positions[index][0], y: positions[index][1], z: positions[index][2], bonds: [], bondOrder: [],
  }));
  for (const [a, b] of bonds) {
    atoms[a].bonds.push(b);
    atoms[a].bondOrder.push(1);
    atoms[b].bonds.push(a);
    atoms[b].bondOrder.push(1);
  }
  viewer.addModel().addAtoms(atoms);
  const corner = (i, j, k) => [0, 1, 2].map((n) => i * lattice[0][n] + j * lattice[1][n] + k * lattice[2][n]);
  const point = ([x, y, z]) => ({ x, y, z });
  for (const [a, b] of [[0, 1], [0, 2], [0, 4], [1, 3], [1, 5], [2, 3], [2, 6], [3, 7], [4, 5], [4, 6], [5, 7], [6, 7]]) {
    const ends = [a, b].map((n) => point(corner(n & 1, (n >> 1) & 1, n >> 2)));
    viewer.addCylinder({ start: ends[0], end: ends[1], radius: 0.025, color: "#8890a0" });
  }
  viewer.rotate(12, "x");
  viewer.rotate(-18, "y");
}

