/** What the user did: one value, kept in the browser so that a reload loses nothing, with undo. */

import { load, keeper } from "./storage.js";

const EMPTY = {
  files: {}, crystals: [], selected: null, absorber: null, site: null,
  scans: [], // { id, visible, isReference, group, ranges }
  scan: null, // id of the one that is normalised, fitted and matched
  reading: {}, // how the files of scans are read: element, edge, energy, mu
  fit: { shift: 0, broaden: 0 }, // numbers in eV, or "fit" for both
  mixing: { by: "references", references: null, axis: "order", column: null, table: null, shift: null, most: null, first: null, last: null, components: null, columns: null },
  match: null, mix: null, // what was asked, as questions.js makes it
  place: 0, // of the scan in the series that is looked at
  view: { relative: false, derivative: false, band: true, sites: true, map: "norm" },
};
const STEPS = 50;
let past = [];
let future = [];
let now = EMPTY;
let listener = () => {};
let keep = () => {};

export const state = () => now;
export const canUndo = () => past.length > 0;
export const canRedo = () => future.length > 0;
export const isEmpty = () => !now.crystals.length && !now.scans.length;
/** A name for a file; only pages of a secure context have the browser's own. */
export const newId = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
/** The scan that is normalised, fitted and matched, or null. */
export const chosenScan = () => now.scans.find((each) => each.id === now.scan) ?? null;

/** Listen to changes, and to whether they could be kept. */
export function onChange(changed, kept) {
  listener = changed;
  keep = keeper(kept);
}

/** Change some of it; what is not worth an undo, such as a slider on its way, says so. */
export function change(patch, { undoable = true } = {}) {
  if (undoable) {
    past = [...past.slice(-STEPS), now];
    future = [];
  }
  now = { ...now, ...patch };
  settle();
}

export function undo() {
  if (!past.length) return;
  future = [now, ...future];
  now = past.at(-1);
  past = past.slice(0, -1);
  settle();
}

export function redo() {
  if (!future.length) return;
  past = [...past, now];
  [now, ...future] = future;
  settle();
}

export const clear = () => change({ ...EMPTY, view: now.view });

function settle() {
  keep(now);
  listener();
}

/** Bring back what was kept. */
export async function restore() {
  const found = await load().catch(() => null);
  if (found) now = { ...EMPTY, ...found, mixing: { ...EMPTY.mixing, ...found.mixing }, view: { ...EMPTY.view, ...found.view } };
}
