/** The periodic table as absorber picker, coloured by how far each element can be trusted. */

import { byId, fill, h, roving } from "./dom.js";

const CLASSES = {
  calibrated: "calibrated on 5 compounds or more",
  few: "on 1 to 4",
  simulated: "simulated well",
  rough: "rough",
};

/** Row and column of an element; the f block stands below. */
function place(z) {
  if (z === 1) return [1, 1];
  if (z === 2) return [1, 18];
  for (const [row, first, last] of [[2, 3, 10], [3, 11, 18]]) {
    if (z >= first && z <= last) return [row, z - first < 2 ? z - first + 1 : z - first + 11];
  }
  for (const [row, first] of [[4, 19], [5, 37]]) if (z < first + 18) return [row, z - first + 1];
  for (const [row, first] of [[6, 55], [7, 87]]) {
    if (z < first + 2) return [row, z - first + 1];
    if (z < first + 17) return [row + 2, z - first + 1];
    if (z < first + 32) return [row, z - first - 13];
  }
  return [9, 18];
}

function told(element) {
  const { symbol, measured, simulated } = element;
  if (element.class === "none") return `${symbol}: not answered`;
  const learnt = [measured && `${measured} measured`, simulated && `${simulated} simulated`].filter(Boolean);
  return `${symbol}: ${CLASSES[element.class]}; learnt from ${learnt.join(" and ")} compounds`;
}

/** Put the table on the page once; `paint` then tells what is in the crystals. */
export function layDown(elements, onPick) {
  const buttons = elements.filter((each) => each.number < 55).map((element) => {
    const [row, column] = place(element.number);
    const button = h("button", {
      type: "button", class: element.class, title: told(element), "aria-label": told(element), "aria-pressed": "false",
      "data-symbol": element.symbol, "data-place": `${row},${column}`, tabindex: -1, disabled: element.class === "none",
      onclick: () => onPick(element.symbol),
    }, element.symbol);
    button.style.gridRow = row;
    button.style.gridColumn = column;
    return button;
  });
  const table = byId("periodic");
  table.dataset.grid = "1";
  fill(table, ...buttons);
  roving(table);
  fill(byId("periodic-key"), ...Object.entries(CLASSES).map(([name, text]) => h("li", {}, h("i", { class: name }), text)));
}

/** Only what the crystals hold can be picked, once there are some. */
export function paint(present, absorber) {
  const buttons = [...byId("periodic").querySelectorAll("button")];
  byId("periodic").classList.toggle("chosen", present.length > 0);
  for (const button of buttons) {
    const { symbol } = button.dataset;
    button.disabled = button.className === "none" || (present.length > 0 && !present.includes(symbol));
    button.setAttribute("aria-pressed", String(symbol === absorber));
    button.tabIndex = -1;
  }
  const reached = buttons.find((each) => each.dataset.symbol === absorber && !each.disabled) ?? buttons.find((each) => !each.disabled);
  if (reached) reached.tabIndex = 0;
}
