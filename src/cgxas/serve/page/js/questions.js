/** What match and mix are asked, and what the server answered: a question is plain, and kept. */

import { ask, form } from "./api.js";
import { crystals, measured, note } from "./model.js";
import { chosenScan, state } from "./state.js";

const MOST_KEPT = 6;
const answers = new Map(); // verb and question -> { value, error, busy }
let tell = () => {};
let waiting = () => {};

export function onAnswer(answered, waits) { tell = answered; waiting = waits; }

/** Which crystals hold the absorber; those not answered yet may. */
const holding = (absorber) => state().crystals.filter(({ id }) => {
  const found = crystals.get(id);
  return !found?.error && (!found?.elements.length || found.elements.includes(absorber));
});

/** What match would be asked now; null where a scan or crystals are missing. */
export function matchQuestion() {
  const scan = chosenScan();
  const found = measured()?.value;
  if (!scan || !found || !state().crystals.length) return null;
  return {
    scan: { id: scan.id, group: scan.group, ranges: scan.ranges },
    reading: state().reading, absorber: found.absorber, crystals: state().crystals.map((each) => each.id),
  };
}

/** The absorber of the scans: the one chosen for them, or that of the scan on the page. */
const scanAbsorber = () => state().reading.element ?? measured()?.value?.absorber ?? null;

/** Crystals that can explain the scans, and whether each is to. */
export function crystalReferences() {
  const { references } = state().mixing;
  return holding(scanAbsorber() ?? state().absorber).map(({ id, visible }) => ({ id, isUsed: references ? references.includes(id) : visible }));
}

export const mixedScans = () => state().scans.filter((each) => !each.isReference);

/** What mix would be asked now; null where there is nothing to explain, or nothing to do it with. */
export function mixQuestion() {
  const now = state();
  const scans = mixedScans().map((each) => each.id);
  const isParted = now.mixing.by === "components";
  const used = isParted ? [] : [
    ...crystalReferences().filter((each) => each.isUsed).map((each) => each.id),
    ...now.scans.filter((each) => each.isReference).map((each) => each.id),
  ];
  if (!scans.length || (!isParted && !used.length) || measured()?.busy) return null; // its absorber is on its way
  const { references: _, by: __, ...how } = now.mixing;
  return { scans, references: used, reading: now.reading, absorber: scanAbsorber(), how };
}

const keyOf = (verb, question) => JSON.stringify([verb, question]);
export const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
export const answerOf = (verb) => (state()[verb] ? answers.get(keyOf(verb, state()[verb])) ?? null : null);

/** Ask what was asked before and is not known, such as after a reload. */
export function sync() {
  for (const verb of ["match", "mix"]) if (state()[verb] && !answerOf(verb)) answer(verb, state()[verb]);
}

async function answer(verb, question) {
  const key = keyOf(verb, question);
  const found = { busy: true };
  answers.set(key, found);
  try {
    found.value = await (await request(verb, question)).json();
  } catch (error) {
    found.error = note(error);
  }
  found.busy = false;
  for (const old of [...answers.keys()].slice(0, -MOST_KEPT)) if (!answers.get(old).busy) answers.delete(old);
  tell();
}

/** Ask again after an error; an answer that is there stays. */
export function forget(verb) {
  if (answerOf(verb)?.error) answers.delete(keyOf(verb, state()[verb]));
}

/** Ask the server; with a format, for the table or figure of it. */
export function request(verb, question, format = null) {
  const { files } = state();
  const { reading, absorber } = question;
  if (verb === "match") {
    const { id, group, ranges } = question.scan;
    const sent = [["scan", files[id]], ...question.crystals.map((each) => ["crystals", files[each]])];
    return ask("match", form(sent, { ...reading, absorber, group, ranges, format }), waiting);
  }
  const { table, axis, column, ...how } = question.how;
  const { element: _, ...read } = reading;
  const sent = [...question.scans.map((each) => ["scans", files[each]]), ...question.references.map((each) => ["references", files[each]])];
  if (axis === "table" && table) sent.push(["axis_table", files[table]]);
  const along = axis === "table" || axis === "column" ? column : axis;
  return ask("mix", form(sent, { ...read, ...how, absorber, axis: along, format }), waiting);
}
