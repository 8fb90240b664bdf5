/** Pictures and answers as files. */

import { h } from "./dom.js";
import { LIGHT, draw, s } from "./draw.js";

const NS = "http://www.w3.org/2000/svg";

export function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What the server sent as a file, under the name it gives or another one. */
export async function saveAnswer(response, name) {
  const given = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition"))?.[1];
  save(await response.blob(), name ?? given);
}

/** Pictures one below the other, { picture, height } each, as one figure on white. */
export function figure(parts, width) {
  const height = parts.reduce((sum, each) => sum + each.height, 0);
  const all = s("svg", { xmlns: NS, viewBox: `0 0 ${width} ${height}`, width, height });
  all.append(s("rect", { width, height, fill: LIGHT.paper }));
  let y = 0;
  for (const each of parts) {
    const { svg } = draw(each.picture, width, each.height, LIGHT, { legend: true });
    svg.setAttribute("y", y);
    all.append(svg);
    y += each.height;
  }
  return all;
}

const blobOf = (svg) => new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });

export const saveSvg = (svg, stem) => save(blobOf(svg), `${stem}.svg`);

export async function savePng(svg, stem) {
  const [width, height] = ["width", "height"].map((name) => 2 * Number(svg.getAttribute(name)));
  const image = new Image();
  const address = URL.createObjectURL(blobOf(svg));
  await new Promise((done, fail) => { image.onload = done; image.onerror = () => fail(new Error("the figure cannot be made into a PNG: take the SVG")); image.src = address; });
  const canvas = h("canvas", { width, height });
  canvas.getContext("2d").drawImage(image, 0, 0, width, height);
  URL.revokeObjectURL(address);
  save(await new Promise((done) => { canvas.toBlob(done, "image/png"); }), `${stem}.png`);
}

/** Buttons that save, each { text: action }; one that fails says why. */
export function saveButtons(actions, onError) {
  return Object.entries(actions).map(([text, action]) => h("button", { type: "button", onclick: async (event) => {
    event.target.disabled = true;
    try { await action(); } catch (error) { onError(error.message); }
    event.target.disabled = false;
  } }, text));
}
