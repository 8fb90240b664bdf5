/** The words that do the same without this page: on the command line, and in Python. */

import { measured, spectrumOf } from "./model.js";
import { chosenScan, state } from "./state.js";

const WIDE = 110; // letters of a line
const quoted = (text) => JSON.stringify(text);
const shellWord = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Words on lines of their own where they are many. */
function wrapped(words, between, broken) {
  const lines = [""];
  for (const word of words) {
    if (lines.at(-1) && lines.at(-1).length + word.length > WIDE) lines.push("");
    lines[lines.length - 1] += (lines.at(-1) ? between : "") + word;
  }
  return lines.join(broken);
}

const inShell = (words) => wrapped(words.map(shellWord), " ", " \\\n    ");
const inPython = (words) => `[${wrapped(words.map(quoted), ", ", ",\n    ")}]`;
const nameOf = (id) => state().files[id].name;
const modelWord = (model) => (model === "calibrated" ? "" : ` --model ${shellWord(model)}`);

/** Lines of the shell and of Python for all that is shown; `stem` is that of the files. */
export function commands(crystals, stem) {
  const [shell, python] = [[], ["import cgxas", ""]];
  const { absorber, selected, match, mix, reading } = state();
  if (crystals.length) predicted(crystals, stem, shell, python);
  const found = measured()?.value;
  const at = crystals.findIndex(({ id }) => id === selected);
  const chosen = chosenScan();
  const isCompared = at >= 0 && found && found.absorber === absorber;
  if (isCompared) {
    readScan(chosen, reading, absorber, python);
    compared(crystals, at, shell, python);
  }
  if (match) {
    const isRead = isCompared && sameScan(match.scan, chosen) && JSON.stringify(match.reading) === JSON.stringify(reading);
    if (!isRead) readScan(match.scan, match.reading, match.absorber, python);
    matched(match, shell, python);
  }
  if (mix) mixed(mix, shell, python);
  return { shell: shell.join("\n"), python: python.join("\n") };
}

const sameScan = (one, other) => ["id", "group", "ranges"].every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));

function predicted(crystals, stem, shell, python) {
  const { absorber } = state();
  const names = crystals.map(({ id }) => nameOf(id));
  const { model } = spectrumOf(crystals[0].id, absorber);
  shell.push(`cgxas predict ${inShell(names)} --absorber ${absorber}${modelWord(model)} --sites --plot ${shellWord(stem)}.png -o ${shellWord(stem)}.xdi`);
  python.push(`model = cgxas.load(${model === "calibrated" ? "" : quoted(model)})`);
  names.forEach((name, n) => python.push(`spectrum${names.length > 1 ? n + 1 : ""} = model.predict(${quoted(name)}, ${quoted(absorber)})`));
}

/** The scan of a question or of the page: its file with the group, and how it is read. */
function scanWords({ id, group, ranges }, reading) {
  const words = ["edge", "energy", "mu"].filter((name) => reading[name]).map((name) => ` --${name} ${shellWord(reading[name])}`);
  if (ranges) words.push(` --ranges ${ranges.pre1} ${ranges.pre2} ${ranges.norm1} ${ranges.norm2} --degrees ${ranges.npre} ${ranges.nnorm}`);
  return { source: group ? `${nameOf(id)}:${group}` : nameOf(id), words: words.join("") };
}

/** Read a scan in Python, and give it its ranges. */
function readScan({ id, group, ranges }, reading, absorber, python) {
  const options = { ...reading, group };
  const more = ["group", "energy", "mu", "edge"].filter((name) => options[name]).map((name) => `, ${name}=${quoted(options[name])}`).join("");
  python.push(`measured = cgxas.read_spectrum(${quoted(nameOf(id))}, ${quoted(absorber)}${more})`);
  if (!ranges) return;
  const { pre1, pre2, npre, norm1, norm2, nnorm } = ranges;
  python.push(`measured = cgxas.renormalised(measured, cgxas.Ranges(${pre1}, ${pre2}, ${npre}, ${norm1}, ${norm2}, ${nnorm}))`);
}

function compared(crystals, at, shell, python) {
  const now = state();
  const { source, words } = scanWords(chosenScan(), now.reading);
  const { model } = spectrumOf(crystals[at].id, now.absorber);
  const { shift, broaden } = now.fit;
  shell.push(`cgxas compare ${shellWord(nameOf(crystals[at].id))} ${shellWord(source)} --absorber ${now.absorber}${modelWord(model)}${words} --shift ${shift} --broaden ${broaden} --plot compare.png`);
  python.push(`comparison = cgxas.compare(spectrum${crystals.length > 1 ? at + 1 : ""}, measured, shift=${quoted(shift)}, broaden=${quoted(broaden)})`);
}

function matched(question, shell, python) {
  const { source, words } = scanWords(question.scan, question.reading);
  const names = question.crystals.map(nameOf);
  shell.push(`cgxas match ${shellWord(source)} ${inShell(names)} --absorber ${question.absorber}${words} -o match.json --plot match.png`);
  python.push(`matches = cgxas.match(measured, ${inPython(names)})`, "matches.none_fits, matches.best.crystal, matches.best.score");
}

function mixed({ scans, references, reading, absorber, how }, shell, python) {
  const axis = { table: `${how.table ? nameOf(how.table) : ""}:${how.column}`, column: how.column }[how.axis] ?? how.axis;
  const words = [
    absorber && ["--absorber", absorber], reading.edge && ["--edge", reading.edge], axis !== "order" && ["--axis", axis], how.shift && ["--shift", how.shift],
    (how.first || how.last) && ["--range", how.first ?? "-20", how.last ?? "80"], how.most && references.length && ["--most", how.most],
    how.components && !references.length && ["--components", how.components], reading.energy && ["--energy", reading.energy], reading.mu && ["--mu", reading.mu], how.columns && ["--columns", how.columns],
  ].filter(Boolean).map((each) => ` ${each.map(shellWord).join(" ")}`).join("");
  const by = references.length ? ` --references ${inShell(references.map(nameOf))}` : "";
  shell.push(`cgxas mix ${inShell(scans.map(nameOf))}${by}${words} -o mix.csv --plot mix.png`);
  const given = { absorber, edge: reading.edge, axis: axis === "order" ? null : axis, shift: how.shift, energy: reading.energy, mu: reading.mu, columns: how.columns };
  const more = Object.entries(given).filter(([, value]) => value).map(([name, value]) => `, ${name}=${quoted(value)}`);
  if (how.first || how.last) more.push(`, window=(${how.first ?? -20}, ${how.last ?? 80})`);
  if (how.most && references.length) more.push(`, most=${how.most}`);
  if (how.components && !references.length) more.push(`, components=${how.components}`);
  python.push(`mixture = cgxas.mix(${inPython(scans.map(nameOf))}, ${inPython(references.map(nameOf))}${more.join("")})`, "mixture.fractions, mixture.errors, mixture.left_out, mixture.warnings");
}
