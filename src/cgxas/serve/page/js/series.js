/** A mixture -> what is drawn: a series as fractions, map and misfit; one of its scans as a sum of parts. */

import { paint, scaleOf } from "./heat.js";
import { derivative, energyLabel, inkOf, originOf, referenceColour, scheme } from "./picture.js";

const [MOST, LEAST] = [8, 0.005]; // references that are named, and the share from which on they are
const LABELS = { order: "scan, in order", time_s: "time (s)" };
const FIT = { light: "#d0021b", dark: "#ff8f85" };
const [OFTEN, PAUSE] = [0.9, 3]; // a pause, which is left empty, is three times what nine of ten distances stay below
const LONG = 7200; // seconds, from which on times are told in hours

/** The rows of an answer that have their curves, and where they stand. */
export function seriesOf(answer) {
  const which = answer.shown ?? answer.scans.map((_, n) => n);
  const rows = which.map((n) => answer.scans[n]);
  const values = rows.map((row) => row[answer.axis]);
  const isAlong = values.every((value, n) => Number.isFinite(value) && (!n || value > values[n - 1]));
  const isLong = answer.axis === "time_s" && Math.max(...values) > LONG;
  const valueOf = (row) => (isLong ? row[answer.axis] / 3600 : row[answer.axis]);
  const stops = isAlong ? rows.map(valueOf) : rows.map((_, n) => n + 1);
  const gaps = stops.slice(1).map((stop, n) => stop - stops[n]);
  const usual = gaps.toSorted((a, b) => a - b)[Math.floor(OFTEN * gaps.length)] ?? 1;
  const half = (gap) => (gap > PAUSE * usual ? usual : gap) / 2;
  const sides = stops.map((stop, n) => [stop - half(gaps[n - 1] ?? gaps[0] ?? 1), stop + half(gaps[n] ?? gaps.at(-1) ?? 1)]);
  const named = isLong ? "time (h)" : LABELS[answer.axis] ?? answer.axis;
  return { answer, rows, stops, sides, valueOf, label: isAlong ? named : LABELS.order, along: named, isWhole: !isAlong || answer.axis === "order" };
}

/** The largest references in their order, with their colours; the others as one. */
export function shares({ answer, rows }, look = scheme()) {
  const names = answer.references.map((each) => each.name);
  const most = names.map((name) => Math.max(...rows.map((row) => row[name] ?? 0)));
  const large = names.map((_, n) => n).filter((n) => most[n] >= LEAST || names.length <= MOST).sort((a, b) => most[b] - most[a]).slice(0, MOST).sort((a, b) => a - b);
  const found = large.map((n, k) => ({ name: names[n], n, told: answer.references[n].told, colour: referenceColour(k, look), of: (row) => row[names[n]] ?? 0, error: (row) => row[`${names[n]}_err`] }));
  const rest = names.filter((_, n) => !large.includes(n));
  if (rest.some((name) => most[names.indexOf(name)] >= LEAST)) {
    found.push({ name: `${rest.length} others`, told: "", colour: referenceColour(-1, look), of: (row) => rest.reduce((sum, name) => sum + (row[name] ?? 0), 0), error: () => null });
  }
  return found;
}

export const withError = (share, row) => {
  const error = share.error(row);
  return Number.isFinite(error) ? `${share.of(row).toFixed(3)} ± ${error.toFixed(3)}` : share.of(row).toFixed(3);
};

const misfit = ({ norm, fitted }, n) => Math.sqrt(norm[n].reduce((sum, value, k) => sum + (value - fitted[n][k]) ** 2, 0) / norm[n].length);

/** What the pictures of a series share: its axis, and what is told of each scan. */
function common(series, name, place, look) {
  const { answer, rows, stops, sides } = series;
  const range = [sides[0][0], sides.at(-1)[1]];
  const drawn = shares(series);
  const tell = (n) => {
    const at = answer.axis === "order" ? `scan ${rows[n][answer.axis]}` : `${series.along} ${series.valueOf(rows[n])?.toPrecision(4) ?? "–"}`;
    return [rows[n].scan, at, ...drawn.slice(0, 4).map((each) => `${each.name} ${withError(each, rows[n])}`), `rms ${misfit(answer, n).toFixed(4)}`].join(" · ");
  };
  const marks = place === null ? [] : [{ x: stops[place], colour: inkOf(look) }];
  return { name: `${name}-${stops.length}-${range}`, curves: [], marks, range, stops, tell, isWhole: series.isWhole };
}

/** A band of steps between two values of each scan, with nothing in the pauses. */
function steps(sides, low, high) {
  const band = { x: [], low: [], high: [] };
  const add = (x, from, to) => { band.x.push(x); band.low.push(from); band.high.push(to); };
  sides.forEach(([left, right], n) => {
    add(left, low[n], high[n]);
    add(right, low[n], high[n]);
    if (n + 1 === sides.length || sides[n + 1][0] - right < 1e-6 * (right - left)) return;
    add(right, low[n], low[n]);
    add(sides[n + 1][0], low[n + 1], low[n + 1]);
  });
  return band;
}

/** Fractions piled up; the first of the legend lies on top. */
export function stackPicture(series, place, look = scheme()) {
  const { rows, sides } = series;
  const drawn = shares(series, look);
  let below = rows.map(() => 0);
  const bands = drawn.toReversed().map((each) => {
    const [low, high] = [below, below.map((value, n) => value + each.of(rows[n]))];
    below = high;
    return { id: each.name, ...steps(sides, low, high), colour: each.colour, opacity: 0.92 };
  });
  return {
    ...common(series, "stack", place, look), bands, yRange: [0, 1], yLabel: "fraction", xLabel: "",
    title: `${series.answer.element} ${series.answer.edge} edge, ${rows.length} scans`,
    key: drawn.map((each) => ({ label: each.name, colour: each.colour, width: 9 })),
    told: `Fractions along the series: ${drawn.map((each) => `${each.name} from ${each.of(rows[0]).toFixed(2)} to ${each.of(rows.at(-1)).toFixed(2)}`).join("; ")}`,
  };
}

const MAPS = { norm: "μ(E), normalised", change: "scan − first scan", fitted: "μ(E), fitted", rest: "scan − fit" };
export const MAP_WORDS = { norm: "the scans", change: "their change since the first", fitted: "their fits", rest: "what the fits leave" };
const SIGNED = ["change", "rest"];

function mapped({ norm, fitted }, what) {
  const less = (row, other) => row.map((value, k) => value - other[k]);
  if (what === "change") return norm.map((row) => less(row, norm[0]));
  return what === "rest" ? norm.map((row, n) => less(row, fitted[n])) : { norm, fitted }[what];
}

/** The curves of all scans as colours: energy upwards, the series to the right. */
export function mapPicture(series, place, view, look = scheme()) {
  const { energy, element, edge } = series.answer;
  const curves = mapped(series.answer, view.map);
  const columns = view.derivative ? curves.map((row) => derivative(energy, row)) : curves;
  const origin = view.relative ? originOf() : null;
  const from = origin?.e0 ?? 0;
  const isSigned = view.derivative || SIGNED.includes(view.map);
  const label = view.derivative ? `slope of ${MAP_WORDS[view.map]} (1/eV)` : MAPS[view.map];
  const scale = scaleOf(columns, isSigned, label, look);
  const [low, high] = [energy[0] - from, energy.at(-1) - from];
  return {
    ...common(series, `map-${from}`, null, look), marks: place === null ? [] : [{ x: series.stops[place], colour: isSigned ? inkOf(look) : "#ffffff" }], scale, yRange: [low, high], yLabel: origin ? "Energy − E₀ (eV)" : "Energy (eV)", xLabel: "",
    image: { href: paint(columns, series.sides, energy, scale), x0: series.sides[0][0], x1: series.sides.at(-1)[1], y0: low, y1: high },
    told: `${element} ${edge} edge: ${label} of ${columns.length} scans as colours, from ${scale.low.toPrecision(2)} to ${scale.high.toPrecision(2)}`,
  };
}

/** How much each fit leaves. */
export function misfitPicture(series, place, look = scheme()) {
  const rms = series.rows.map((_, n) => misfit(series.answer, n));
  const dots = { x: series.stops, y: rms, colour: inkOf(look), width: rms.length > 60 ? 3.5 : 6, dots: true, id: "rms" };
  return {
    ...common(series, "misfit", place, look), curves: [dots], yRange: [0, 1.15 * Math.max(...rms) || 1], yLabel: "rms of scan − fit", xLabel: series.label,
    told: `Root mean square of scan minus fit, at most ${Math.max(...rms).toPrecision(2)}`,
  };
}

/** The references, or components, as they were used. */
export function referencesPicture(series, view, look = scheme()) {
  const { energy, references } = series.answer;
  const origin = view.relative ? originOf() : null;
  const x = energy.map((each) => each - (origin?.e0 ?? 0));
  const curves = shares(series, look).filter((each) => each.n !== undefined).map((each) => {
    const { norm } = references[each.n];
    return { x, y: view.derivative ? derivative(energy, norm) : norm, id: `reference:${each.name}`, colour: each.colour, width: 2, short: each.name, label: `${each.name}: ${each.told}` };
  });
  return {
    name: `references-${view.relative}-${view.derivative}-${x[0]}`, curves, range: [x[0], x.at(-1)], yLabel: view.derivative ? "dμ/dE (1/eV)" : "μ(E), normalised",
    xLabel: energyLabel(origin), told: `The references: ${curves.map((each) => each.label).join("; ")}`,
  };
}

/** A curve moved along the energy, level beyond its ends. */
function movedCurve(energy, values, shift) {
  if (!shift) return values;
  let n = 0;
  return energy.map((x) => {
    const at = Math.min(Math.max(x - shift, energy[0]), energy.at(-1));
    while (n < energy.length - 2 && energy[n + 1] < at) n += 1;
    return values[n] + ((at - energy[n]) / (energy[n + 1] - energy[n])) * (values[n + 1] - values[n]);
  });
}

/** One scan, its fit and the parts in it; and what is left. */
export function partsPictures(series, place, view, isFree, look = scheme()) {
  const { answer, rows } = series;
  const [row, energy] = [rows[place], answer.energy];
  const origin = view.relative ? originOf() : null;
  const x = energy.map((each) => each - (origin?.e0 ?? 0));
  const bent = (y) => (view.derivative ? derivative(energy, y) : y);
  const [norm, fitted] = [answer.norm[place], answer.fitted[place]];
  const parts = shares(series, look).filter((each) => each.n !== undefined && each.of(row) >= LEAST).map((each) => {
    const curve = movedCurve(energy, answer.references[each.n].norm, isFree ? row.shift_ev : 0);
    return { x, y: bent(curve.map((value) => value * each.of(row) * row.total)), id: `part:${each.name}`, colour: each.colour, width: 1.8, short: each.name, label: `${withError(each, row)} ${each.name}` };
  });
  const range = [x[0], x.at(-1)];
  const slope = view.derivative ? "dμ/dE (1/eV)" : null;
  const name = `${view.relative}-${view.derivative}-${x[0]}`;
  return [
    {
      name: `parts-${name}`, range, title: `${answer.element} ${answer.edge} edge, ${row.scan}`, xLabel: "", yLabel: slope ?? "μ(E), normalised",
      curves: [...parts, { x, y: bent(norm), id: "scan", colour: inkOf(look), width: 4, dots: true, short: "scan", label: `${row.scan}, measured` },
        { x, y: bent(fitted), id: "fit", colour: FIT[look], width: 1.6, short: "fit", label: "fit" }],
      told: `${row.scan}: ${parts.map((each) => each.label).join("; ")}`,
    },
    {
      name: `rest-${name}`, range, xLabel: energyLabel(origin), yLabel: "scan − fit",
      curves: [{ x, y: bent(norm.map((value, k) => value - fitted[k])), id: "rest", colour: inkOf(look), width: 1.4, short: "scan − fit" }], told: "What the fit leaves",
    },
  ];
}
