/** How much of each: the scans as fractions of references, or of components of their own. */

import { byId, fill, formula, h } from "./dom.js";
import { readFiles } from "./dropped.js";
import * as model from "./model.js";
import { asked, card, saves, select } from "./panel.js";
import { crystalReferences, mixQuestion, mixedScans } from "./questions.js";
import * as results from "./mixed.js";
import { change, newId, state } from "./state.js";

const BY = { references: "references", components: "components of their own" };
const AXES = { order: "their order", time: "the time they were begun", column: "a column of theirs", table: "a table (CSV)" };
const SHIFTS = { "": "as cgxas chooses", none: "none", shared: "one for all", free: "one for each scan" };
const NUMBERS = [["first", "Range from (eV from the edge)", "−20", { step: "any" }], ["last", "to (eV)", "80", { step: "any" }], ["most", "At most so many references each", "all", { min: 1 }], ["components", "Components", "as many as it carries", { min: 2 }]];
let fail = () => {};

/** Make the card once; `showMix` keeps it up to date. */
export function prepare(onError) {
  fail = onError;
  const number = ([name, text, usual, bounds]) => h("label", { id: `mix-${name}-label` }, text, h("input", { id: `mix-${name}`, type: "number", placeholder: usual, ...bounds, onchange: (event) => wish(name, event.target.value || null) }));
  card("mix", [
    h("div", { class: "ranges" },
      h("label", {}, "Explained by", select("mix-by", BY, (by) => change({ mixing: { ...state().mixing, by } }))),
      h("label", { id: "mix-axis-label" }, "Laid along", select("mix-axis", AXES, pickAxis)),
      h("label", { id: "mix-column-label" }, "Column", h("input", { id: "mix-column", type: "text", autocomplete: "off", spellcheck: "false", onchange: (event) => wish("column", event.target.value.trim() || null) }))),
    h("div", { class: "row", id: "mix-table-row" }, h("button", { id: "mix-table-button", type: "button", onclick: () => byId("mix-table-file").click() }, "Take a table…"), h("span", { class: "hint", id: "mix-table-told" })),
    h("input", { id: "mix-table-file", type: "file", accept: ".csv", hidden: true, tabindex: -1, "aria-label": "A table of the axis", onchange: takeTable }),
    h("fieldset", { id: "mix-references" }),
    h("details", { id: "mix-how" },
      h("summary", {}, "How they are fitted"),
      h("div", { class: "ranges" },
        h("label", { id: "mix-shift-label" }, "Shift of the references", select("mix-shift", SHIFTS, (shift) => wish("shift", shift || null))),
        ...NUMBERS.map(number),
        h("label", {}, "Columns that are scans", h("input", { id: "mix-columns", type: "text", autocomplete: "off", spellcheck: "false", placeholder: "all, such as mu* or 2-30", onchange: (event) => wish("columns", event.target.value.trim() || null) })))),
  ], results.elements());
  results.prepare();
  saves("mix", results.figureOf, onError);
}

const wish = (name, value) => change({ mixing: { ...state().mixing, [name]: value } });

/** A table or a column is asked for once it is known which. */
const pickAxis = (axis) => wish("axis", axis);

async function takeTable(event) {
  const { read, refused } = await readFiles(event.target.files);
  event.target.value = "";
  if (refused.length) fail(refused[0]);
  if (!read.length) return;
  const id = newId();
  const [name, column] = new TextDecoder().decode(read[0].data.slice(0, 5000)).split(/\r?\n/)[0].replace("\ufeff", "").split(",").map((each) => each.trim());
  change({ files: { ...state().files, [id]: read[0] }, mixing: { ...state().mixing, table: id, column: /^(scan|name|file|filename)$/i.test(name) ? column ?? null : name } });
}

export function showMix() {
  const now = state();
  const scans = mixedScans();
  const { mixing } = now;
  const isSeries = scans.length > 1;
  byId("mix-card").hidden = !now.scans.length;
  if (!now.scans.length) return;
  const isParted = mixing.by === "components";
  showSettings(mixing, isParted);
  byId("mix-axis-label").hidden = !isSeries && mixing.axis === "order" && results.count() < 2;
  if (!isParted) showReferences(now);
  const question = isReady(mixing) ? mixQuestion() : null;
  const count = question?.references.length ?? 0;
  const what = isSeries ? `${scans.length} scans` : model.measured()?.error ? "All scans of your file" : "Your scan";
  byId("mix-told").textContent = !scans.length ? "All scans are references: leave one to be explained."
    : isParted ? `${what}, parted into components.` : count ? `${what}, as a sum of ${count === 1 ? "one reference" : `${count} references`}. Each scan is normalised by itself, with ranges that cgxas chooses.`
      : `${what}: tick crystals below, or make measured files references, with the button in their row.`;
  const value = asked("mix", question, { first: isParted ? "Find the components" : "Find the fractions", again: "Fit again", busy: `Fitting ${now.mix?.scans.length === 1 ? "the scan" : `${now.mix?.scans.length} files`} …` });
  if (value) results.show(value, now.mix.how.shift === "free");
}

const isReady = ({ axis, table, column }) => (axis !== "column" || Boolean(column)) && (axis !== "table" || Boolean(table && column));

function showSettings(mixing, isParted) {
  byId("mix-by").value = mixing.by;
  byId("mix-axis").value = mixing.axis;
  byId("mix-shift").value = mixing.shift ?? "";
  for (const name of ["column", "first", "last", "most", "components", "columns"]) if (document.activeElement !== byId(`mix-${name}`)) byId(`mix-${name}`).value = mixing[name] ?? "";
  byId("mix-column-label").hidden = !["column", "table"].includes(mixing.axis);
  byId("mix-table-row").hidden = mixing.axis !== "table";
  byId("mix-table-told").textContent = mixing.table ? state().files[mixing.table].name : "A CSV with a column scan and one more.";
  for (const name of ["shift", "most"]) byId(`mix-${name}-label`).hidden = isParted;
  byId("mix-components-label").hidden = !isParted;
  byId("mix-references").hidden = isParted;
}

/** Crystals that hold the absorber as buttons to press, and the measured references in words. */
function showReferences(now) {
  const crystals = crystalReferences();
  const used = () => crystals.filter((each) => each.isUsed).map((each) => each.id);
  const measured = now.scans.filter((each) => each.isReference).map((each) => now.files[each.id].name);
  fill(byId("mix-references"),
    h("legend", {}, "References"),
    ...crystals.map(({ id, isUsed }) => {
      const { name } = now.files[id];
      return h("label", {}, h("input", { type: "checkbox", "data-key": `refer-${id}`, ...(isUsed ? { checked: true } : {}), onchange: () => wish("references", isUsed ? used().filter((each) => each !== id) : [...used(), id]) }), " ", h("b", {}, ...formula(model.crystals.get(id)?.formula ?? "")), ` ${name}`);
    }),
    measured.length ? h("span", {}, `measured: ${measured.join(", ")}`) : null,
    crystals.length || measured.length ? null : h("span", { class: "hint" }, "None yet: add crystals, or press Reference beside a scan."));
}
