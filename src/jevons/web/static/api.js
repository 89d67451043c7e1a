// Talks to the service: questions, runs with their events, files.
const API = "/api/v1";
const tab = Math.random().toString(36).slice(2);

/** An answer that is a problem: code, message, field, limits, remedies. */
export class Problem extends Error {
  constructor(error, status) { super(error.message); Object.assign(this, error); this.status = status; }
}

async function taken(response) {
  let body;
  try { body = await response.json(); } catch { body = { error: { code: 1, message: `HTTP ${response.status}`, remedies: [] } }; }
  if (body.error) throw new Problem(body.error, response.status);
  return body;
}

async function reach(path, options) {
  try { return await fetch(API + path, options); } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ code: 0, message: "", offline: true, remedies: [] }, 0);
  }
}

/** Get JSON. */
export async function get(path, signal) { return taken(await reach(path, { signal })); }

/** Ask a function by its name, or start something. */
export async function post(path, body, signal, { newest = true } = {}) {
  return taken(await reach(path, { method: "POST", headers: { "Content-Type": "application/json", ...(newest ? { "X-Tab": tab } : {}) }, body: JSON.stringify(body), signal }));
}

/** Upload a file as a trace. */
export async function upload(file, map) {
  const query = new URLSearchParams({ name: file.name });
  if (map) query.set("map", JSON.stringify(map));
  return taken(await reach(`/traces?${query}`, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file }));
}

/** Run a question to its end; `told` hears of its progress, `part` of each part of its answer. Returns the answer with its meta. */
export async function run(kind, input, { told, part, signal }) {
  const { id } = await post("/runs", { kind, input, tab }, signal);
  await new Promise((resolve, reject) => {
    const events = new EventSource(`${API}/runs/${id}/events`);
    const end = (finish) => (event) => { events.close(); finish(event); };
    events.addEventListener("progress", (event) => told(JSON.parse(event.data)));
    events.addEventListener("partial", (event) => part(JSON.parse(event.data)));
    events.addEventListener("result", end(resolve));
    events.addEventListener("cancelled", end(() => reject(new DOMException("cancelled", "AbortError"))));
    events.addEventListener("error", end((event) => {
      if (event.data) reject(new Problem(JSON.parse(event.data), 422));
      else reject(new Problem({ code: 0, message: "", offline: true, remedies: [] }, 0));
    }));
    if (signal) signal.addEventListener("abort", () => {
      events.close();
      fetch(`${API}/runs/${id}`, { method: "DELETE", headers: { "X-Tab": tab } }).catch(() => {});
      reject(new DOMException("cancelled", "AbortError"));
    }, { once: true });
  });
  return get(`/runs/${id}`, signal);
}

/** The address of a run's file. */
export function file(id, ending, more = {}) {
  const query = new URLSearchParams(more).toString();
  return `${API}/runs/${id}.${ending}${query ? `?${query}` : ""}`;
}

/** The address of the files that start a fleet, packed. */
export function packed(id, entry, target) { return `${API}/runs/${id}/deploy/${entry}?${new URLSearchParams({ target, form: "zip" })}`; }
