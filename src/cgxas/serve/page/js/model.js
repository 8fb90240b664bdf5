/** What the server answered to what the user did: asked once, kept, and asked anew where needed. */

import { ask, form, json } from "./api.js";
import { chosenScan, state } from "./state.js";

export const crystals = new Map(); // id of a file -> { spectra, elements, drawn, formula, error, busy }
export const scans = new Map(); // file and how it is read -> { value, error, busy }
export const overlays = new Map(); // what is compared -> { value, error, busy }
let tell = () => {};
let waiting = () => {};
let told = null;

/** Why the server itself is not to be had, in one sentence; null where it answers. */
export const trouble = () => told;

/** Keep an error of the server's apart from those of files, which are told beside them. */
export function note(error) {
  if (error.status === 0 || error.status === 401 || error.status >= 500) told = error.message;
  return error.message;
}

export function onAnswer(answered, waits) { tell = answered; waiting = waits; }

/** Ask for whatever is shown and not known yet. */
export function sync() {
  const now = state();
  for (const { id } of now.crystals) predict(id, now.absorber);
  for (const scan of now.scans) if (scan.visible || scan.id === now.scan) measure(scan);
  const pair = compared();
  if (pair) overlay(pair);
}

/** Everything of a crystal that a picture needs, or null. */
export const spectrumOf = (id, absorber) => crystals.get(id)?.spectra[absorber] ?? null;

/** How a scan is read: as all are, with a group and ranges of its own. */
export const optionsOf = (scan) => ({ ...state().reading, group: scan.group, ranges: scan.ranges });
const scanKey = (scan) => JSON.stringify([scan.id, optionsOf(scan)]);
export const measuredOf = (scan) => (scan ? scans.get(scanKey(scan)) ?? null : null);
export const measured = () => measuredOf(chosenScan());
export const shownOverlay = () => {
  const pair = compared();
  return pair ? overlays.get(pair.key) ?? null : null;
};

async function predict(id, absorber) {
  const known = crystals.get(id) ?? { spectra: {}, elements: [], asked: new Set() };
  crystals.set(id, known);
  const wanted = absorber && (!known.elements.length || known.elements.includes(absorber)) ? absorber : "all";
  if (known.asked.has(wanted) || known.asked.has("all")) return;
  known.asked.add(wanted);
  known.busy = true;
  try {
    const body = form([["crystals", state().files[id]]], { absorber: wanted });
    const answer = await (await ask("predict", body, waiting)).json();
    for (const each of answer.spectra) known.spectra[each.absorber] = each;
    Object.assign(known, answer.crystals[0], { error: null });
  } catch (error) {
    if (error.kind === "AbsorberNotInCrystal" && wanted !== "all") {
      await predict(id, null);
    } else {
      known.error = note(error);
    }
  }
  known.busy = false;
  tell();
}

async function measure(scan) {
  const key = scanKey(scan);
  if (scans.has(key)) return;
  const found = { busy: true };
  scans.set(key, found);
  try {
    const body = form([["scan", state().files[scan.id]]], optionsOf(scan));
    found.value = await (await ask("measure", body, waiting)).json();
  } catch (error) {
    found.error = note(error);
  }
  found.busy = false;
  tell();
}

function compared() {
  const now = state();
  const scan = measured()?.value;
  const predicted = spectrumOf(now.selected, now.absorber);
  if (!scan || !predicted || scan.absorber !== predicted.absorber || scan.edge !== predicted.edge) return null;
  const key = JSON.stringify([now.selected, now.absorber, scanKey(chosenScan()), now.fit]);
  return { key, scan, predicted, fit: now.fit };
}

const curve = ({ absorber, edge, energy, norm, flat, energy_shift }) => ({ absorber, edge, energy, norm, flat, energy_shift });

function request({ scan, predicted, fit }) {
  const { flat: _, energy_shift: __, ...own } = curve(predicted);
  const measuredCurve = Object.fromEntries(Object.entries(curve(scan)).filter(([, value]) => value !== null));
  return json({ predicted: own, measured: measuredCurve, shift: fit.shift, broaden: fit.broaden });
}

let running = false;

/** One request at a time: of a slider on its way only the last place matters. */
async function overlay(pair) {
  if (running || overlays.has(pair.key)) return;
  running = true;
  const found = {};
  try {
    found.value = await (await ask("compare", request(pair), waiting)).json();
  } catch (error) {
    found.error = note(error);
  }
  if (overlays.size > 200) overlays.clear();
  overlays.set(pair.key, found);
  running = false;
  tell();
}

export const isFitted = () => state().fit.shift === "fit";

/** Shift and widths in eV as they are shown; null while a fit is on its way. */
export function fitValues() {
  const { fit } = state();
  if (!isFitted()) return { ...fit, lorentzian: 0 };
  const after = shownOverlay()?.value?.after;
  return after ? { shift: after.shift, broaden: after.gaussian, lorentzian: after.lorentzian } : null;
}
