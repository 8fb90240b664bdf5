/** The page: what the user does changes the state, the state is shown. */

import { ask, takeToken } from "./api.js";
import { resize, showCrystal } from "./crystal.js";
import { byId, fill, formula, h, roving } from "./dom.js";
import { DARK, LIGHT } from "./draw.js";
import { filesOf, readFiles } from "./dropped.js";
import { isScan } from "./kinds.js";
import * as matchPanel from "./match.js";
import * as mixPanel from "./mix.js";
import * as model from "./model.js";
import * as periodic from "./periodic.js";
import { colourOf, isDark, picture } from "./picture.js";
import { Plot } from "./plot.js";
import * as questions from "./questions.js";
import * as scanPanel from "./scan.js";
import * as scanList from "./scans.js";
import { canRedo, canUndo, change, clear, isEmpty, newId, onChange, redo, restore, state, undo } from "./state.js";
import * as take from "./take.js";

const EXAMPLES = {
  LiFePO4: { text: "LiFePO₄, Fe edge", files: ["LiFePO4.cif"], absorber: "Fe" },
  Fe2O3: { text: "Fe₂O₃ with a made-up scan", files: ["Fe2O3.cif", "Fe2O3_made_up.xdi"], absorber: "Fe" },
  TiO2: { text: "TiO₂: anatase and rutile", files: ["TiO2_anatase.cif", "TiO2_rutile.cif"], absorber: "Ti" },
};
const RANK = { calibrated: 0, few: 1, simulated: 2, rough: 3, none: 4 };
const colours = () => (isDark() ? { ...DARK, lit: "#ffd54a" } : { ...LIGHT, lit: "#f5b400" });
const MOST_DRAWN = { crystals: 8, scans: 4 }; // of a drop; ticks draw more
let elements = [];
let plot = null;
let hovered = null;

/** Tell what concerns all of the page; what was dropped is kept when it is loaded again. */
function banner(text, isTrouble = false) {
  byId("banner").hidden = !text;
  const again = text && isTrouble && h("button", { type: "button", onclick: () => location.reload() }, "Try again");
  fill(byId("banner"), text, again && " ", again);
}

/** Take files in: the first ones of a drop are looked at, and few are drawn at once. */
async function add(list, absorber = null) {
  const now = state();
  const files = { ...now.files };
  const crystals = [];
  const scans = [];
  for (const { name, data } of list) {
    const id = newId();
    files[id] = { name, data };
    if (isScan(files[id])) scans.push({ id, isReference: false, group: null, ranges: null });
    else crystals.push({ id, visible: now.crystals.length + crystals.length < MOST_DRAWN.crystals });
  }
  const isVisible = scans.length <= MOST_DRAWN.scans;
  change({
    files, crystals: [...now.crystals, ...crystals], scans: [...now.scans, ...scans.map((each) => ({ ...each, visible: isVisible }))],
    ...(crystals.length ? { selected: crystals[0].id, site: null } : {}),
    ...(scans.length ? { scan: scans[0].id, fit: { shift: 0, broaden: 0 } } : {}),
    ...(absorber ? { absorber } : {}),
  });
}

async function addFiles(files) {
  const { read, refused } = await readFiles(files);
  if (refused.length) banner(refused.join("; "));
  if (read.length) await add(read);
}

async function example(key) {
  const { files, absorber } = EXAMPLES[key];
  const read = await Promise.all(files.map(async (name) => ({ name, data: await (await fetch(`examples/${name}`)).arrayBuffer() })));
  await add(read, absorber);
}

/** The best absorber of a crystal that nobody has chosen one for. */
function chooseAbsorber() {
  const now = state();
  if (now.absorber) return;
  const scan = model.measured()?.value;
  const rank = (symbol) => { const found = elements.find((each) => each.symbol === symbol); return found ? 200 * RANK[found.class] - found.number : 9999; };
  const known = now.crystals.flatMap(({ id }) => Object.keys(model.crystals.get(id)?.spectra ?? {}));
  const best = scan?.absorber ?? known.sort((a, b) => rank(a) - rank(b))[0];
  if (best) change({ absorber: best }, { undoable: false });
}

function showCrystals() {
  const now = state();
  fill(byId("crystals"), ...now.crystals.map(({ id, visible }, n) => {
    const found = model.crystals.get(id);
    const { name } = now.files[id];
    const lacks = found?.elements.length && now.absorber && !found.elements.includes(now.absorber);
    const error = found?.error ?? (lacks ? `It holds no ${now.absorber}, only ${found.elements.join(", ")}.` : null);
    const swatch = h("span", { class: "swatch", "aria-hidden": "true", color: colourOf(n) });
    return h("li", { class: id === now.selected ? "selected" : "" },
      h("label", { title: "Shown in the plot" }, h("input", { type: "checkbox", "data-key": `see-${id}`, "aria-label": `Show ${name}`, ...(visible ? { checked: true } : {}), onchange: () => change({ crystals: now.crystals.map((each) => (each.id === id ? { ...each, visible: !visible } : each)) }) }), " ", swatch),
      h("button", { type: "button", class: "pick", "data-key": `pick-${id}`, "aria-pressed": String(id === now.selected), onclick: () => change({ selected: id, site: null }, { undoable: false }) }, found?.formula ? h("b", {}, ...formula(found.formula)) : "", ` ${name}`, found?.busy ? " …" : ""),
      h("button", { type: "button", class: "icon", "data-key": `drop-${id}`, "aria-label": `Remove ${name}`, title: "Remove", onclick: () => removeCrystal(id) }, "×"),
      error ? h("p", { class: "error", role: "alert" }, error) : null);
  }));
}

function removeCrystal(id) {
  const now = state();
  const crystals = now.crystals.filter((each) => each.id !== id);
  change({ crystals, selected: now.selected === id ? crystals.at(-1)?.id ?? null : now.selected, site: null, ...(crystals.length ? {} : { absorber: null }) });
}

const presentElements = () => [...new Set(state().crystals.flatMap(({ id }) => model.crystals.get(id)?.elements ?? []))];
const pickAbsorber = (symbol) => change({ absorber: symbol, site: null, fit: { shift: 0, broaden: 0 } });

function showAbsorbers() {
  const { absorber } = state();
  const known = presentElements().filter((symbol) => elements.some((each) => each.symbol === symbol && each.class !== "none"));
  fill(byId("chips"), ...known.map((symbol) => h("button", { type: "button", role: "radio", "data-key": symbol, "aria-checked": String(symbol === absorber), tabindex: symbol === absorber || !known.includes(absorber) ? 0 : -1, onclick: () => pickAbsorber(symbol) }, symbol)));
  periodic.paint(presentElements(), absorber);
}

function litSites() {
  const now = state();
  const found = model.spectrumOf(now.selected, now.absorber);
  const wanted = hovered ?? now.site;
  if (!found) return new Set();
  return new Set(wanted === null ? [] : found.sites.find((each) => each.sites.includes(wanted))?.sites ?? []);
}

function showViewer() {
  const now = state();
  const crystal = model.crystals.get(now.selected);
  byId("viewer-card").hidden = !crystal?.drawn;
  if (!crystal?.drawn) return;
  byId("viewer").setAttribute("aria-label", `${crystal.formula} in three dimensions, ${new Set(crystal.drawn.sites).size} atoms in its cell`);
  showCrystal(now.selected, crystal.drawn, litSites(), colours(), (site) => {
    const found = model.spectrumOf(now.selected, state().absorber);
    const group = found?.sites.find((each) => each.sites.includes(site));
    if (group) change({ site: group.sites.includes(state().site) ? null : site }, { undoable: false });
    else {
      const symbol = crystal.drawn.symbols[crystal.drawn.sites.indexOf(site)];
      if (elements.some((each) => each.symbol === symbol && each.class !== "none")) pickAbsorber(symbol);
    }
  });
  fill(byId("element-key"), ...crystal.elements.map((symbol) => h("li", {}, h("i", { "data-element": symbol }), symbol)));
  const sites = model.spectrumOf(now.selected, now.absorber)?.sites ?? [];
  const one = (text, key, checked, onclick) => h("button", { type: "button", role: "radio", "data-key": key, "aria-checked": String(checked), tabindex: checked ? 0 : -1, onclick }, text);
  fill(byId("site-list"), ...(sites.length < 2 ? [h("span", { class: "hint" }, `All ${now.absorber ?? ""} atoms are equivalent.`)] : [
    one("mean", "mean", now.site === null, () => change({ site: null }, { undoable: false })),
    ...sites.slice(0, 60).map((each) => one(`${now.absorber} ${each.sites[0]} ×${each.sites.length}`, `site-${each.sites[0]}`, each.sites.includes(now.site), () => change({ site: each.sites[0] }, { undoable: false }))),
  ]));
}

function showPlot() {
  const drawn = picture();
  byId("empty").hidden = !isEmpty();
  byId("plot").hidden = isEmpty();
  document.body.classList.toggle("filled", !isEmpty());
  byId("plot-title").textContent = state().absorber && !isEmpty() ? `${state().absorber} K edge` : "Spectrum";
  for (const box of byId("view").querySelectorAll("input")) box.checked = state().view[box.name];
  if (drawn.curves.length) plot.show(drawn, colours());
  else byId("plot").replaceChildren();
  if (!drawn.curves.length) plot.picture = null;
  fill(byId("legend"), ...drawn.curves.filter((each) => each.label).map((curve) => h("li", {
    "data-curve": curve.id, onmouseenter: () => hover(curve), onmouseleave: () => hover(null),
  }, h("span", { class: `swatch ${curve.id.startsWith("scan") ? "dotted" : curve.dash ? "dashed" : ""}`, "aria-hidden": "true", color: curve.colour }), h("span", {}, ...(curve.crystal ? [...formula(curve.label.split(" ")[0]), curve.label.slice(curve.label.split(" ")[0].length)] : [curve.label])),
  curve.trust ? h("span", { class: `badge ${curve.trust.word}` }, curve.trust.word) : null)));
}

function hover(curve) {
  const site = curve?.site ?? null;
  for (const entry of byId("legend").children) entry.classList.toggle("on", Boolean(curve) && entry.dataset.curve === curve.id);
  if (site === hovered) return;
  hovered = site;
  showViewer();
}

const NEAREST = { seen: "learnt from ", near: "near ", far: "nearest " };

/** The word, the nearest compound and its distance, and the reason where it is far. */
function trustCell(trust) {
  if (!trust) return ["–"];
  const badge = h("span", { class: `badge ${trust.word}` }, trust.word);
  if (!trust.nearest) return [badge, trust.reason];
  const distance = trust.word === "seen" ? "" : ` (${trust.distance.toFixed(2)})`;
  return [badge, NEAREST[trust.word], ...formula(trust.nearest), distance, trust.reason ? `, ${trust.reason}` : ""];
}

function showFacts() {
  const now = state();
  const rows = now.crystals.filter((each) => each.visible).map(({ id }) => model.spectrumOf(id, now.absorber)).filter(Boolean);
  byId("facts-card").hidden = !rows.length;
  const number = (value, digits) => (value === null ? "–" : value.toFixed(digits));
  const head = ["Crystal", "Trust", "Expected RSE", "E₀ (eV)", "Half step (eV)", "White line (eV)", "Height", "Sites"];
  fill(byId("facts"), h("table", {},
    h("thead", {}, h("tr", {}, ...head.map((each, n) => h("th", { scope: "col", class: n < 2 ? "text" : "" }, each)))),
    h("tbody", {}, ...rows.map((each) => h("tr", {},
      h("td", {}, h("b", {}, ...formula(each.formula)), ` ${each.crystal}`),
      h("td", { class: "text trust" }, ...trustCell(each.trust)),
      ...[number(each.trust?.expected_rse ?? null, 4), number(each.e0, 2), number(each.half_step, 2), number(each.white_line, 2), number(each.white_line_height, 2), String(each.sites.length)].map((text) => h("td", {}, text)))))));
  const told = new Set(rows.flatMap((each) => each.warnings.filter((text) => !/ is far/.test(text) || text.includes(`: ${now.absorber} is far`))));
  fill(byId("warnings"), ...[...told].map((text) => h("li", {}, text)));
}

function show() {
  byId("undo").disabled = !canUndo();
  byId("redo").disabled = !canRedo();
  byId("clear").disabled = isEmpty();
  showCrystals();
  showAbsorbers();
  showPlot();
  showFacts();
  scanList.showScans();
  scanPanel.showScan();
  matchPanel.showMatch();
  mixPanel.showMix();
  take.showTake();
  showViewer();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  byId("theme").setAttribute("aria-pressed", String(name === "dark"));
  byId("theme").textContent = name === "dark" ? "Light" : "Dark";
}

function wireDrop() {
  let depth = 0;
  const over = (shown) => { byId("drop").hidden = !shown; };
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  window.addEventListener("dragenter", (event) => { if (carries(event)) { depth += 1; over(true); } });
  window.addEventListener("dragleave", (event) => { if (carries(event)) { depth -= 1; over(depth > 0); } });
  window.addEventListener("dragover", (event) => { if (carries(event)) event.preventDefault(); });
  window.addEventListener("drop", (event) => { event.preventDefault(); depth = 0; over(false); filesOf(event.dataTransfer).then(addFiles); });
  for (const [button, input] of [["add-crystal", "crystal-files"], ["add-scan", "scan-files"]]) {
    byId(button).addEventListener("click", () => byId(input).click());
    byId(input).addEventListener("change", () => { addFiles([...byId(input).files]); byId(input).value = ""; });
  }
}

function wire() {
  wireDrop();
  byId("undo").addEventListener("click", undo);
  byId("redo").addEventListener("click", redo);
  byId("clear").addEventListener("click", clear);
  byId("theme").addEventListener("click", () => { const name = isDark() ? "light" : "dark"; localStorage.setItem("cgxas-theme", name); setTheme(name); show(); });
  byId("view").addEventListener("change", (event) => change({ view: { ...state().view, [event.target.name]: event.target.checked } }));
  window.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || /^(text|number)$/.test(event.target.type)) return;
    event.preventDefault();
    if (event.shiftKey) redo(); else undo();
  });
  window.addEventListener("resize", resize);
  roving(byId("chips"));
  roving(byId("site-list"));
  for (const [key, { text }] of Object.entries(EXAMPLES)) {
    byId("example").append(h("option", { value: key }, text));
    byId("example-buttons").append(h("button", { type: "button", "data-example": key, onclick: () => example(key) }, text));
  }
  byId("example").addEventListener("change", (event) => { if (event.target.value) example(event.target.value); event.target.value = ""; });
}

async function start() {
  takeToken();
  setTheme(localStorage.getItem("cgxas-theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  plot = new Plot(byId("plot"), { readout: byId("readout"), onHover: hover });
  scanList.prepare();
  scanPanel.prepare(pickAbsorber);
  matchPanel.prepare(banner);
  mixPanel.prepare(banner);
  take.prepare(banner);
  wire();
  await restore();
  const update = () => { chooseAbsorber(); model.sync(); questions.sync(); show(); };
  onChange(update, (word) => {
    document.body.dataset.state = word;
    byId("kept").hidden = word !== "lost";
  });
  for (const each of [model, questions]) {
    each.onAnswer(() => { banner(model.trouble(), true); update(); }, (text) => banner(text === "loading" ? "The model is being loaded; this takes some seconds." : text));
  }
  update();
  document.body.dataset.ready = "1";
  try {
    byId("version").textContent = `cgxas ${(await (await ask("version")).json()).cgxas}`;
    elements = await (await ask("elements", {}, () => {})).json();
    periodic.layDown(elements, pickAbsorber);
    update();
  } catch (error) {
    banner(error.message, true);
  }
}

start();
