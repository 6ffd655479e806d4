// Numbers, sizes and times as people read them.

const NUMBER = new Intl.NumberFormat("en");
const DAY_AND_TIME = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export const NOTHING = "–";

export function number(value) {
  return value === null || value === undefined ? NOTHING : NUMBER.format(value);
}

export function bytes(value) {
  if (value === null || value === undefined) return NOTHING;
  const step = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), UNITS.length - 1);
  const scaled = value / 2 ** (10 * step);
  return `${NUMBER.format(step && scaled < 100 ? Math.round(scaled * 10) / 10 : Math.round(scaled))} ${UNITS[step]}`;
}

/** Milliseconds: `130 ms`, `4.2 s`, `3 min 5 s`. */
export function duration(ms) {
  if (ms === null || ms === undefined) return NOTHING;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** A point in time, in the reader's own zone. */
export function moment(iso) {
  return iso ? DAY_AND_TIME.format(new Date(iso)) : NOTHING;
}

export function clock(iso) {
  return iso ? TIME.format(new Date(iso)) : NOTHING;
}

export function ago(iso) {
  if (!iso) return NOTHING;
  const ms = Date.now() - new Date(iso);
  return ms < 1000 ? "now" : `${duration(ms < 60_000 ? Math.floor(ms / 1000) * 1000 : ms).replace(".0 s", " s")} ago`;
}

/** `1 page`, `3 pages`. */
export function count(value, one) {
  return `${number(value)} ${value === 1 ? one : `${one}s`}`;
}

/** `FULL_STOP` as `Full stop`. */
export function words(code) {
  const text = String(code).replaceAll("_", " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
