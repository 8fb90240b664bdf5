/** The state in the browser's own database: each file is written once, however often the rest is. */

const [NAME, VERSION] = ["cgxas", 2];
const written = new Set();

async function open() {
  return new Promise((done, fail) => {
    const opening = indexedDB.open(NAME, VERSION);
    opening.onupgradeneeded = () => {
      for (const name of ["files", "page"]) {
        if (!opening.result.objectStoreNames.contains(name)) opening.result.createObjectStore(name);
      }
    };
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => done(opening.result);
  });
}

/** Run an action on both shelves; what it returns is waited for until all of it is done, or none. */
async function within(mode, action) {
  const database = await open();
  try {
    return await new Promise((done, fail) => {
      const all = database.transaction(["files", "page"], mode);
      let found = null;
      all.oncomplete = () => done(found);
      all.onabort = () => fail(all.error);
      action(all.objectStore("page"), all.objectStore("files"), (value) => { found = value; });
    });
  } finally {
    database.close();
  }
}

/** Return a function that keeps a state, and says "writing", then "kept" or "lost"; of those that wait only the last is kept. */
export function keeper(onKept) {
  let waiting = null;
  let isWriting = false;
  return async (state) => {
    waiting = state;
    if (isWriting) return;
    isWriting = true;
    onKept("writing");
    let word = "kept";
    while (waiting) {
      const next = waiting;
      waiting = null;
      word = await put(next).then(() => "kept", () => "lost"); // a private window may refuse, and a disk be full
    }
    isWriting = false;
    onKept(word);
  };
}

async function put({ files, ...rest }) {
  const ids = Object.keys(files);
  const fresh = ids.filter((id) => !written.has(id));
  await within("readwrite", (page, shelf) => {
    for (const id of fresh) shelf.put(files[id], id);
    page.put({ ...rest, ids }, "now");
  });
  for (const id of fresh) written.add(id);
}

/** Return what was kept, or null; files that nothing names any more are forgotten. */
export async function load() {
  const kept = await within("readonly", (page, _, tell) => {
    const request = page.get("now");
    request.onsuccess = () => tell(request.result);
  });
  if (!kept) return null;
  const { ids, ...rest } = kept;
  const words = JSON.stringify(rest);
  const named = ids.filter((id) => words.includes(id));
  const files = {};
  await within("readwrite", (_, shelf) => {
    const keys = shelf.getAllKeys();
    keys.onsuccess = () => { for (const key of keys.result) if (!named.includes(key)) shelf.delete(key); };
    for (const id of named) {
      const request = shelf.get(id);
      request.onsuccess = () => { files[id] = request.result; };
    }
  });
  for (const id of named) written.add(id);
  return { ...rest, files };
}
