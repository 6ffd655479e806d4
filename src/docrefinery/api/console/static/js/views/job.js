// One job: live while it runs, and all that is known of it.

import { events } from "../stream.js";
import { get, post } from "../api.js";
import { fill, h } from "../dom.js";
import { clock, moment, words } from "../format.js";
import { action } from "../parts/actions.js";
import { artifactList } from "../parts/artifacts.js";
import { confirmed } from "../parts/confirm.js";
import { jobTrouble } from "../parts/jobtrouble.js";
import { lacking, noted, troubled } from "../parts/notices.js";
import { badge, isActive, isRetryable } from "../parts/status.js";
import { facts } from "../parts/table.js";
import { timeline } from "../parts/timeline.js";
import { say } from "../say.js";
import { may } from "../session.js";
import { following } from "../watch.js";

export async function job({ id, signal, refresh }) {
  if (!may("jobs:read")) return lacking("Job", "jobs:read");
  const first = await get(`v1/jobs/${id}/`, {}, signal);
  const parts = Object.fromEntries(["head", "stages", "trouble", "results", "log", "details"].map((name) => [name, h("div", { class: name })]));
  parts.log = h("ol", { class: "log", "aria-label": "What happened" });
  const report = h("div", { class: "report" });
  let drawnFor = "";
  let listed = null;

  function show(now) {
    const before = drawnFor;
    fill(parts.stages, timeline(now));
    if (`${now.status} ${now.attempt}` === before) return;
    drawnFor = `${now.status} ${now.attempt}`;
    fill(parts.head, head(now, report, refresh));
    fill(parts.trouble, jobTrouble(now));
    fill(parts.details, details(now));
    if (before) say(`Job ${now.id}: ${words(now.status)}.`);
    if (!isActive(now)) listed = results(now, parts.results, signal);
  }

  show(first);
  await listed;
  if (isActive(first)) keepUp(first.id, show, report, signal);
  listen(first.id, parts.log, signal).catch((error) => parts.log.after(troubled(error)));
  return h(
    "div",
    { class: "view" },
    parts.head,
    report,
    parts.trouble,
    parts.stages,
    parts.results,
    h("h2", {}, "As it was asked for"),
    parts.details,
    h("h2", {}, "What happened"),
    parts.log,
  );
}

async function results(now, place, signal) {
  fill(place, await artifactList({ job_id: now.id }, signal).catch((error) => troubled(error)));
}

async function keepUp(id, show, report, signal) {
  try {
    for await (const now of following(id, signal)) show(now);
  } catch (error) {
    if (!signal.aborted) fill(report, troubled(error));
  }
}

async function listen(id, list, signal) {
  for await (const { data } of events(`v1/jobs/${id}/events/`, signal)) list.append(h("li", {}, h("time", {}, clock(data.modified_at)), happened(data)));
  if (!list.children.length) list.append(h("li", {}, "Nothing yet: it has been queued."));
}

function happened(event) {
  const attempt = event.attempt > 1 ? ` (attempt ${event.attempt})` : "";
  if (event.status === event.previous_status) return `${words(event.stage)}${attempt}`;
  const why = event.error_code ? `: ${event.error_code}` : "";
  return `${words(event.status)}, was ${words(event.previous_status).toLowerCase()}${why}${attempt}`;
}

function head(now, report, refresh) {
  return [
    h(
      "div",
      { class: "title" },
      h("h1", {}, `Job ${now.id}`),
      badge(now.status),
      h(
        "div",
        { class: "actions" },
        now.status === "SUCCEEDED" && h("a", { class: "button main", href: `#/jobs/${now.id}/read` }, "Read the result"),
        isActive(now) && action("Cancel", "documents:write", () => cancel(now), report, "danger"),
        isRetryable(now) && action("Retry", "documents:write", () => retry(now, refresh), report),
      ),
    ),
    h("p", { class: "lead" }, "Of ", h("a", { href: `#/documents/${now.document_id}` }, `document ${now.document_id}`), `, queued ${moment(now.queued_at)}`, now.attempt > 1 && `, attempt ${now.attempt}`, "."),
    now.partial && noted(`Not every page could be converted: ${now.failed_pages.join(", ")} failed.`),
  ];
}

async function cancel(now) {
  if (await confirmed(`Cancel job ${now.id}?`, "Its conversion is stopped and leaves no results. The document stays.", "Cancel the job")) await post(`v1/jobs/${now.id}/cancel/`);
}

async function retry(now, refresh) {
  if (!(await confirmed(`Try job ${now.id} again?`, `It failed with ${now.error_code}. It is queued again with the same options.`, "Retry"))) return;
  await post(`v1/jobs/${now.id}/retry/`);
  await refresh();
}

function details(now) {
  const json = (value) => (value && Object.keys(value).length ? h("pre", {}, JSON.stringify(value, null, 2)) : null);
  return facts(
    ["Profile", now.profile ?? "none"],
    ["Exports", now.exports.join(", ")],
    ["Engine", now.engine && Object.entries(now.engine).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ")],
    ["Ignored options", json(now.ignored_options)],
    ["Options in effect", h("details", {}, h("summary", {}, "Show"), json(now.options))],
    ["Your own id", now.external_uuid],
    ["Uuid", now.uuid],
    ["Started", now.started_at && moment(now.started_at)],
    ["Finished", now.finished_at && moment(now.finished_at)],
  );
}
