/** A plot on the page that can be read and zoomed by mouse, finger and keyboard. */

import { draw, s } from "./draw.js";

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

/** The number of the place nearest to x. */
const nearest = (stops, x) => stops.reduce((best, stop, n) => (Math.abs(stop - x) < Math.abs(stops[best] - x) ? n : best), 0);

/** A plot on the page; a picture with `stops` is of a series, read place by place by `tell`. */
export class Plot {
  constructor(element, { readout, onHover = () => {}, onPick = null }) {
    Object.assign(this, { element, readout, onHover, onPick, range: null, x: null, down: null, mates: [] });
    new ResizeObserver(() => this.redraw()).observe(element);
    element.addEventListener("pointermove", (event) => this.moved(event));
    element.addEventListener("pointerleave", () => { this.goTo(null); onHover(null); });
    element.addEventListener("click", (event) => this.picked(event));
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
    this.goTo(this.drawn.toX(this.pixel(event)));
    const y = event.clientY - this.element.getBoundingClientRect().top;
    let [found, least] = [null, 14];
    for (const curve of this.picture.curves) {
      const value = at(curve, this.x);
      const away = value === null ? Infinity : Math.abs(this.drawn.py(value) - y);
      if (away < least) [found, least] = [curve, away];
    }
    this.onHover(found);
  }

  released(event) {
    const [from, to] = [this.down, this.pixel(event)];
    this.down = null;
    this.isDragged = from !== null && Math.abs(to - from) >= 12;
    if (!this.isDragged || !this.drawn) return;
    this.zoom([this.drawn.toX(Math.min(from, to)), this.drawn.toX(Math.max(from, to))]);
  }

  /** Plots that are mates share cursor and zoom. */
  zoom(range) { for (const each of [this, ...this.mates]) { each.range = range; each.redraw(); } }

  /** Put the cursor somewhere; the one that is pointed at tells the values last. */
  goTo(x) { for (const each of [...this.mates, this]) { each.x = x; each.point(); } }

  picked(event) {
    if (!this.onPick || !this.drawn || this.isDragged) return;
    this.onPick(nearest(this.picture.stops, this.drawn.toX(this.pixel(event))));
  }

  key(event) {
    if (!this.drawn) return;
    const [low, high] = this.drawn.range;
    const middle = this.x ?? (low + high) / 2;
    const half = (high - low) / 2;
    const sign = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (sign) this.goTo(this.next(middle, sign * (event.shiftKey ? 10 : 1)));
    else if (event.key === "+") this.zoom([middle - half / 1.5, middle + half / 1.5]);
    else if (event.key === "-" || event.key === "0" || event.key === "Escape") this.zoom(null);
    else if (event.key === "Enter" && this.onPick) this.onPick(nearest(this.picture.stops, middle));
    else return;
    event.preventDefault();
  }

  /** The place some steps away, within what is shown. */
  next(x, steps) {
    const { stops } = this.picture;
    if (stops) return stops[Math.min(Math.max(nearest(stops, x) + (this.x === null ? 0 : steps), 0), stops.length - 1)];
    const [low, high] = this.drawn.range;
    return Math.min(Math.max(x + (steps * (high - low)) / 200, low), high);
  }

  /** Draw the cursor, and tell the values there. */
  point() {
    this.cursor?.remove();
    if (this.x === null || !this.drawn) { this.readout.textContent = this.range ? "Double click, or 0, shows all again." : ""; return; }
    if (this.picture.stops) this.pointAtPlace();
    else this.pointAtCurves();
  }

  /** The line of the cursor, and what a hand on its way to zoom has passed. */
  line(x) {
    const { px, box } = this.drawn;
    this.cursor = s("g", { "pointer-events": "none" }, s("line", { x1: px(x), x2: px(x), y1: box.top, y2: box.top + box.h, stroke: this.colours.soft }));
    if (this.down === null) return;
    const from = px(this.drawn.toX(this.down));
    this.cursor.append(s("rect", { x: Math.min(from, px(this.x)), width: Math.abs(px(this.x) - from), y: box.top, height: box.h, fill: this.colours.soft, "fill-opacity": 0.15 }));
  }

  pointAtPlace() {
    const n = nearest(this.picture.stops, this.x);
    this.line(this.picture.stops[n]);
    this.drawn.svg.append(this.cursor);
    this.readout.textContent = this.picture.tell(n);
  }

  pointAtCurves() {
    const { svg, px, py } = this.drawn;
    this.line(this.x);
    const told = [`${this.x.toFixed(2).replace("-", "−")} eV`];
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
