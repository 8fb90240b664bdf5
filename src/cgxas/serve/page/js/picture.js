/** State and answers -> what the plot draws. */

import { crystals, fitValues, measured, measuredOf, shownOverlay, spectrumOf } from "./model.js";
import { state } from "./state.js";

const PALETTES = {
  light: ["#3949ab", "#c4500f", "#0b7a55", "#a0278f", "#7a5a00", "#1679a8", "#b3261e", "#4d5566"],
  dark: ["#8e9bf2", "#f29a66", "#57c79b", "#e184d3", "#d8b34d", "#6cc0e6", "#ff8f85", "#a7aec0"],
};
const SITES = { light: ["#440154", "#31688e", "#1f7f5c", "#7a6c00"], dark: ["#c79bff", "#7fc4f2", "#7fe0b4", "#e6d84d"] };

// Of Okabe and Ito, which all eyes tell apart, the darkest first on light and the lightest on dark; the last is that of all others.
const REFERENCES = {
  light: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#b8a800", "#9a9ea8"],
  dark: ["#56b4e9", "#e69f00", "#00b386", "#cc79a7", "#2f86c4", "#d55e00", "#a98fd0", "#d8c92e", "#9a9ea8"],
};
const MANY = REFERENCES.light.length - 1;
const INK = { light: "#000000", dark: "#ffffff" };

export const isDark = () => document.documentElement.dataset.theme === "dark";
export const scheme = () => (isDark() ? "dark" : "light");
export const inkOf = (name = scheme()) => INK[name];
export const referenceColour = (n, name = scheme()) => REFERENCES[name].at(n);
export const colourOf = (n, name = scheme()) => PALETTES[name][n % PALETTES[name].length];

/** Central differences, as numpy.gradient takes them. */
export function derivative(x, y) {
  return y.map((_, n) => {
    const [a, b] = [Math.max(n - 1, 0), Math.min(n + 1, x.length - 1)];
    return (y[b] - y[a]) / (x[b] - x[a]);
  });
}

const title = (id) => crystals.get(id)?.formula ?? state().files[id]?.name ?? "";

/** The name of a crystal; its file as well where two have one formula. */
export function nameOf(id) {
  const own = title(id);
  const twice = state().crystals.filter((each) => title(each.id) === own).length > 1;
  return twice ? `${own} (${state().files[id].name})` : own;
}

export function picture(name = scheme()) {
  const now = state();
  const { relative, derivative: sloped, band, sites } = now.view;
  const [curves, bands, marks] = [[], [], []];
  const overlay = shownOverlay()?.value;
  const fit = fitValues();
  const isMoved = overlay && fit && (fit.shift !== 0 || fit.broaden !== 0 || fit.lorentzian !== 0);
  const origin = relative ? originOf() : null;
  const from = origin?.e0 ?? 0;
  const add = (x, y, from, look) => curves.push({ x: x.map((each) => each - from), y: sloped ? derivative(x, y) : y, ...look });
  const shown = now.crystals.filter((each) => each.visible && spectrumOf(each.id, now.absorber));
  now.crystals.forEach(({ id, visible }, n) => {
    const found = visible && spectrumOf(id, now.absorber);
    if (!found) return;
    const isChosen = id === now.selected;
    const colour = colourOf(n, name);
    if (band && found.sigma && !sloped && (isChosen || shown.length <= 3)) {
      bands.push({ x: found.energy.map((each) => each - from), low: found.norm.map((y, k) => y - found.sigma[k]), high: found.norm.map((y, k) => y + found.sigma[k]), colour });
    }
    if (sites && isChosen && found.sites.length > 1) addSites(found, from, add, name);
    const faint = isChosen && isMoved;
    add(found.energy, found.norm, from, {
      id: `crystal:${id}`, colour, width: isChosen ? 2.6 : 2, dash: faint ? "5 4" : undefined, short: nameOf(id),
      label: faint ? `${nameOf(id)}, as predicted` : nameOf(id), trust: found.trust, crystal: id,
    });
    if (isMoved && isChosen) {
      const moved = overlay.after;
      add(moved.energy, moved.predicted, from, {
        id: "moved", colour, width: 2.6, short: "moved", label: `${nameOf(id)}, ${movedBy(fit)}`, crystal: id,
      });
    }
    if (isChosen && found.e0 !== null && !relative) marks.push({ x: found.e0, label: `E₀ ${found.e0.toFixed(1)}` });
  });
  addScans(now, add, from, name);
  const scan = measured()?.value;
  const range = curves.length && scan ? around(curves) : null;
  return {
    name: `${now.absorber}-${relative}-${sloped}`, curves, bands, marks, range,
    title: now.absorber ? `${now.absorber} K edge` : "",
    xLabel: energyLabel(origin),
    yLabel: sloped ? "dμ/dE (1/eV)" : "μ(E), normalised",
    told: `${now.absorber} K edge: ${curves.filter((each) => each.label).map((each) => each.label).join("; ")}`,
  };
}

/** One E₀ for all curves, the scan's if there is one: shifts stay visible. */
export function originOf() {
  const now = state();
  const scan = measured()?.value;
  if (scan?.e0 && scan.absorber === now.absorber) return { e0: scan.e0 + (scan.energy_shift ?? 0), of: "the scan" };
  const ids = [now.selected, ...now.crystals.map((each) => each.id)];
  const id = ids.find((each) => spectrumOf(each, now.absorber)?.e0);
  return id ? { e0: spectrumOf(id, now.absorber).e0, of: nameOf(id) } : null;
}

/** What the energies of an axis are, and what they are counted from. */
export const energyLabel = (origin) => (origin ? `Energy − E₀ (eV), E₀ ${origin.e0.toFixed(2)} eV of ${origin.of}` : "Energy (eV)");

/** Shift and broadening in words. */
export function movedBy({ shift, broaden, lorentzian }) {
  const words = [`${shift < 0 ? "−" : "+"}${Math.abs(shift).toFixed(2)} eV`];
  if (broaden) words.push(`Gaussian ${broaden.toFixed(2)} eV`);
  if (lorentzian) words.push(`Lorentzian ${lorentzian.toFixed(2)} eV`);
  return words.join(", ");
}

function addSites(found, from, add, name) {
  const lit = state().site;
  const many = found.sites.length > 8;
  found.sites.forEach((site, n) => {
    const isLit = lit !== null && site.sites.includes(lit);
    if (!site.norm || (many && lit !== null && !isLit)) return;
    const colours = SITES[name];
    add(found.energy, site.norm, from, {
      id: `site:${site.sites[0]}`, colour: colours[n % colours.length], width: isLit ? 2.6 : 1.1, faint: lit !== null && !isLit, site: site.sites[0],
      short: isLit || !many ? `site ${site.sites[0]}` : undefined,
      label: isLit || !many ? `${found.absorber} site ${site.sites[0]} (×${site.sites.length})` : undefined,
    });
  });
}

/** The ticked scans, dotted; the chosen one in black or white, and last, so that it lies on top. */
function addScans(now, add, from, name) {
  const shown = now.scans.filter((each) => each.visible || each.id === now.scan);
  for (const each of shown.toSorted((a, b) => (a.id === now.scan) - (b.id === now.scan))) {
    const found = measuredOf(each)?.value;
    if (!found || (now.absorber && found.absorber !== now.absorber)) continue;
    const isChosen = each.id === now.scan;
    const title = found.label || found.scan;
    add(found.energy.map((x) => x + (found.energy_shift ?? 0)), found.flat ?? found.norm, from, {
      id: isChosen ? "scan" : `scan:${each.id}`, colour: scanColour(each.id, name), width: isChosen ? 1.7 : 1.3, dash: "1.5 2.5",
      short: isChosen ? "scan" : found.scan, label: `${title}, measured`,
    });
  }
}

/** Scans are drawn in the colours of references, for both are measured; the chosen one in ink. */
export function scanColour(id, name = scheme()) {
  return id === state().scan ? inkOf(name) : referenceColour(state().scans.findIndex((each) => each.id === id) % MANY, name);
}

/** The window of the predictions: a scan may reach a thousand eV further. */
function around(curves) {
  const predicted = curves.filter((each) => !each.id.startsWith("scan"));
  if (!predicted.length) return null;
  return [Math.min(...predicted.map((each) => each.x[0])), Math.max(...predicted.map((each) => each.x.at(-1)))];
}

/** The scan as measured, with the lines it was normalised by. */
export function normPicture(scan, colours) {
  const e0 = scan.e0;
  const x = scan.energy.map((each) => each - e0);
  const curve = (y, colour, label, dash) => ({ x, y, colour, width: 1.8, label, short: label, dash, id: label });
  const { pre1, pre2, norm1, norm2 } = scan.ranges;
  return {
    name: `norm-${scan.scan}`, xLabel: "Energy − E₀ (eV)", yLabel: "μ(E), as measured", told: "The scan with its pre-edge and post-edge lines",
    curves: [curve(scan.mu, colours.ink, "μ"), curve(scan.pre_line, colourOf(2), "pre-edge", "6 4"), curve(scan.post_line, colourOf(1), "post-edge", "6 4")],
    spans: [{ from: pre1, to: pre2, colour: colourOf(2) }, { from: norm1, to: norm2, colour: colourOf(1) }],
  };
}
