/** Files to take along, and the words that do the same without this page. */

import { ask, form } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { measured, spectrumOf } from "./model.js";
import { picture } from "./picture.js";
import { LIGHT, draw } from "./plot.js";
import { state } from "./state.js";

const FROM_SERVER = [["csv", "CSV"], ["xdi", "XDI"], ["prj", "Athena"], ["nxs", "NeXus"], ["zip", "Zip of all"]];
const [WIDTH, HEIGHT] = [900, 600];

const shownCrystals = () => state().crystals.filter((each) => each.visible && spectrumOf(each.id, state().absorber));
const stem = () => {
  const [first] = shownCrystals();
  return `${(first ? state().files[first.id].name : "scan").replace(/\.[^.]*$/, "").replace(/[^\w.-]+/g, "_")}_${state().absorber}`;
};

export function prepare(onError) {
  const button = (text, action) => h("button", { type: "button", onclick: async (event) => {
    event.target.disabled = true;
    try { await action(); } catch (error) { onError(error.message); }
    event.target.disabled = false;
  } }, text);
  fill(byId("downloads"),
    button("PNG", png), button("SVG", () => save(svgFile(), `${stem()}.svg`)),
    ...FROM_SERVER.map(([format, text]) => button(text, () => fromServer(format))));
}

function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function svgFile() {
  const { svg } = draw(picture("light"), WIDTH, HEIGHT, LIGHT, { legend: true });
  return new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });
}

async function png() {
  const image = new Image();
  const address = URL.createObjectURL(svgFile());
  await new Promise((done, fail) => { image.onload = done; image.onerror = () => fail(new Error("the figure cannot be made into a PNG: take the SVG")); image.src = address; });
  const canvas = h("canvas", { width: 2 * WIDTH, height: 2 * HEIGHT });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * WIDTH, 2 * HEIGHT);
  URL.revokeObjectURL(address);
  save(await new Promise((done) => { canvas.toBlob(done, "image/png"); }), `${stem()}.png`);
}

async function fromServer(format) {
  const files = shownCrystals().map(({ id }) => ["crystals", state().files[id]]);
  const response = await ask("predict", form(files, { absorber: state().absorber, format }));
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition"))?.[1];
  save(await response.blob(), name ?? `${stem()}.${format}`);
}

const shellWord = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const quoted = (text) => JSON.stringify(text);

export function showTake() {
  const now = state();
  const crystals = shownCrystals();
  byId("take-card").hidden = !crystals.length;
  if (!crystals.length) return;
  const names = crystals.map(({ id }) => now.files[id].name);
  const chosen = now.files[now.selected]?.name ?? names[0];
  const { model } = spectrumOf(crystals[0].id, now.absorber);
  const own = model === "calibrated" ? "" : ` --model ${shellWord(model)}`;
  const lines = [`cgxas predict ${names.map(shellWord).join(" ")} --absorber ${now.absorber}${own} --sites --plot ${shellWord(stem())}.png -o ${shellWord(stem())}.xdi`];
  const python = ["import cgxas", "", `model = cgxas.load(${own ? quoted(model) : ""})`, ...names.map((name, n) => `spectrum${names.length > 1 ? n + 1 : ""} = model.predict(${quoted(name)}, ${quoted(now.absorber)})`)];
  const scan = measured()?.value;
  if (scan && scan.absorber === now.absorber) withScan(now, chosen, names, own, lines, python);
  byId("shell").textContent = lines.join("\n");
  byId("python").textContent = python.join("\n");
}

function withScan(now, chosen, names, own, lines, python) {
  const { options } = now.scan;
  const file = now.files[now.scan.id].name;
  const source = options.group ? `${file}:${options.group}` : file;
  const words = ["edge", "energy", "mu"].filter((name) => options[name]).map((name) => ` --${name} ${shellWord(options[name])}`).join("");
  const { shift, broaden } = now.fit;
  const said = options.ranges ? "  # with the ranges that cgxas chooses" : "";
  lines.push(`cgxas compare ${shellWord(chosen)} ${shellWord(source)} --absorber ${now.absorber}${own}${words} --shift ${shift} --broaden ${broaden} --plot compare.png${said}`);
  const more = ["group", "energy", "mu", "edge"].filter((name) => options[name]).map((name) => `, ${name}=${quoted(options[name])}`).join("");
  python.push(`measured = cgxas.read_spectrum(${quoted(file)}, ${quoted(now.absorber)}${more})`);
  if (options.ranges) {
    const { pre1, pre2, npre, norm1, norm2, nnorm } = options.ranges;
    python.push(`measured = cgxas.renormalised(measured, cgxas.Ranges(${pre1}, ${pre2}, ${npre}, ${norm1}, ${norm2}, ${nnorm}))`);
  }
  const n = names.length > 1 ? names.indexOf(chosen) + 1 || 1 : "";
  python.push(`comparison = cgxas.compare(spectrum${n}, measured, shift=${quoted(shift)}, broaden=${quoted(broaden)})`);
}
