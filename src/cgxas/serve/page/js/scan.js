/** The measured scan: how it was read and normalised, sliders and fit, and how far it is away. */

import { byId, fill, h } from "./dom.js";
import { DARK, LIGHT } from "./draw.js";
import { crystals, fitValues, isFitted, measured, shownOverlay } from "./model.js";
import { isDark, movedBy, normPicture } from "./picture.js";
import { Plot } from "./plot.js";
import { change, chosenScan, state } from "./state.js";

const READING = [["element", "Element"], ["edge", "Edge"], ["group", "Group or scan number"], ["energy", "Energy column"], ["mu", "Column or formula of μ"]];
const RANGES = [["pre1", "Pre-edge from"], ["pre2", "to"], ["norm1", "Post-edge from"], ["norm2", "to"]];
let plot = null;

const signed = (value, digits) => (value === null ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`);

/** Make the panel once; `showScan` keeps it up to date. */
export function prepare(onCrystalAbsorber) {
  const slider = (name, text, low, high) => [
    h("label", { for: name }, text),
    h("input", { id: name, type: "range", min: low, max: high, step: 0.05, oninput: (event) => moved(name, event, false), onchange: (event) => moved(name, event, true) }),
    h("input", { id: `${name}-number`, type: "number", min: low, max: high, step: 0.05, "aria-label": `${text}, as a number`, onchange: (event) => moved(name, event, true) }),
  ];
  fill(byId("scan"),
    h("p", { id: "scan-told" }),
    h("div", { id: "scan-other", class: "error", hidden: true }, h("span", {}), " ", h("button", { type: "button", onclick: () => onCrystalAbsorber(measured().value.absorber) })),
    h("div", { id: "fit" },
      h("div", { class: "sliders" }, ...slider("shift", "Shift (eV)", -20, 20), ...slider("broaden", "Broadening (eV)", 0, 8)),
      h("div", { class: "row" },
        h("button", { id: "fit-button", type: "button", class: "primary", onclick: () => change({ fit: { shift: "fit", broaden: "fit" } }) }, "Fit shift and broadening"),
        h("button", { type: "button", onclick: () => change({ fit: { shift: 0, broaden: 0 } }) }, "Back to none"),
        h("span", { id: "fit-told", class: "hint", role: "status" })),
      h("p", { id: "fit-error", role: "alert" }),
      h("dl", { class: "scores", id: "scores", "aria-live": "polite" })),
    h("details", { id: "norm-details" },
      h("summary", {}, "Normalisation"),
      h("p", { class: "hint", id: "norm-told" }),
      h("div", { id: "norm-plot", tabindex: 0, role: "group", "aria-label": "The scan as measured; arrow keys read values" }),
      h("p", { id: "norm-readout", class: "hint", role: "status" }),
      h("div", { class: "ranges", id: "ranges" })),
    h("details", { id: "read-details" },
      h("summary", { id: "read-title" }, "How the file is read"),
      h("ul", { id: "scan-done", class: "hint" })));
  byId("read-details").append(h("div", { class: "ranges" }, ...READING.map(([name, text]) =>
    h("label", {}, text, h("input", { type: "text", id: `read-${name}`, autocomplete: "off", spellcheck: "false", onchange: (event) => option(name, event.target.value.trim() || null) })))));
  byId("norm-details").addEventListener("toggle", () => plot?.redraw());
  plot = new Plot(byId("norm-plot"), { readout: byId("norm-readout") });
}

/** Group and ranges are those of one scan; the rest tells how all of them are read. */
function option(name, value) {
  const now = state();
  const patch = name === "ranges" ? { ranges: value } : name === "group" ? { group: value, ranges: null } : { ranges: null };
  const isOne = name === "ranges" || name === "group";
  const scans = now.scans.map((each) => (!isOne || each.id === now.scan ? { ...each, ...patch } : each));
  change({ scans, ...(isOne ? {} : { reading: { ...now.reading, [name]: value } }) });
}

function moved(name, event, undoable) {
  const value = Number(event.target.value);
  if (!Number.isFinite(value) || event.target.value === "") return;
  const { shift, broaden } = fitValues() ?? { shift: 0, broaden: 0 };
  change({ fit: { shift, broaden, [name]: Math.min(Math.max(value, name === "shift" ? -100 : 0), 100) } }, { undoable });
}

export function showScan() {
  const now = state();
  const chosen = chosenScan();
  const found = measured();
  const scan = found?.value;
  byId("scan-empty").hidden = now.scans.length > 0;
  byId("scan").hidden = !chosen;
  const error = found?.error;
  byId("scan-error").className = error ? "error" : "";
  byId("scan-error").textContent = error ?? "";
  if (!chosen) return;
  byId("read-title").textContent = now.scans.length > 1 ? "How the files are read" : "How the file is read";
  byId("read-details").open ||= Boolean(error);
  for (const [name] of READING) if (document.activeElement !== byId(`read-${name}`)) byId(`read-${name}`).value = (name === "group" ? chosen.group : now.reading[name]) ?? "";
  byId("scan-told").textContent = scan ? toldOf(scan) : found?.busy ? "Reading…" : now.files[chosen.id].name;
  showFit(now, scan);
  byId("norm-details").hidden = !scan?.ranges;
  fill(byId("scan-done"), ...(scan ? [...scan.done, ...scan.warnings].map((each) => h("li", {}, each)) : []));
  if (scan?.ranges) showNormalisation(chosen, scan);
}

function toldOf(scan) {
  const edge = `${scan.absorber} ${scan.edge} edge${scan.edge_source === "guessed" ? " (a guess)" : ""}`;
  const step = scan.ranges ? `, edge step ${scan.edge_step.toPrecision(3)}` : `, ${scan.kind} already`;
  const half = scan.half_step === null ? "" : `, half step ${scan.half_step.toFixed(2)} eV`;
  return `${scan.label ? `${scan.label}: ` : ""}${scan.scan}, ${scan.format}, ${edge}${step}${half}`;
}

function showFit(now, scan) {
  const other = Boolean(scan && now.absorber && now.crystals.length && scan.absorber !== now.absorber);
  byId("scan-other").hidden = !other;
  if (other) {
    byId("scan-other").firstChild.textContent = `The scan is of ${scan.absorber}, the spectra are of ${now.absorber}.`;
    byId("scan-other").lastChild.textContent = `Show ${scan.absorber}`;
  }
  const overlay = shownOverlay();
  if (overlay?.value) byId("fit").dataset.last = "1";
  byId("fit").hidden = !scan || other || !isAnswerable(now);
  byId("fit-error").textContent = overlay?.error ?? "";
  byId("fit-error").className = overlay?.error ? "error" : "";
  const values = fitValues();
  const isWaiting = isFitted() && !overlay;
  byId("fit-button").textContent = isWaiting ? "Fitting…" : "Fit shift and broadening";
  byId("fit-button").disabled = isWaiting;
  byId("fit-told").textContent = isFitted() && values ? `Fitted: ${movedBy(values)}` : "";
  for (const name of values ? ["shift", "broaden"] : []) {
    byId(name).value = values[name];
    byId(name).setAttribute("aria-valuetext", `${values[name].toFixed(2)} eV`);
    if (document.activeElement !== byId(`${name}-number`)) byId(`${name}-number`).value = values[name].toFixed(2);
  }
  if (overlay?.value) fill(byId("scores"), ...scores(overlay.value));
  else if (!overlay) byId("scores").classList.add("busy");
  if (overlay) byId("scores").classList.remove("busy");
}

/** Whether the chosen crystal has, or may yet have, a spectrum of the absorber. */
function isAnswerable({ selected, absorber }) {
  const found = crystals.get(selected);
  return Boolean(found) && !found.error && (!found.elements.length || found.elements.includes(absorber));
}

function scores({ before, after }) {
  const score = (name, value, unit = "") => h("div", {}, h("dt", {}, name), h("dd", {}, value, unit));
  return [
    score("RSE", after.rse.toFixed(4)),
    score("RSE as predicted", before.rse.toFixed(4)),
    score("Correlation", after.pcc.toFixed(4)),
    score("Half-step difference", signed(after.half_step_difference, 2), " eV"),
    score("As predicted", signed(before.half_step_difference, 2), " eV"),
  ];
}

function showNormalisation(chosen, scan) {
  byId("norm-told").textContent = "Shaded: where the lines are fitted, in eV from E₀. Change a range, and everything follows.";
  plot.show(normPicture(scan, isDark() ? DARK : LIGHT), isDark() ? DARK : LIGHT);
  const set = (name, value) => option("ranges", { ...scan.ranges, ...chosen.ranges, [name]: value });
  const box = byId("ranges");
  if (box.contains(document.activeElement) && document.activeElement.type === "number") return;
  const degree = (name, text, words) => h("label", {}, text, choice(`range-${name}`, words, scan.ranges[name], (value) => set(name, value)));
  fill(box,
    ...RANGES.map(([name, text]) => h("label", {}, `${text} (eV)`, h("input", {
      type: "number", id: `range-${name}`, "data-key": name, step: 1, value: Math.round(10 * scan.ranges[name]) / 10, onchange: (event) => { if (event.target.value !== "") set(name, Number(event.target.value)); },
    }))),
    degree("npre", "Pre-edge is", ["constant", "a line"]),
    degree("nnorm", "Post-edge is", ["constant", "a line", "a parabola"]),
    h("label", {}, "Ranges", h("button", { type: "button", disabled: !chosen.ranges, onclick: () => option("ranges", null) }, "As chosen by cgxas")));
}

function choice(id, words, value, onPick) {
  const made = h("select", { id, "data-key": id, onchange: (event) => onPick(Number(event.target.value)) }, ...words.map((word, n) => h("option", { value: n }, word)));
  made.value = value;
  return made;
}
