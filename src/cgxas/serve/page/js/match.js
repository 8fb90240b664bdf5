/** Which is it: the crystals ranked against the scan, the best of them drawn over it. */

import { byId, fill, formula, h } from "./dom.js";
import { DARK, LIGHT } from "./draw.js";
import { asked, card, legend, saves } from "./panel.js";
import { colourOf, derivative, energyLabel, inkOf, isDark, originOf } from "./picture.js";
import { Plot } from "./plot.js";
import { matchQuestion } from "./questions.js";
import { figure } from "./save.js";
import { change, state } from "./state.js";

const [DRAWN, SHOWN] = [3, 10];
const HEAD = ["Candidate", "Score", "RSE", "Shift (eV)", "Broadening (eV)", "Bound", "Trust"];
let plot = null;
let isWhole = false;
let found = null;

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

/** Make the card once; `showMatch` keeps it up to date. */
export function prepare(onError) {
  card("match", [], [
    h("p", { id: "match-verdict", class: "verdict", role: "status" }),
    h("div", { id: "match-plot", class: "plot", tabindex: 0, role: "group", "aria-label": "The likeliest crystals over the scan; arrow keys read values" }),
    h("p", { id: "match-readout", class: "hint readout", role: "status" }),
    h("ul", { id: "match-legend", class: "legend", "aria-label": "Curves" }),
    h("div", { class: "wide", id: "match-table", tabindex: 0, role: "region", "aria-label": "Candidates, the likeliest first" }),
    h("ul", { id: "match-warnings", class: "warnings" }),
  ]);
  plot = new Plot(byId("match-plot"), { readout: byId("match-readout") });
  saves("match", () => figure([{ picture: picture("light"), height: 600 }], 900), onError);
}

export function showMatch() {
  const question = matchQuestion();
  byId("match-card").hidden = !question && !state().match;
  const count = question?.crystals.length ?? 0;
  byId("match-told").textContent = question ? `Your scan beside ${count === 1 ? "one crystal" : `${count} crystals`}. Each is shifted and broadened within its bounds, its band counts as noise; it may be none of them.` : "";
  const words = { first: count === 1 ? "Is it this crystal?" : "Rank the crystals", again: "Rank again", busy: `Ranking ${state().match?.crystals.length} …` };
  found = asked("match", question, words);
  if (!found) return;
  const [best] = found.matches;
  byId("match-verdict").replaceChildren(...(found.none_fits
    ? ["None of these fits", h("span", { class: "hint" }, ` the nearest is ${nameOf(best)}; probability of none ${found.none.toFixed(2)}`)]
    : [...nameOf(best, true), h("span", { class: "hint" }, ` is the likeliest, with a score of ${best.score.toFixed(2)}`)]));
  const drawn = picture();
  plot.show(drawn, isDark() ? DARK : LIGHT);
  fill(byId("match-legend"), ...legend(drawn.key));
  fill(byId("match-table"), table());
  fill(byId("match-warnings"), ...told().map((text) => h("li", {}, text)));
}

/** A candidate by its formula, with its file where another has the same. */
function nameOf(match, isNode = false) {
  const isTwice = found.matches.filter((each) => each.formula === match.formula).length > 1;
  const rest = isTwice ? ` (${match.crystal})` : "";
  return isNode ? [...formula(match.formula), rest] : `${match.formula}${rest}`;
}

/** The crystal of a candidate; the server numbers files of one name: "a.cif (2)". */
function idOf({ crystal }) {
  const counts = {};
  return state().match.crystals.find((id) => {
    const { name } = state().files[id];
    counts[name] = (counts[name] ?? 0) + 1;
    return crystal === (counts[name] > 1 ? `${name} (${counts[name]})` : name);
  }) ?? null;
}

/** The colours of the best: those they have above, as far as they differ. */
function coloursOfBest(name) {
  const used = [];
  for (const each of found.matches.slice(0, DRAWN)) {
    const own = state().crystals.findIndex(({ id }) => id === idOf(each));
    const free = [own, 0, 1, 2].find((n) => n >= 0 && !used.includes(colourOf(n, name)));
    used.push(colourOf(free, name));
  }
  return used;
}

function picture(name) {
  const { relative, derivative: sloped } = state().view;
  const origin = relative ? originOf() : null;
  const x = found.energy.map((each) => each - (origin?.e0 ?? 0));
  const bent = (y) => (sloped ? derivative(found.energy, y) : y);
  const colours = coloursOfBest(name);
  const best = found.matches.slice(0, DRAWN).filter((each) => each.predicted);
  const curves = best.map((each, n) => ({ x, y: bent(each.predicted), id: `match:${n}`, colour: colours[n], width: n ? 1.7 : 2.6, short: nameOf(each), label: `${nameOf(each)}, ${each.score.toFixed(3)}`, nodes: [...nameOf(each, true), `, ${each.score.toFixed(3)}`] })).reverse();
  curves.push({ x, y: bent(found.norm), id: "scan", colour: inkOf(name), width: 2.2, dash: "1.5 3", short: "scan", label: "the scan" });
  return {
    name: `match-${relative}-${sloped}-${x[0]}`, curves, key: curves.toReversed(), title: `${found.absorber} ${found.edge} edge, ${found.measured.scan}, beside crystals by ${found.model}`,
    xLabel: energyLabel(origin), yLabel: sloped ? "dμ/dE (1/eV)" : "μ(E), normalised",
    told: `The scan and the likeliest crystals: ${best.map((each) => `${nameOf(each)} ${each.score.toFixed(2)}`).join("; ")}`,
  };
}

function table() {
  const rows = found.matches.map((each, n) => ({ score: each.score, made: () => candidate(each, n) }));
  const place = rows.findIndex((each) => each.score < found.none);
  const none = { score: found.none, made: () => h("tr", { class: "none" }, h("td", {}, h("b", {}, "None of these")), scoreCell(found.none, null), ...HEAD.slice(2).map(() => h("td", {}))) };
  rows.splice(place < 0 ? rows.length : place, 0, none);
  const shown = isWhole ? rows : rows.filter((each, n) => n < SHOWN || each === none);
  return h("div", {},
    h("table", {},
      h("thead", {}, h("tr", {}, ...HEAD.map((each, n) => h("th", { scope: "col", class: n < 2 || n > 4 ? "text" : "" }, each)))),
      h("tbody", {}, ...shown.map((each) => each.made()))),
    shown.length < rows.length || isWhole && rows.length > SHOWN + 1
      ? h("button", { type: "button", class: "more", "data-key": "match-more", onclick: () => { isWhole = !isWhole; showMatch(); } }, isWhole ? "Show the first only" : `Show all ${found.matches.length}`) : null);
}

function scoreCell(score, colour) {
  const bar = h("i", {});
  bar.style.width = `${(100 * score).toFixed(1)}%`;
  if (colour) bar.style.background = colour;
  return h("td", { class: "text score" }, h("span", { class: "bar", "aria-hidden": "true" }, bar), score.toFixed(3));
}

function candidate(each, n) {
  const id = idOf(each);
  const lay = () => change({
    selected: id, site: null, fit: { shift: each.shift_ev, broaden: each.broadening_ev },
    crystals: state().crystals.map((one) => (one.id === id ? { ...one, visible: true } : one)),
  });
  const isHere = state().crystals.some((one) => one.id === id);
  return h("tr", { class: n < DRAWN ? "drawn" : "" },
    h("td", {}, h("button", { type: "button", class: "pick", "data-key": `lay-${n}`, disabled: !isHere, title: "Lay it over the scan above, shifted and broadened so", onclick: lay }, h("b", {}, ...formula(each.formula)), ` ${each.crystal}`)),
    scoreCell(each.score, n < DRAWN ? coloursOfBest()[n] : null),
    ...[each.rse.toFixed(4), signed(each.shift_ev), each.broadening_ev.toFixed(2)].map((text) => h("td", {}, text)),
    h("td", { class: "text" }, each.on_bound ? h("span", { class: "badge near" }, "on bound") : ""),
    h("td", { class: "text" }, each.trust ? h("span", { class: `badge ${each.trust}` }, each.trust) : "–"));
}

/** What should be known of the answer. */
function told() {
  const bounds = found.matches.slice(0, DRAWN).filter((each) => each.on_bound).map((each) => {
    const { least_shift: least, largest_shift: most, largest_broadening: widest } = each.bounds_ev;
    return `The fit of ${nameOf(each)} ended on a bound: shift ${signed(each.shift_ev)} of ${signed(least)} to ${signed(most)} eV, broadening ${each.broadening_ev.toFixed(2)} of 0 to ${widest.toFixed(2)} eV; do not trust its numbers.`;
  });
  return [
    ...bounds, ...(found.warnings ?? []),
    ...(found.absent.length ? [`Without ${found.absorber}, and left out: ${found.absent.join(", ")}.`] : []),
    ...found.failures.map((each) => `${each.crystal}: ${each.detail}`),
  ];
}
