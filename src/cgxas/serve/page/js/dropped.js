/** Dropped and chosen files, folders included, in the order people count in. */

const LARGEST = 20_000_000;
const MOST = 2_000;
const IGNORED = /^(\.|~)|\.(md|rst|pdf|docx?|xlsx?|log|png|svg|jpe?g|tiff?|gif|py|ipynb|tmp|part|bak)$/i;

/** Compare names so that scan2 stands before scan10. */
const order = new Intl.Collator("en", { numeric: true });

/** Return { read, refused }: files as { name, data }, and a sentence for each that is not taken. */
export async function readFiles(files) {
  const [read, refused] = [[], []];
  const sorted = [...files].sort((a, b) => order.compare(a.name, b.name));
  if (sorted.length > MOST) refused.push(`${sorted.length.toLocaleString("en")} files were dropped, the first ${MOST.toLocaleString("en")} are taken`);
  for (const file of sorted.slice(0, MOST)) {
    if (file.size > LARGEST) refused.push(`${file.name} holds ${file.size.toLocaleString("en")} bytes, more than the ${LARGEST.toLocaleString("en")} that are taken`);
    else read.push({ name: file.name, data: await file.arrayBuffer() });
  }
  return { read, refused };
}

/** The files of a drop, with those in the folders of it; notes and pictures in folders are none. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((each) => each.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((each) => each.isDirectory)) return [...transfer.files];
  const found = await Promise.all(entries.map((each) => inside(each, false)));
  return found.flat();
}

async function inside(entry, isInFolder) {
  if (entry.isFile) {
    if (isInFolder && IGNORED.test(entry.name)) return [];
    return [await new Promise((done, fail) => { entry.file(done, fail); })];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a reader gives a hundred at a time
    const some = await new Promise((done, fail) => { reader.readEntries(done, fail); });
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.filter((each) => !each.name.startsWith(".")).map((each) => inside(each, true)))).flat();
}
