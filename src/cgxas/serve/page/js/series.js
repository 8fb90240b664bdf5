/** A mixture -> what is drawn: a series as fractions, map and misfit; one of its scans as a sum of parts. */

import { paint, scaleOf } from "./heat.js";
import { derivative, inkOf, originOf, referenceColour, scheme } from "./picture.js";

const [MOST, LEAST] = [8, 0.005]; // references that are named, and the share from which on they are
const LABELS = { order: "scan, in order", time_s: "time (s)" };
const FIT = { light: "#d0021b", dark: "#ff8f85" };
const LONG = 7200; // seconds, from which on times are told in hours

/** The rows of an answer that have their curves, and where they stand. */
export function seriesOf(answer) {
  const which = answer.shown ?? answer.scans.map((_, n) => n);
  const rows = which.map((n) => answer.scans[n]);
  const values = rows.map((row) => row[answer.axis]);
  const isAlong = values.every((value, n) => Number.isFinite(value) && (!n || value > values[n - 1]));
  const isLong = answer.axis === "time_s" && values.at(-1) > LONG;
  const stops = isAlong ? values.map((value) => (isLong ? value / 3600 : value)) : rows.map((_, n) => n + 1);
  const edges = [0, ...stops.map((_, n) => n + 1)].map((n) => {
    if (stops.length === 1) return stops[0] + n - 0.5;
    if (n === 0) return 1.5 * stops[0] - 0.5 * stops[1];
    return n === stops.length ? 1.5 * stops.at(-1) - 0.5 * stops.at(-2) : (stops[n - 1] + stops[n]) / 2;
  });
  const named = isLong ? "time (h)" : LABELS[answer.axis] ?? answer.axis;
  return { answer, rows, stops, edges, label: isAlong ? named : LABELS.order, along: named, isWhole: !isAlong || answer.axis === "order" };
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
  const { answer, rows, stops, edges } = series;
  const drawn = shares(series);
  const tell = (n) => {
    const at = answer.axis === "order" ? `scan ${rows[n][answer.axis]}` : `${series.along} ${stops[n].toPrecision(4)}`;
    return [rows[n].scan, at, ...drawn.slice(0, 4).map((each) => `${each.name} ${withError(each, rows[n])}`), `rms ${misfit(answer, n).toFixed(4)}`].join(" · ");
  };
  const marks = place === null ? [] : [{ x: stops[place], colour: inkOf(look) }];
  return { name: `${name}-${edges.length}-${edges[0]}-${edges.at(-1)}`, curves: [], marks, range: [edges[0], edges.at(-1)], stops, tell, isWhole: series.isWhole };
}

/** Fractions piled up; the first of the legend lies on top. */
export function stackPicture(series, place, look = scheme()) {
  const { rows, edges } = series;
  const drawn = shares(series, look);
  let below = rows.map(() => 0);
  const bands = drawn.toReversed().map((each) => {
    const [low, high] = [below, below.map((value, n) => value + each.of(rows[n]))];
    below = high;
    const steps = (values) => values.flatMap((value) => [value, value]);
    return { id: each.name, x: rows.flatMap((_, n) => [edges[n], edges[n + 1]]), low: steps(low), high: steps(high), colour: each.colour, opacity: 0.92 };
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
    image: { href: paint(columns, series.edges, energy, scale), x0: series.edges[0], x1: series.edges.at(-1), y0: low, y1: high },
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
      name: `rest-${name}`, range, xLabel: origin ? `Energy − E₀ (eV), E₀ ${origin.e0.toFixed(2)} eV of ${origin.of}` : "Energy (eV)", yLabel: "scan − fit",
      curves: [{ x, y: bent(norm.map((value, k) => value - fitted[k])), id: "rest", colour: inkOf(look), width: 1.4, short: "scan − fit" }], told: "What the fit leaves",
    },
  ];
}
