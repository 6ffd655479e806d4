// Following jobs: one by its held answers, many by one list.

import { all, get, json, send } from "./api.js";
import { isActive } from "./parts/status.js";
import { pause } from "./time.js";

const TICK_MS = 1000;
const SLOWEST_MS = 8000;

/**
 * Yield a job now and at each change, page progress included, until it is finished. Each answer is held by the service
 * until there is news, so nothing is asked in vain.
 */
export async function* following(id, signal) {
  let etag = null;
  while (!signal.aborted) {
    const answer = await patiently(() => news(id, etag, signal), signal);
    if (!answer) return;
    if (!answer.job) continue;
    etag = answer.etag;
    yield answer.job;
    if (!isActive(answer.job)) return;
  }
}

async function news(id, etag, signal) {
  const headers = etag ? { "If-None-Match": etag } : {};
  const query = etag ? { wait: 25 } : {};
  const response = await send("GET", `v1/jobs/${id}/`, { query, headers, signal });
  return { etag: response.headers.get("etag"), job: response.status === 304 ? null : await json(response) };
}

/**
 * Call `tell(job)` for each of many jobs as they come on, with one list a second at most, less often while nothing changes.
 * `ids` is a set that may grow; a job that is finished leaves it.
 */
export async function watchAll(ids, tell, signal) {
  let wait = TICK_MS;
  let before = "";
  while (!signal.aborted) {
    if (ids.size) {
      const seen = await patiently(() => look(ids, tell, signal), signal);
      wait = seen === before ? Math.min(wait * 1.5, SLOWEST_MS) : TICK_MS;
      before = seen;
    }
    await pause(ids.size ? wait : TICK_MS, signal);
  }
}

async function look(ids, tell, signal) {
  const found = await all("v1/jobs/", { status: "QUEUED,RUNNING" }, signal);
  const active = new Map(found.map((job) => [job.id, job]));
  for (const id of [...ids]) {
    const job = active.get(id) ?? (await one(id, signal));
    tell(job);
    if (!isActive(job)) ids.delete(id);
  }
  return JSON.stringify([...ids].map((id) => [id, active.get(id)?.stage, active.get(id)?.pages_done]));
}

// A job that was removed meanwhile is finished too, and no reason to leave the others alone.
async function one(id, signal) {
  try {
    return await get(`v1/jobs/${id}/`, {}, signal);
  } catch (error) {
    if (error.status === 404 || error.status === 410) return { id, status: "REMOVED" };
    throw error;
  }
}

// While the service is away or asks for patience, ask again after a while. Returns nothing when the view is left.
async function patiently(ask, signal) {
  let wait = TICK_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted) return null;
      if (!error.passing) throw error;
      await pause(error.retryAfter * 1000 || wait, signal);
      wait = Math.min(wait * 2, SLOWEST_MS);
    }
  }
}
