// One document: its file, its jobs, and another run.

import { get, post, send } from "../api.js";
import { save } from "../download.js";
import { h } from "../dom.js";
import { bytes, moment, number } from "../format.js";
import { action } from "../parts/actions.js";
import { confirmed } from "../parts/confirm.js";
import { empty, lacking, noted } from "../parts/notices.js";
import { profileChoice } from "../parts/profiles.js";
import { badge } from "../parts/status.js";
import { facts } from "../parts/table.js";
import { say } from "../say.js";
import { may } from "../session.js";
import { jobTable } from "./jobs.js";

export async function documentView({ id, signal, go }) {
  if (!may("documents:read")) return lacking("Document", "documents:read");
  const [document, jobs, profiles] = await Promise.all([
    get(`v1/documents/${id}/`, {}, signal),
    may("jobs:read") ? get("v1/jobs/", { document_id: id, page_size: 50 }, signal) : { results: null },
    get("v1/profiles/", { page_size: 200 }, signal),
  ]);
  const report = h("div", { class: "report" });
  const expired = document.file_expired_at;
  return h(
    "div",
    { class: "view" },
    h(
      "div",
      { class: "title" },
      h("h1", {}, document.original_filename),
      badge(document.status),
      h(
        "div",
        { class: "actions" },
        !expired && document.status !== "QUARANTINED" && action("Download", "documents:read", () => save(`v1/documents/${id}/file/`, document.original_filename), report),
        action("Delete", "documents:write", () => remove(document, go), report, "danger"),
      ),
    ),
    report,
    expired && noted(`The file was removed on ${moment(expired)}, when its time was over. To convert it again, upload it again.`),
    document.status === "QUARANTINED" && noted("The malware scanner objects to this file, so it is neither converted nor handed out. A job of it says what was found."),
    facts(
      ["Document", document.id],
      ["Pages", document.page_count === null ? null : number(document.page_count)],
      ["Size", bytes(document.size_bytes)],
      ["Uploaded", moment(document.created_at)],
      ["Your own id", document.external_uuid],
      ["SHA-256", h("code", { class: "long" }, document.sha256)],
    ),
    h("h2", {}, "Jobs"),
    jobList(jobs.results),
    !expired && [h("h2", {}, "Convert it again"), again(document, profiles.results, report, go)],
  );
}

function jobList(jobs) {
  if (jobs === null) return h("p", { class: "fine" }, "To see its jobs a key needs the scope jobs:read.");
  return jobs.length ? jobTable(jobs) : empty("No job yet", "Choose a profile below and start one.");
}

function again(document, profiles, report, go) {
  const form = h("form", { class: "options", onsubmit: (event) => event.preventDefault() }, profileChoice(profiles));
  const start = async () => {
    const job = await post("v1/jobs/", { document_id: document.id, profile: form.elements.profile.value || null });
    go(`/jobs/${job.id}`);
  };
  form.append(action("Start", "documents:write", start, report, "main"));
  return form;
}

async function remove(document, go) {
  const sure = await confirmed(
    `Delete ${document.original_filename}?`,
    "Its file and all its results are removed for good, and a running job is canceled. Its jobs stay in the list.",
    "Delete the document",
  );
  if (!sure) return;
  await send("DELETE", `v1/documents/${document.id}/`);
  say(`${document.original_filename} has been deleted.`);
  go("/documents");
}
