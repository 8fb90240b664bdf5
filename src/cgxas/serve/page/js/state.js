/** What the user did: one value, kept in the browser so that a reload loses nothing, with undo. */

const EMPTY = {
  files: {}, crystals: [], selected: null, absorber: null, site: null, scan: null,
  fit: { shift: 0, broaden: 0 }, // numbers in eV, or "fit" for both
  view: { relative: false, derivative: false, band: true, sites: true },
};
const STEPS = 50;
let past = [];
let future = [];
let now = EMPTY;
let listener = () => {};
let saving = Promise.resolve();

export const state = () => now;
export const canUndo = () => past.length > 0;
export const canRedo = () => future.length > 0;
export const onChange = (f) => { listener = f; };

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
  const kept = now;
  saving = saving.then(() => keep(kept)).catch(() => {}); // a private window may refuse to keep it
  listener();
}

/** Bring back what was kept. */
export async function restore() {
  const found = await store("readonly", (shelf) => shelf.get("state")).catch(() => null);
  if (found) now = { ...EMPTY, ...found, view: { ...EMPTY.view, ...found.view } };
}

const keep = (value) => store("readwrite", (shelf) => shelf.put(value, "state"));

function store(mode, action) {
  return new Promise((done, fail) => {
    const opening = indexedDB.open("cgxas", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("page");
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const request = action(database.transaction("page", mode).objectStore("page"));
      request.onsuccess = () => { done(request.result); database.close(); };
      request.onerror = () => { fail(request.error); database.close(); };
    };
  });
}
