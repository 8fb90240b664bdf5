/** Files to take along, and the words that do the same without this page. */

import { ask, form } from "./api.js";
import { commands } from "./commands.js";
import { byId, fill } from "./dom.js";
import { spectrumOf } from "./model.js";
import { picture } from "./picture.js";
import { figure, saveAnswer, saveButtons, savePng, saveSvg } from "./save.js";
import { state } from "./state.js";

const FROM_SERVER = { CSV: "csv", XDI: "xdi", Athena: "prj", NeXus: "nxs", "Zip of all": "zip" };

const shownCrystals = () => state().crystals.filter((each) => each.visible && spectrumOf(each.id, state().absorber));
const stem = () => {
  const [first] = shownCrystals();
  return `${(first ? state().files[first.id].name : "scan").replace(/\.[^.]*$/, "").replace(/[^\w.-]+/g, "_")}_${state().absorber}`;
};
const drawn = () => figure([{ picture: picture("light"), height: 600 }], 900);

export function prepare(onError) {
  const served = Object.entries(FROM_SERVER).map(([text, format]) => [text, () => fromServer(format)]);
  fill(byId("downloads"), ...saveButtons({
    PNG: () => savePng(drawn(), stem()), SVG: () => saveSvg(drawn(), stem()), ...Object.fromEntries(served),
  }, onError));
}

async function fromServer(format) {
  const files = shownCrystals().map(({ id }) => ["crystals", state().files[id]]);
  await saveAnswer(await ask("predict", form(files, { absorber: state().absorber, format })), null);
}

export function showTake() {
  const crystals = shownCrystals();
  const isAsked = Boolean(state().match || state().mix);
  byId("take-card").hidden = !crystals.length && !isAsked;
  byId("downloads").hidden = !crystals.length;
  if (byId("take-card").hidden) return;
  const { shell, python } = commands(crystals, stem());
  byId("shell").textContent = shell;
  byId("python").textContent = python;
}
