// The list of jobs, with every filter of the API in the address.

import { get } from "../api.js";
import { h } from "../dom.js";
import { duration, moment, NOTHING, words } from "../format.js";
import { filters, several, text, time } from "../parts/filters.js";
import { empty, lacking, troubled } from "../parts/notices.js";
import { pager } from "../parts/pager.js";
import { badge, isActive, JOB_STATUSES, STAGES } from "../parts/status.js";
import { summary } from "../parts/summary.js";
import { table } from "../parts/table.js";
import { may } from "../session.js";

const PAGE_SIZE = "25";

export async function jobs({ query, signal, refresh }) {
  if (!may("jobs:read")) return lacking("Jobs", "jobs:read");
  const [figures, { results: profiles }] = await Promise.all([summary(signal), get("v1/profiles/", { page_size: 200 }, signal)]);
  // A filter that the service cannot read is told above the form, where it can be put right.
  const found = await get("v1/jobs/", { page_size: PAGE_SIZE, ...Object.fromEntries(query) }, signal).catch((error) => {
    if (error.code === "INVALID_FILTER") return error;
    throw error;
  });
  return h(
    "div",
    { class: "view" },
    h("div", { class: "title" }, h("h1", {}, "Jobs"), h("button", { type: "button", onclick: () => refresh() }, "Refresh")),
    figures,
    filters("/jobs", query, fields(profiles)),
    found instanceof Error ? troubled(found) : shown(found, query),
  );
}

function fields(profiles) {
  return [
    several("status", "Status", JOB_STATUSES.map((status) => [status, words(status)])),
    several("stage", "Stage", STAGES.map((stage) => [stage, words(stage)])),
    several("profile", "Profile", profiles.map((profile) => [profile.name, profile.name])),
    text("document_id", "Document", "number or uuid"),
    text("external_uuid", "Your own id", "uuid"),
    time("created_after", "Created after"),
    time("created_before", "Created before"),
    time("updated_after", "Changed after"),
  ];
}

function shown(page, query) {
  if (!page.results.length) {
    return [...query].length
      ? empty("No job is like this", "Take a filter away, or ", h("a", { href: "#/jobs" }, "show all jobs"), ".")
      : empty("No jobs yet", h("a", { href: "#/" }, "Upload a PDF"), " and its job shows up here.");
  }
  return [jobTable(page.results), pager("/jobs", query, page)];
}

/** The columns that tell jobs apart; also for the jobs of one document. */
export function jobTable(rows) {
  return table(
    "Jobs",
    [
      ["Job", (job) => h("a", { href: `#/jobs/${job.id}` }, job.id), "number"],
      ["Status", (job) => [badge(job.status), isActive(job) && h("small", {}, words(job.stage))]],
      ["Profile", (job) => job.profile ?? NOTHING],
      ["Document", (job) => h("a", { href: `#/documents/${job.document_id}` }, job.document_id), "number"],
      ["Pages", (job) => pages(job), "number"],
      ["Took", (job) => took(job), "number"],
      ["Created", (job) => moment(job.created_at)],
      ["Result", (job) => (job.status === "SUCCEEDED" ? h("a", { href: `#/jobs/${job.id}/read`, "aria-label": `Read the result of job ${job.id}` }, "Read") : job.error_code && h("code", {}, job.error_code))],
    ],
    rows,
  );
}

function pages(job) {
  if (job.pages_total === null) return NOTHING;
  return job.status === "SUCCEEDED" ? job.pages_total : `${job.pages_done} / ${job.pages_total}`;
}

function took(job) {
  return job.started_at && job.finished_at ? duration(new Date(job.finished_at) - new Date(job.started_at)) : NOTHING;
}
