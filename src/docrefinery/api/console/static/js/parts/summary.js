// What the tenant's work comes to: the queue, what failed, how long it takes.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { count, duration, number } from "../format.js";
import { to } from "../router.js";
import { may } from "../session.js";
import { every } from "../time.js";

const EVERY_MS = 10_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The strip of figures, renewed while it is shown; nothing where the key may not see them. */
export async function summary(signal) {
  if (!may("dashboard:read")) return null;
  const place = h("div", {});
  const draw = async () => fill(place, strip(await get("v1/dashboard/summary", {}, signal)));
  // Figures that cannot be had now are no reason to show nothing else.
  await draw().catch((error) => {
    if (error.name === "AbortError") throw error;
  });
  every(EVERY_MS, draw, signal);
  return place;
}

function strip({ jobs, queue, last_hour: hour, last_day: day, stages, volume, generated_at: now }) {
  const oldest = queue.oldest_age_seconds === null ? "nobody waits" : `oldest waits ${duration(queue.oldest_age_seconds * 1000)}`;
  return h(
    "dl",
    { class: "summary" },
    figure("In the queue", number(queue.depth), oldest, to("/jobs", { status: "QUEUED" })),
    figure("Running", number(jobs.by_status.RUNNING), `${count(jobs.total, "job")} in all`, to("/jobs", { status: "RUNNING" })),
    figure("Failed today", number(day.failed), `of ${number(day.finished)} that ended; ${number(hour.failed)} in the last hour`,
      to("/jobs", { status: "FAILED,QUARANTINED", updated_after: dayBefore(now) }), day.failed > 0),
    figure("Conversion", duration(stages.convert.p50_ms), `median; 95 % below ${duration(stages.convert.p95_ms)}`),
    figure("Documents", number(volume.documents), `${count(volume.pages, "page")} converted`, to("/documents")),
  );
}

/** Since when a day's figures count: the service counts whole minutes. */
function dayBefore(now) {
  return new Date(Math.floor((Date.parse(now) - DAY_MS) / MINUTE_MS) * MINUTE_MS).toISOString();
}

function figure(name, value, note, href = null, alarming = false) {
  const shown = href ? h("a", { href }, value) : value;
  return h("div", { class: alarming && "alarming" }, h("dt", {}, name), h("dd", {}, shown, h("small", {}, note)));
}
