/** A picture as an SVG: axes with units, bands, curves, a map with its colour scale; also for files. */

const NS = "http://www.w3.org/2000/svg";
const FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

const LEFT = 64; // pixels, for numbers of five digits and what they are

export const LIGHT = { ink: "#1b1e28", soft: "#565d6e", grid: "#e6e9f0", paper: "#ffffff" };
export const DARK = { ink: "#e8eaf2", soft: "#a7aec0", grid: "#2c3140", paper: "#1b1e28" };

export function s(name, attributes, ...children) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Round values for an axis, about as many as wanted. */
export function ticks(low, high, wanted) {
  const raw = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((each) => each >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const found = [];
  for (let n = first; n * step <= high + step * 1e-9; n += 1) found.push(n * step);
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return found.map((value) => [value, value.toFixed(digits).replace("-", "−")]);
}

function extent(picture, range) {
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x } of picture.curves) {
    x0 = Math.min(x0, x[0]);
    x1 = Math.max(x1, x.at(-1));
  }
  const wanted = range ?? picture.range;
  if (wanted) [x0, x1] = wanted;
  if (picture.yRange) return [x0, x1, ...picture.yRange];
  const look = (xs, ys) => xs.forEach((x, n) => {
    if (x < x0 || x > x1 || !Number.isFinite(ys[n])) return;
    y0 = Math.min(y0, ys[n]);
    y1 = Math.max(y1, ys[n]);
  });
  for (const { x, y } of picture.curves) look(x, y);
  for (const { x, low, high } of picture.bands ?? []) { look(x, low); look(x, high); }
  if (!(y1 > y0)) [y0, y1] = [0, 1];
  const room = 0.06 * (y1 - y0);
  return [x0, x1, y0 - room, y1 + room];
}

const namedOf = (picture) => picture.key ?? picture.curves.filter((each) => each.label);

/** Room around the plot for what stands there. */
function margins(picture, legend) {
  const rows = legend ? Math.ceil(namedOf(picture).length / 2) : 0;
  const top = 10 + (legend && picture.title ? 26 : 0) + (picture.scale ? 34 : 0);
  return { left: LEFT, right: 14, top, bottom: (picture.xLabel ? 44 : 24) + rows * 19 };
}

/** Draw a picture into an SVG of a size; returns it with the ways between data and pixels. */
export function draw(picture, width, height, colours, { range, legend = false } = {}) {
  const [x0, x1, y0, y1] = extent(picture, range);
  const m = margins(picture, legend);
  const [w, hgt] = [Math.max(width - m.left - m.right, 50), Math.max(height - m.top - m.bottom, 50)];
  const px = (x) => m.left + ((x - x0) / (x1 - x0)) * w;
  const py = (y) => m.top + (1 - (y - y0) / (y1 - y0)) * hgt;
  const text = { "font-family": FONT, "font-size": 12, fill: colours.soft };
  const svg = s("svg", { xmlns: NS, viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": picture.told });
  const id = `clip-${Math.round(width)}-${Math.round(height)}-${picture.name}`;
  svg.append(s("defs", {}, s("clipPath", { id }, s("rect", { x: m.left, y: m.top, width: w, height: hgt }))));
  if (legend) svg.append(s("rect", { width, height, fill: colours.paper }));
  if (legend && picture.title) svg.append(s("text", { ...text, x: m.left, y: 24, "font-size": 15, "font-weight": 600, fill: colours.ink }, picture.title));
  svg.append(...grid({ x0, x1, y0, y1, px, py, m, w, hgt, text, colours, picture }));
  svg.append(inside({ id, px, py, m, hgt, text, colours, picture }));
  svg.append(s("rect", { x: m.left, y: m.top, width: w, height: hgt, fill: "none", stroke: colours.soft, "stroke-opacity": 0.5 }));
  if (picture.scale) svg.append(...scaleBar(picture.scale, m, w, text, colours, id));
  if (legend) svg.append(...key(picture, width, m.top + hgt + (picture.xLabel ? 58 : 38), text, colours));
  return { svg, px, py, toX: (pixel) => x0 + ((pixel - m.left) / w) * (x1 - x0), range: [x0, x1], box: { ...m, w, h: hgt } };
}

/** Lines and numbers of both axes, and what they are. */
function grid({ x0, x1, y0, y1, px, py, m, w, hgt, text, colours, picture }) {
  const made = [];
  const across = picture.isWhole ? ticks(x0, x1, Math.max(3, w / 95)).filter(([value]) => Number.isInteger(value)) : ticks(x0, x1, Math.max(3, w / 95));
  for (const [value, label] of across) {
    made.push(s("line", { x1: px(value), x2: px(value), y1: m.top, y2: m.top + hgt, stroke: colours.grid }));
    made.push(s("text", { ...text, x: px(value), y: m.top + hgt + 17, "text-anchor": "middle" }, label));
  }
  for (const [value, label] of ticks(y0, y1, Math.max(3, hgt / (picture.image ? 44 : 62)))) {
    made.push(s("line", { x1: m.left, x2: m.left + w, y1: py(value), y2: py(value), stroke: colours.grid }));
    made.push(s("text", { ...text, x: m.left - 7, y: py(value) + 4, "text-anchor": "end" }, label));
  }
  if (picture.xLabel) made.push(s("text", { ...text, x: m.left + w / 2, y: m.top + hgt + 36, "text-anchor": "middle", "font-size": 13 }, picture.xLabel));
  made.push(s("text", { ...text, transform: `translate(14 ${m.top + hgt / 2}) rotate(-90)`, "text-anchor": "middle", "font-size": 13 }, picture.yLabel));
  return made;
}

/** What is drawn within the axes. */
function inside({ id, px, py, m, hgt, text, colours, picture }) {
  const made = s("g", { "clip-path": `url(#${id})` });
  const { image } = picture;
  if (image) {
    made.append(s("image", { href: image.href, x: px(image.x0), y: py(image.y1), width: px(image.x1) - px(image.x0), height: py(image.y0) - py(image.y1), preserveAspectRatio: "none", "image-rendering": "pixelated", "data-curve": "map" }));
  }
  for (const band of picture.bands ?? []) {
    const up = band.x.map((x, n) => `${px(x).toFixed(1)},${py(band.high[n]).toFixed(1)}`);
    const down = band.x.map((x, n) => `${px(x).toFixed(1)},${py(band.low[n]).toFixed(1)}`).reverse();
    made.append(s("polygon", { points: [...up, ...down].join(" "), fill: band.colour, "fill-opacity": band.opacity ?? 0.17, "data-band": band.id }));
  }
  for (const span of picture.spans ?? []) {
    made.append(s("rect", { x: px(span.from), width: Math.max(px(span.to) - px(span.from), 0), y: m.top, height: hgt, fill: span.colour, "fill-opacity": 0.12 }));
  }
  for (const mark of picture.marks ?? []) {
    made.append(s("line", { x1: px(mark.x), x2: px(mark.x), y1: m.top, y2: m.top + hgt, stroke: mark.colour ?? colours.soft, "stroke-dasharray": "2 3" }));
    if (!mark.label) continue;
    const left = px(mark.x) > m.left + 40;
    made.append(s("text", { ...text, "font-size": 11, transform: `translate(${px(mark.x) + (left ? -4 : 12)} ${m.top + 6}) rotate(-90)`, "text-anchor": "end" }, mark.label));
  }
  for (const curve of picture.curves) made.append(line(curve, px, py));
  return made;
}

/** The colours of a map from low to high, with their values and unit, above it. */
function scaleBar({ stops, low, high, label }, m, w, text, colours, id) {
  const [x, y, width] = [m.left, m.top - 38, Math.min(220, w / 2)];
  const across = (value) => x + ((value - low) / (high - low)) * width;
  const gradient = s("linearGradient", { id: `${id}-scale` }, ...stops.map((colour, n) => s("stop", { offset: n / (stops.length - 1), "stop-color": colour })));
  return [
    s("defs", {}, gradient),
    s("rect", { x, y: y + 4, width, height: 10, fill: `url(#${id}-scale)`, stroke: colours.soft, "stroke-opacity": 0.5 }),
    ...ticks(low, high, 4).map(([value, told]) => s("text", { ...text, x: across(value), y: y + 28, "text-anchor": "middle" }, told)),
    s("text", { ...text, x: x + width + 12, y: y + 14, fill: colours.ink }, label),
  ];
}

function line(curve, px, py) {
  let path = "";
  let pen = "M";
  curve.x.forEach((x, n) => {
    if (!Number.isFinite(curve.y[n])) { pen = "M"; return; }
    path += `${pen}${px(x).toFixed(1)} ${py(curve.y[n]).toFixed(1)}`;
    if (curve.dots) path += "h0";
    else pen = "L";
  });
  return s("path", { d: path, fill: "none", stroke: curve.colour, "stroke-width": curve.width ?? 2, "stroke-dasharray": curve.dash, "stroke-opacity": curve.faint ? 0.28 : 1, "stroke-linejoin": "round", "stroke-linecap": curve.dots ? "round" : undefined, "data-curve": curve.id });
}

function key(picture, width, top, text, colours) {
  return namedOf(picture).flatMap((curve, n) => {
    const [x, y] = [LEFT + (n % 2) * ((width - LEFT - 14) / 2), top + Math.floor(n / 2) * 19];
    return [
      s("line", { x1: x, x2: x + 24, y1: y - 4, y2: y - 4, stroke: curve.colour, "stroke-width": curve.width ?? 2, "stroke-dasharray": curve.dash }),
      s("text", { ...text, x: x + 31, y, fill: colours.ink }, curve.label),
    ];
  });
}
