// The state of the page is its address: #/size?model=deepseek-v3&rate=30
const KEPT = ["lang", "cur", "theme", "time"];
/** The date of the facts: an input that goes from screen to screen. */
export const DATE = "as_of";
/** What a shared address says of the versions that it was shared from. */
const SHARED = "shared";

/** The address as a screen and its values; numbers, truth values and lists are read back as such. */
export function read(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const values = {};
  for (const [key, text] of new URLSearchParams(query)) {
    const value = text === "true" ? true : text === "false" ? false
      : /^-?(0|[1-9]\d*)(\.\d+)?(e[-+]?\d+)?$/i.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
    if (key in values) values[key] = [].concat(values[key], value);
    else values[key] = value;
  }
  return { screen: path || "start", values };
}

/** The address of a screen with values; empty ones are left out. */
export function address(screen, values = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") continue;
    for (const item of [].concat(value)) query.append(key, String(item));
  }
  const text = query.toString();
  return `#/${screen}${text ? `?${text}` : ""}`;
}

/** The address of another screen, with the settings and the date of the facts that are in this one. */
export function link(screen, values = {}) {
  const now = read().values;
  return address(screen, { ...Object.fromEntries([...KEPT, DATE].filter((key) => key in now).map((key) => [key, now[key]])), ...values });
}

/** Go to a screen; settings stay in the address. */
export function go(screen, values = {}, { replace = false } = {}) {
  const target = link(screen, values);
  if (replace) { history.replaceState(null, "", target); window.dispatchEvent(new HashChangeEvent("hashchange")); }
  else location.hash = target;
}

/** Settings of a frame, such as a notebook's, whose address cannot change. */
const chosen = {};

/** Change a setting in the address. */
export function setting(key, value) {
  const { screen, values } = read();
  try { history.replaceState(null, "", address(screen, { ...values, [key]: value })); } catch { chosen[key] = value; }
  try { localStorage.setItem(`jevons.${key}`, value); } catch { /* a private window keeps nothing */ }
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** A setting: of the address, else the one kept, else a default. */
export function settled(key, otherwise) {
  const given = chosen[key] ?? read().values[key];
  if (given !== undefined) return String(given);
  try { return localStorage.getItem(`jevons.${key}`) || otherwise; } catch { return otherwise; }
}

/** Values without settings. */
export function inputs(values) {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !KEPT.includes(key) && key !== SHARED));
}

/** The address of what is open, with the versions that answer it here. */
export function shareable(versions) {
  const { screen, values } = read();
  const url = new URL(location.href);
  url.hash = address(screen, { ...values, [SHARED]: `${versions.jevons} ${versions.facts}` });
  return url.href;
}

/** The versions that the address was shared from. */
export function sharedFrom() { return read().values[SHARED]; }
