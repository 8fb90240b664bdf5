/** Elements of the page. Text goes in as text, never as markup: names of files may hold anything. */

export const byId = (id) => document.getElementById(id);

/** Make an element: h("button", { type: "button", onclick: f }, "text", child). */
export function h(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "class") made.className = value;
    else if (key === "value") made.value = value;
    else if (key === "color") made.style.color = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

/** Replace what an element holds, and keep the keyboard where it was. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
  element.replaceChildren(...children.filter(Boolean));
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

/** A formula with its numbers lowered: Fe2O3 as an array of nodes. */
export function formula(text) {
  return text.split(/(\d+(?:\.\d+)?)/).map((part, n) => (n % 2 ? h("sub", {}, part) : part));
}

/** Let the arrow keys move among the buttons of a group, of which one can be reached by Tab. */
export function roving(group, columns = 1) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
  group.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    const buttons = [...group.querySelectorAll("button:not(:disabled)")];
    const at = buttons.indexOf(event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = group.dataset.grid ? inGrid(buttons, event.target, event.key) : buttons[at + Math.sign(step)];
    if (!next) return;
    buttons.forEach((each) => { each.tabIndex = -1; });
    next.tabIndex = 0;
    next.focus();
  });
}

/** The next button of a grid in a direction, by where it stands. */
function inGrid(buttons, from, key) {
  const place = (each) => each.dataset.place.split(",").map(Number);
  const [row, column] = place(from);
  const [axis, sign] = { ArrowRight: [1, 1], ArrowLeft: [1, -1], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
  const ahead = buttons
    .map((each) => [each, place(each)])
    .filter(([, p]) => sign * (p[axis] - [row, column][axis]) > 0)
    .map(([each, p]) => [each, Math.abs(p[axis] - [row, column][axis]) + 20 * Math.abs(p[1 - axis] - [row, column][1 - axis])]);
  return ahead.sort((a, b) => a[1] - b[1])[0]?.[0];
}
