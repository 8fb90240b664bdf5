/** The list of measured files: which is looked at, which are drawn, which explain the others. */

import { byId, fill, h } from "./dom.js";
import { measuredOf } from "./model.js";
import { scanColour } from "./picture.js";
import { change, state } from "./state.js";

const FEW = 8; // scans whose list is not folded
let isOpen = false;

/** Make the list once; `showScans` keeps it up to date. */
export function prepare() {
  byId("remove-scans").addEventListener("click", () => change({ scans: [], scan: null, fit: { shift: 0, broaden: 0 } }));
}

const changed = (id, patch) => change({ scans: state().scans.map((each) => (each.id === id ? { ...each, ...patch } : each)) });

function pick(id) {
  change({ scan: id, fit: { shift: 0, broaden: 0 } });
}

function remove(id) {
  const scans = state().scans.filter((each) => each.id !== id);
  const isChosen = state().scan === id;
  change({ scans, ...(isChosen ? { scan: scans[0]?.id ?? null, fit: { shift: 0, broaden: 0 } } : {}) });
}

function row(scan) {
  const { id, visible, isReference } = scan;
  const { name } = state().files[id];
  const isChosen = id === state().scan;
  const error = !isChosen && visible ? measuredOf(scan)?.error : null; // that of the chosen one stands above
  return h("li", { class: isChosen ? "selected" : "" },
    h("label", { title: "Shown in the plot" },
      h("input", { type: "checkbox", "data-key": `see-${id}`, "aria-label": `Show ${name}`, ...(visible || isChosen ? { checked: true } : {}), disabled: isChosen, onchange: () => changed(id, { visible: !visible }) }),
      " ", h("span", { class: "swatch dotted", "aria-hidden": "true", color: scanColour(id) })),
    h("button", { type: "button", class: "pick", "data-key": `pick-${id}`, "aria-pressed": String(isChosen), title: "Look at this one", onclick: () => pick(id) }, name),
    h("button", { type: "button", class: "role", "data-key": `role-${id}`, "aria-pressed": String(isReference), "aria-label": `${name} is a reference`, title: "A reference explains the scans", onclick: () => changed(id, { isReference: !isReference }) }, "Reference"),
    h("button", { type: "button", class: "icon", "data-key": `drop-${id}`, "aria-label": `Remove ${name}`, title: "Remove", onclick: () => remove(id) }, "×"),
    error ? h("p", { class: "error", role: "alert" }, error) : null);
}

export function showScans() {
  const { scans } = state();
  const isLong = scans.length > FEW;
  byId("scan-title").textContent = scans.length > 1 ? "3 · Your scans" : "3 · Your scan";
  byId("add-scan").textContent = scans.length ? "Add scans…" : "Add a scan…";
  byId("remove-scans").hidden = scans.length < 2;
  const references = scans.filter((each) => each.isReference).length;
  if (!isLong) fill(byId("scans"), h("ul", { class: "files" }, ...scans.map(row)));
  else fill(byId("scans"), folded(scans, references));
}

/** A long list, whose rows are made once it is opened. */
function folded(scans, references) {
  const list = h("ul", { class: "files scrolls", tabindex: 0, "aria-label": "Scans" });
  const made = h("details", { ...(isOpen ? { open: true } : {}) },
    h("summary", { "data-key": "all-scans" }, `${scans.length} scans, from ${state().files[scans[0].id].name} to ${state().files[scans.at(-1).id].name}${references ? `; ${references} of them are references` : ""}`),
    list);
  if (isOpen) list.append(...scans.map(row));
  made.addEventListener("toggle", () => {
    isOpen = made.open;
    if (isOpen && !list.children.length) list.append(...scans.map(row));
  });
  return made;
}
