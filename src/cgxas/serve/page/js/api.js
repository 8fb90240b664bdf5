/** The server's interface; paths are relative, so that any prefix of a proxy will do. */

const KEY = "cgxas-token";

/** A token comes behind the # of the address, which is never sent, and is taken out of it. */
export function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  sessionStorage.setItem(KEY, token);
  history.replaceState(null, "", location.pathname + location.search);
}

export class Refused extends Error {
  constructor(status, body) {
    super(body.detail || `the server answers ${status}`);
    this.status = status;
    this.kind = body.error || "";
  }
}

const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Ask the server; where it is busy or still loading, wait and ask again. */
export async function ask(path, options = {}, onWait = () => {}) {
  const token = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  for (let tries = 0; ; tries += 1) {
    let response;
    try {
      response = await fetch(`api/${path}`, { ...options, headers });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Refused(0, { detail: "the server does not answer: is cgxas serve still running?", error: "Unreachable" });
    }
    if (response.ok) return response;
    const body = await response.json().catch(() => ({}));
    if (response.status !== 503 || tries > 60) throw new Refused(response.status, body);
    onWait(body.detail);
    await wait(1000 * Number(response.headers.get("Retry-After") || 2));
  }
}

/** A form of files and fields; fields without a value are left out. */
export function form(files, fields) {
  const made = new FormData();
  for (const [name, file] of files) made.append(name, new Blob([file.data]), file.name);
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined && value !== "") made.append(name, typeof value === "object" ? JSON.stringify(value) : value);
  }
  return { method: "POST", body: made };
}

export const json = (value) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });
