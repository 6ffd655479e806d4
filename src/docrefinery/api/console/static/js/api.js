// Requests to the API. It lies one level above the page, wherever a proxy has put both.

import { key } from "./key.js";
import { Problem } from "./problem.js";

const ROOT = new URL("../", location.href.split("#")[0]);
const MOST_RESULTS = 2000;
let onRefused = () => {};

/** Tell who wants to know when the key is not accepted any more. */
export function whenRefused(tell) {
  onRefused = tell;
}

/** The address of a path such as `v1/jobs/`, with a query of what is given. */
export function address(path, query = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
  return url;
}

/** Whose request it is; and that a script sends it, which may not be led to another origin. */
export function authorization() {
  return { Authorization: `Api-Key ${key()}`, "X-Requested-With": "fetch" };
}

/** Tell of an answer that refuses the key it was asked with. One to a key that was replaced since ends no session. */
export function refused(problem, asked) {
  if (problem.status === 401 && asked === key()) onRefused(problem);
}

/** Send a request and return its answer. Throws a Problem; one that was given up throws an AbortError. */
export async function send(method, path, { query, body, headers, signal } = {}) {
  const asked = key();
  const options = { method, signal, headers: { ...authorization(), ...headers }, credentials: "omit", cache: "no-store" };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const response = await fetch(address(path, query), options).catch(cutOff);
  if (response.ok || response.status === 304) return response;
  const problem = await Problem.of(response);
  refused(problem, asked);
  throw problem;
}

/** The JSON of an answer. A connection that is cut within it is told as one that never came about. */
export function json(response) {
  return response.json().catch(cutOff);
}

export async function get(path, query, signal) {
  return json(await send("GET", path, { query, signal }));
}

export async function post(path, body, signal) {
  return json(await send("POST", path, { body, signal }));
}

/** The cursor in a list's link; the rest of the link is what we asked for anyway. */
export function cursorOf(link) {
  return link ? new URL(link, ROOT).searchParams.get("cursor") : null;
}

/** Fetch every result of a list, page by page, up to a limit. */
export async function all(path, query, signal) {
  const results = [];
  let cursor = null;
  do {
    const page = await get(path, { ...query, page_size: 200, cursor }, signal);
    results.push(...page.results);
    cursor = cursorOf(page.next);
  } while (cursor && results.length < MOST_RESULTS);
  return results;
}

function cutOff(error) {
  throw error.name === "AbortError" ? error : new Problem(0);
}
