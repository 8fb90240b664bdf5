/** What came of a mixture: fractions along the series, the map of its spectra, and one scan with its parts. */

import { byId, fill, h } from "./dom.js";
import { DARK, LIGHT } from "./draw.js";
import { legend, select, sentences } from "./panel.js";
import { inkOf, isDark, originOf } from "./picture.js";
import { Plot } from "./plot.js";
import { figure } from "./save.js";
import { MAP_WORDS, mapPicture, misfitPicture, partsPictures, referencesPicture, seriesOf, shares, stackPicture, withError } from "./series.js";
import { change, state } from "./state.js";

const HEIGHTS = { stack: 240, map: 380, misfit: 180, parts: 420, rest: 190 };
const plots = {};
let series = null;
let isFree = false;
let shown = {};

export function elements() {
  const plot = (name, text, kind) => h("div", { id: `mix-${name}`, class: `plot ${kind}`, tabindex: 0, role: "group", "aria-label": text });
  return [
    h("dl", { class: "scores", id: "mix-scores" }),
    h("div", { id: "mix-warnings" }),
    h("div", { id: "mix-left-out", class: "bad" }),
    h("div", { id: "mix-series" },
      h("div", { class: "title-row" },
        h("ul", { id: "mix-legend", class: "legend", "aria-label": "References" }),
        h("label", { class: "hint" }, "Map of ", select("mix-map", MAP_WORDS, (map) => change({ view: { ...state().view, map } }, { undoable: false })))),
      plot("stack", "Fractions along the series; arrow keys go from scan to scan, Enter looks at one", "low"),
      plot("map-plot", "All scans as colours; arrow keys go from scan to scan, Enter looks at one", ""),
      plot("misfit", "What the fits leave; arrow keys go from scan to scan, Enter looks at one", "lower"),
      h("p", { id: "mix-readout", class: "hint readout", role: "status" }),
      h("div", { class: "sliders" },
        h("label", { for: "mix-place" }, "Scan"),
        h("input", { id: "mix-place", type: "range", min: 0, step: 1, oninput: (event) => look(Number(event.target.value)) }),
        h("output", { id: "mix-place-told", for: "mix-place" }))),
    h("h3", { id: "mix-one-title" }),
    h("ul", { id: "mix-parts-legend", class: "legend", "aria-label": "Curves of the scan" }),
    plot("parts", "The scan, its fit and the parts in it; arrow keys read values", ""),
    plot("rest", "What the fit leaves; arrow keys read values", "lower"),
    h("p", { id: "mix-parts-readout", class: "hint readout", role: "status" }),
    h("details", { id: "mix-references-details" },
      h("summary", { id: "mix-references-title" }),
      plot("curves", "The references; arrow keys read values", ""),
      h("p", { id: "mix-references-readout", class: "hint readout", role: "status" }),
      h("ul", { id: "mix-references-legend", class: "legend", "aria-label": "References, and what they are" })),
    h("details", { id: "mix-table-details" }, h("summary", {}, "Table"), h("div", { class: "wide scrolls", id: "mix-table", tabindex: 0, role: "region", "aria-label": "Fractions of each scan" })),
  ];
}

const look = (place) => change({ place }, { undoable: false });

export function prepare() {
  for (const name of ["stack", "map-plot", "misfit"]) plots[name] = new Plot(byId(`mix-${name}`), { readout: byId("mix-readout"), onPick: look });
  for (const name of ["parts", "rest"]) plots[name] = new Plot(byId(`mix-${name}`), { readout: byId("mix-parts-readout") });
  plots.curves = new Plot(byId("mix-curves"), { readout: byId("mix-references-readout") });
  const linked = [plots.stack, plots["map-plot"], plots.misfit];
  for (const each of linked) each.mates = linked.filter((other) => other !== each);
  byId("mix-table-details").addEventListener("toggle", () => { if (series) showTable(); });
}

/** How many scans were fitted last: one file may hold many. */
export const count = () => series?.rows.length ?? 0;

export function show(answer, free) {
  const look = JSON.stringify([state().view, isDark(), state().view.relative && originOf()]);
  if (series?.answer === answer && shown.look === look && shown.place === state().place) return; // a slider elsewhere moves often
  shown = { look, place: state().place };
  if (series?.answer !== answer) {
    series = seriesOf(answer);
    byId("mix-references-details").open = isParted();
  }
  isFree = free;
  const many = series.rows.length;
  const place = Math.min(state().place, many - 1);
  byId("mix-series").hidden = many < 2;
  const colours = isDark() ? DARK : LIGHT;
  if (many > 1) showSeries(place, colours);
  const [parts, rest] = partsPictures(series, place, state().view, isFree);
  plots.parts.show(parts, colours);
  plots.rest.show(rest, colours);
  const curves = referencesPicture(series, state().view);
  plots.curves.show(curves, colours);
  byId("mix-references-title").textContent = isParted() ? "The components" : "The references as they are used";
  fill(byId("mix-references-legend"), ...legend(curves.curves));
  byId("mix-one-title").hidden = many < 2;
  byId("mix-one-title").textContent = many > 1 ? `Scan ${place + 1}: ${series.rows[place].scan}` : "";
  fill(byId("mix-parts-legend"), ...legend(parts.curves));
  fill(byId("mix-scores"), ...scores(place));
  const warnings = told(answer, place);
  fill(byId("mix-warnings"), sentences(warnings, `${warnings.length} warnings`));
  fill(byId("mix-left-out"), sentences(answer.left_out.map(({ scan, reason }) => `${scan} is left out: ${reason.replace(/\.$/, "")}.`), `${answer.left_out.length} scans are left out`));
  showTable();
}

/** Whether no references were given. */
const isParted = () => !state().mix.references.length;

function showSeries(place, colours) {
  fill(byId("mix-legend"), ...legend(stackPicture(series, place).key.map((each) => ({ ...each, kind: "wide-swatch" }))));
  byId("mix-map").value = state().view.map;
  plots.stack.show(stackPicture(series, place), colours);
  plots["map-plot"].show(mapOf(place), colours);
  plots.misfit.show(misfitPicture(series, place), colours);
  const slider = byId("mix-place");
  slider.max = series.rows.length - 1;
  slider.value = place;
  slider.setAttribute("aria-valuetext", series.rows[place].scan);
  byId("mix-place-told").textContent = `${place + 1} of ${series.rows.length}`;
}

let painted = { key: null, picture: null };

/** The map; painted anew only where it would look otherwise. */
function mapOf(place) {
  if (painted.key !== shown.look || painted.series !== series) painted = { key: shown.look, series, picture: mapPicture(series, null, state().view) };
  return { ...painted.picture, marks: [{ x: series.stops[place], colour: painted.picture.scale.low < 0 ? inkOf() : "#ffffff" }] };
}

/** Of one scan its fractions; of a series how it goes. */
function scores(place) {
  const { answer, rows } = series;
  const score = (name, value, unit = "") => h("div", {}, h("dt", {}, name), h("dd", {}, value, h("small", {}, unit)));
  const row = rows[place];
  if (rows.length === 1) {
    return [...shares(series).map((each) => score(each.name, withError(each, row))), score("RSE", row.rse.toPrecision(2)), score("Sum of weights", row.total.toFixed(3)),
      ...(row.shift_err_ev || row.shift_ev ? [score("Shift", row.shift_ev.toFixed(2), " eV")] : [])];
  }
  const { components } = answer;
  return [score("Scans", String(answer.scans.length)), score("Left out", String(answer.left_out.length)),
    score("Components in the series", String(components.count)), score("Above the noise", String(components.above_noise)),
    score("Largest RSE", Math.max(...answer.scans.map((each) => each.rse)).toPrecision(2))];
}

function told(answer, place) {
  const found = [...answer.warnings];
  const row = series.rows[place];
  if (row.note) found.push(`${row.scan}: ${row.note}.`);
  if (row.on_bound) found.push(`${row.scan}: its shift ended on a bound; do not trust its fractions.`);
  if (series.rows.length < answer.scans.length) found.push(`Of ${answer.scans.length} scans ${series.rows.length} are drawn; the table has all.`);
  return found;
}

function showTable() {
  if (!byId("mix-table-details").open) return;
  const { answer } = series;
  const names = answer.references.map((each) => each.name);
  const number = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "–");
  const cells = (row) => [
    number(series.valueOf(row), answer.axis === "order" ? 0 : 3),
    ...names.map((name) => (Number.isFinite(row[`${name}_err`]) ? `${number(row[name], 3)} ± ${number(row[`${name}_err`], 3)}` : "–")),
    number(row.total, 3), Number.isFinite(row.rse) ? row.rse.toPrecision(2) : "–", number(row.shift_ev, 2),
  ];
  fill(byId("mix-table"), h("table", {},
    h("thead", {}, h("tr", {}, ...["Scan", answer.axis === "order" ? "Order" : series.along, ...names, "Sum", "RSE", "Shift (eV)", "Note"].map((each, n, all) => h("th", { scope: "col", class: n && n < all.length - 1 ? "" : "text" }, each)))),
    h("tbody", {}, ...answer.scans.map((row) => h("tr", {}, h("td", {}, row.scan), ...cells(row).map((text) => h("td", {}, text)), h("td", { class: "text" }, [row.note, row.on_bound ? "shift on bound" : ""].filter(Boolean).join("; ")))))));
}

/** The figure as it is seen, for a file. */
export function figureOf() {
  const place = Math.min(state().place, series.rows.length - 1);
  const [parts, rest] = partsPictures(series, place, state().view, isFree, "light");
  if (series.rows.length === 1) return figure([{ picture: parts, height: HEIGHTS.parts }, { picture: rest, height: HEIGHTS.rest }], 900);
  return figure([
    { picture: stackPicture(series, null, "light"), height: HEIGHTS.stack + 60 },
    { picture: mapPicture(series, null, state().view, "light"), height: HEIGHTS.map },
    { picture: misfitPicture(series, null, "light"), height: HEIGHTS.misfit },
  ], 900);
}
