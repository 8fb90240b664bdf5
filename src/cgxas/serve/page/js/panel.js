/** What the cards of match and mix have in common: a button that asks, and what came of it. */

import { byId, fill, h } from "./dom.js";
import { answerOf, forget, isSame, request } from "./questions.js";
import { saveAnswer, saveButtons, savePng, saveSvg } from "./save.js";
import { change, state } from "./state.js";

const FEW = 4;
const last = {}; // verb -> what was answered last, shown faintly while the next is on its way

/** The elements of a card: what is asked above, what came of it below. */
export function card(verb, how, found) {
  fill(byId(verb),
    h("p", { class: "hint", id: `${verb}-told` }),
    ...how,
    h("div", { class: "row asks" },
      h("button", { id: `${verb}-button`, type: "button", class: "primary" }),
      h("span", { id: `${verb}-status`, class: "hint", role: "status" })),
    h("p", { id: `${verb}-error`, role: "alert" }),
    h("div", { id: `${verb}-found`, hidden: true }, ...found, h("div", { class: "row", id: `${verb}-saves` })));
}

/** Bring the button up to date; return the answer to show, or null. */
export function asked(verb, question, words) {
  const found = answerOf(verb);
  const isNew = !isSame(question, state()[verb]);
  const button = byId(`${verb}-button`);
  button.onclick = () => { forget(verb); change({ [verb]: question, place: 0 }); };
  button.disabled = !question || found?.busy || (!isNew && Boolean(found?.value));
  button.textContent = found && isNew ? words.again : words.first;
  byId(`${verb}-status`).textContent = found?.busy ? words.busy : found?.value && isNew ? "Something has changed since." : "";
  byId(`${verb}-error`).textContent = found?.error ?? "";
  byId(`${verb}-error`).className = found?.error ? "error" : "";
  if (found?.value) last[verb] = found.value;
  const value = found?.value ?? (found?.busy ? last[verb] : null) ?? null;
  byId(`${verb}-found`).hidden = !value;
  byId(`${verb}-found`).classList.toggle("busy", !found?.value);
  return value;
}

/** Buttons for the figure as it is seen, and for the table as the server writes it. */
export function saves(verb, figure, onError) {
  const table = (format) => async () => saveAnswer(await request(verb, state()[verb], format === "json" ? null : format), `${verb}.${format}`);
  fill(byId(`${verb}-saves`), ...saveButtons({
    PNG: () => savePng(figure(), verb), SVG: () => saveSvg(figure(), verb),
    CSV: table("csv"), Parquet: table("parquet"), JSON: table("json"),
  }, onError));
}

/** A choice among words: { value: text }. */
export const select = (id, words, onPick) => h("select", { id, onchange: (event) => onPick(event.target.value) }, ...Object.entries(words).map(([value, text]) => h("option", { value }, text)));

/** A list of curves with their colours. */
export const legend = (entries) => entries.map(({ colour, label, nodes, dash, dots, kind }) => h("li", {}, h("span", { class: `swatch ${kind ?? (dash || dots ? "dotted" : "")}`, "aria-hidden": "true", color: colour }), h("span", {}, ...(nodes ?? [label]))));

/** Sentences as a list; many of them are folded under a heading. */
export function sentences(entries, heading) {
  const list = h("ul", { class: "warnings" }, ...entries.map((each) => h("li", {}, each)));
  return entries.length > FEW ? h("details", {}, h("summary", {}, heading), list) : list;
}
