/** Curves as an SVG: axes with units, bands, a cursor that reads values, zoom; also for files. */

const NS = "http://www.w3.org/2000/svg";
const FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

export const LIGHT = { ink: "#1b1e28", soft: "#565d6e", grid: "#e6e9f0", paper: "#ffffff" };
export const DARK = { ink: "#e8eaf2", soft: "#a7aec0", grid: "#2c3140", paper: "#1b1e28" };

function s(name, attributes, ...children) {
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

/** Draw a picture into an SVG of a size; returns it with the ways between data and pixels. */
export function draw(picture, width, height, colours, { range, legend = false } = {}) {
  const [x0, x1, y0, y1] = extent(picture, range);
  const rows = legend ? Math.ceil(picture.curves.filter((each) => each.label).length / 2) : 0;
  const m = { left: 56, right: 14, top: 10 + (legend && picture.title ? 26 : 0), bottom: 44 + rows * 19 };
  const [w, hgt] = [Math.max(width - m.left - m.right, 50), Math.max(height - m.top - m.bottom, 50)];
  const px = (x) => m.left + ((x - x0) / (x1 - x0)) * w;
  const py = (y) => m.top + (1 - (y - y0) / (y1 - y0)) * hgt;
  const text = { "font-family": FONT, "font-size": 12, fill: colours.soft };
  const svg = s("svg", { xmlns: NS, viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": picture.told });
  const id = `clip-${Math.round(width)}-${Math.round(height)}-${picture.name}`;
  svg.append(s("defs", {}, s("clipPath", { id }, s("rect", { x: m.left, y: m.top, width: w, height: hgt }))));
  if (legend) svg.append(s("rect", { width, height, fill: colours.paper }));
  if (legend && picture.title) svg.append(s("text", { ...text, x: m.left, y: 24, "font-size": 15, "font-weight": 600, fill: colours.ink }, picture.title));
  for (const [value, label] of ticks(x0, x1, Math.max(3, w / 95))) {
    svg.append(s("line", { x1: px(value), x2: px(value), y1: m.top, y2: m.top + hgt, stroke: colours.grid }));
    svg.append(s("text", { ...text, x: px(value), y: m.top + hgt + 17, "text-anchor": "middle" }, label));
  }
  for (const [value, label] of ticks(y0, y1, Math.max(3, hgt / 62))) {
    svg.append(s("line", { x1: m.left, x2: m.left + w, y1: py(value), y2: py(value), stroke: colours.grid }));
    svg.append(s("text", { ...text, x: m.left - 7, y: py(value) + 4, "text-anchor": "end" }, label));
  }
  svg.append(s("text", { ...text, x: m.left + w / 2, y: m.top + hgt + 36, "text-anchor": "middle", "font-size": 13 }, picture.xLabel));
  svg.append(s("text", { ...text, transform: `translate(14 ${m.top + hgt / 2}) rotate(-90)`, "text-anchor": "middle", "font-size": 13 }, picture.yLabel));
  const inside = s("g", { "clip-path": `url(#${id})` });
  for (const band of picture.bands ?? []) {
    const up = band.x.map((x, n) => `${px(x).toFixed(1)},${py(band.high[n]).toFixed(1)}`);
    const down = band.x.map((x, n) => `${px(x).toFixed(1)},${py(band.low[n]).toFixed(1)}`).reverse();
    inside.append(s("polygon", { points: [...up, ...down].join(" "), fill: band.colour, "fill-opacity": 0.17 }));
  }
  for (const span of picture.spans ?? []) {
    inside.append(s("rect", { x: px(span.from), width: Math.max(px(span.to) - px(span.from), 0), y: m.top, height: hgt, fill: span.colour, "fill-opacity": 0.12 }));
  }
  for (const mark of picture.marks ?? []) {
    inside.append(s("line", { x1: px(mark.x), x2: px(mark.x), y1: m.top, y2: m.top + hgt, stroke: mark.colour ?? colours.soft, "stroke-dasharray": "2 3" }));
    const left = px(mark.x) > m.left + 40;
    inside.append(s("text", { ...text, "font-size": 11, transform: `translate(${px(mark.x) + (left ? -4 : 12)} ${m.top + 6}) rotate(-90)`, "text-anchor": "end" }, mark.label));
  }
  for (const curve of picture.curves) inside.append(line(curve, px, py));
  svg.append(inside);
  svg.append(s("rect", { x: m.left, y: m.top, width: w, height: hgt, fill: "none", stroke: colours.soft, "stroke-opacity": 0.5 }));
  if (legend) svg.append(...key(picture, width, m.top + hgt + 58, text, colours));
  return { svg, px, py, toX: (pixel) => x0 + ((pixel - m.left) / w) * (x1 - x0), range: [x0, x1], box: { ...m, w, h: hgt } };
}

function line(curve, px, py) {
  let path = "";
  let pen = "M";
  curve.x.forEach((x, n) => {
    if (!Number.isFinite(curve.y[n])) { pen = "M"; return; }
    path += `${pen}${px(x).toFixed(1)} ${py(curve.y[n]).toFixed(1)}`;
    pen = "L";
  });
  return s("path", { d: path, fill: "none", stroke: curve.colour, "stroke-width": curve.width ?? 2, "stroke-dasharray": curve.dash, "stroke-opacity": curve.faint ? 0.28 : 1, "stroke-linejoin": "round", "data-curve": curve.id });
}

function key(picture, width, top, text, colours) {
  const named = picture.curves.filter((each) => each.label);
  return named.flatMap((curve, n) => {
    const [x, y] = [56 + (n % 2) * ((width - 70) / 2), top + Math.floor(n / 2) * 19];
    return [
      s("line", { x1: x, x2: x + 24, y1: y - 4, y2: y - 4, stroke: curve.colour, "stroke-width": curve.width ?? 2, "stroke-dasharray": curve.dash }),
      s("text", { ...text, x: x + 31, y, fill: colours.ink }, curve.label),
    ];
  });
}

function at(curve, x) {
  const { x: xs, y: ys } = curve;
  if (x < xs[0] || x > xs.at(-1)) return null;
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle; else high = middle;
  }
  return ys[low] + ((ys[high] - ys[low]) * (x - xs[low])) / (xs[high] - xs[low]);
}

/** A plot on the page that can be read and zoomed by mouse, finger and keyboard. */
export class Plot {
  constructor(element, { readout, onHover = () => {} }) {
    Object.assign(this, { element, readout, onHover, range: null, x: null, down: null });
    new ResizeObserver(() => this.redraw()).observe(element);
    element.addEventListener("pointermove", (event) => this.moved(event));
    element.addEventListener("pointerleave", () => { this.x = null; this.point(); onHover(null); });
    element.addEventListener("pointerdown", (event) => { if (event.pointerType === "mouse") this.down = this.pixel(event); });
    element.addEventListener("pointerup", (event) => this.released(event));
    element.addEventListener("dblclick", () => this.zoom(null));
    element.addEventListener("keydown", (event) => this.key(event));
  }

  show(picture, colours) {
    if (picture.name !== this.picture?.name) this.range = null;
    Object.assign(this, { picture, colours });
    this.redraw();
  }

  redraw() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!this.picture || !width || !height) return;
    this.drawn = draw(this.picture, width, height, this.colours, { range: this.range });
    this.element.replaceChildren(this.drawn.svg);
    this.point();
  }

  pixel(event) { return event.clientX - this.element.getBoundingClientRect().left; }

  moved(event) {
    if (!this.drawn) return;
    this.x = this.drawn.toX(this.pixel(event));
    this.point();
    const y = event.clientY - this.element.getBoundingClientRect().top;
    let [nearest, least] = [null, 14];
    for (const curve of this.picture.curves) {
      const value = at(curve, this.x);
      const away = value === null ? Infinity : Math.abs(this.drawn.py(value) - y);
      if (away < least) [nearest, least] = [curve, away];
    }
    this.onHover(nearest);
  }

  released(event) {
    const [from, to] = [this.down, this.pixel(event)];
    this.down = null;
    if (from === null || !this.drawn || Math.abs(to - from) < 12) return;
    this.zoom([this.drawn.toX(Math.min(from, to)), this.drawn.toX(Math.max(from, to))]);
  }

  zoom(range) { this.range = range; this.redraw(); }

  key(event) {
    if (!this.drawn) return;
    const [low, high] = this.drawn.range;
    const middle = this.x ?? (low + high) / 2;
    const step = (high - low) / (event.shiftKey ? 20 : 200);
    const half = (high - low) / 2;
    if (event.key === "ArrowRight") this.x = Math.min(middle + step, high);
    else if (event.key === "ArrowLeft") this.x = Math.max(middle - step, low);
    else if (event.key === "+") this.zoom([middle - half / 1.5, middle + half / 1.5]);
    else if (event.key === "-" || event.key === "0" || event.key === "Escape") this.zoom(null);
    else return;
    event.preventDefault();
    this.point();
  }

  /** Draw the cursor, and tell the values there. */
  point() {
    this.cursor?.remove();
    if (this.x === null || !this.drawn) { this.readout.textContent = this.range ? "Double click, or 0, shows all again." : ""; return; }
    const { svg, px, py, box } = this.drawn;
    const told = [`${this.x.toFixed(2).replace("-", "−")} eV`];
    this.cursor = s("g", { "pointer-events": "none" }, s("line", { x1: px(this.x), x2: px(this.x), y1: box.top, y2: box.top + box.h, stroke: this.colours.soft }));
    if (this.down !== null) {
      const from = px(this.drawn.toX(this.down));
      this.cursor.append(s("rect", { x: Math.min(from, px(this.x)), width: Math.abs(px(this.x) - from), y: box.top, height: box.h, fill: this.colours.soft, "fill-opacity": 0.15 }));
    }
    for (const curve of this.picture.curves) {
      const value = at(curve, this.x);
      if (value === null || !Number.isFinite(value) || curve.faint) continue;
      this.cursor.append(s("circle", { cx: px(this.x), cy: py(value), r: 3.2, fill: curve.colour }));
      if (curve.short) told.push(`${curve.short} ${value.toFixed(3).replace("-", "−")}`);
    }
    svg.append(this.cursor);
    this.readout.textContent = told.slice(0, 9).join(" · ");
  }
}
