// Who is signed in, and what the key may do.

import { get } from "./api.js";
import { forget, keep, key } from "./key.js";

let who = null;
let ending = new AbortController();

export function signedIn() {
  return who;
}

/** Ask who a key belongs to, and keep it for this tab. Throws a Problem for a key that is not accepted. */
export async function signIn(given) {
  const asked = given.trim();
  keep(asked);
  try {
    who = await get("console/key/");
  } catch (problem) {
    if (problem.status === 401 && key() === asked) forget();
    throw problem;
  }
  return who;
}

/** Take up a session again after the page was reloaded; returns whether there is one. */
export async function resume() {
  if (!key()) return false;
  await signIn(key());
  return true;
}

/** Aborted when the session ends: for what goes on while views come and go. */
export function sessionSignal() {
  return ending.signal;
}

export function signOut() {
  ending.abort();
  ending = new AbortController();
  who = null;
  forget();
}

export function may(scope) {
  return Boolean(who?.scopes.includes(scope));
}
