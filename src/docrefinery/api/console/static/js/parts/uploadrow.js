// One file on its way: sent, scanned, converted, done; or why not, and what can be done about it.

import { get, post } from "../api.js";
import { fill, h } from "../dom.js";
import { bytes, count, words } from "../format.js";
import { say } from "../say.js";
import { may } from "../session.js";
import { uploadFile } from "../uploading.js";
import { run } from "./actions.js";
import { troubled } from "./notices.js";
import { badge, isActive, isRetryable } from "./status.js";

const STAGE_WORDS = { SCANNING: "Being scanned", CONVERTING: "Being converted", EXPORTING: "Results are written", CHUNKING: "Being cut into chunks", FINALIZING: "Nearly done" };
// The transfer's share of the bar.
const SENT = 0.2;

/** Returns the row's element, and `start`, which sends the file and comes back when it has arrived. */
export function uploadRow(file, { fields, signal, limit, watch }) {
  const line = h("span", { class: "state" }, "Waits for its turn");
  const bar = h("progress", { max: "1", value: 0, "aria-label": `Progress of ${file.name}` });
  const links = h("span", { class: "actions" });
  const report = h("div", { class: "report" });
  const head = h("div", { class: "head" }, h("strong", {}, file.name), h("span", { class: "fine" }, bytes(file.size)));
  const element = h("li", {}, head, bar, h("div", { class: "foot" }, line, links), report);

  async function start() {
    element.classList.remove("over");
    if (file.size > limit) return refused(`It is larger than ${bytes(limit)}, which is the most this key may upload.`);
    line.textContent = "Being sent";
    try {
      sent(await uploadFile(file, fields, sending, signal));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (error.code === "DUPLICATE_DOCUMENT") await known(error.body.existing);
      else failed(error);
    }
  }

  function sending(share) {
    bar.value = share * SENT;
    line.textContent = share < 1 ? `Being sent, ${Math.round(share * 100)} %` : "Being looked at";
  }

  function sent(document) {
    fill(links, h("a", { href: `#/jobs/${document.job_id}` }, "Watch"));
    line.textContent = may("jobs:read") ? "Queued" : "Taken. To follow it a key needs the scope jobs:read.";
    watch(document.job_id, show);
  }

  function show(job) {
    bar.value = progress(job);
    fill(line, isActive(job) ? [step(job)] : badge(job.status));
    const read = job.status === "SUCCEEDED" && h("a", { class: "button main", href: `#/jobs/${job.id}/read` }, "Read the result");
    if (isActive(job)) return;
    element.classList.add("over");
    fill(links, h("a", { href: `#/jobs/${job.id}` }, "Details"), read);
    if (job.error_message) fill(report, h("p", { class: "fine" }, `${job.error_message} (${job.error_code})`));
    say(`${file.name}: ${words(job.status)}.`);
  }

  async function known({ document_id: id, job_id: jobId }) {
    element.classList.add("over");
    line.textContent = `This file is here already, as document ${id}.`;
    const again = h("button", { type: "button", onclick: () => run(again, () => anew(id), report) }, `Convert it again with ${fields.profile || "the default profile"}`);
    const open = h("a", { href: `#/documents/${id}` }, `Open document ${id}`);
    fill(links, open, again);
    // Without its job the document is still known.
    const job = jobId && may("jobs:read") ? await get(`v1/jobs/${jobId}/`, {}, signal).catch(() => null) : null;
    if (job) fill(links, open, ofJob(job), again);
  }

  /** What a known file's last job has to offer. */
  function ofJob(job) {
    if (job.status === "SUCCEEDED") return h("a", { href: `#/jobs/${job.id}/read` }, "Read its result");
    const retry = isRetryable(job) && h("button", { type: "button", onclick: () => run(retry, () => retried(job), report) }, "Retry");
    return [h("a", { href: `#/jobs/${job.id}` }, `Job ${job.id}: ${words(job.status).toLowerCase()}`), retry];
  }

  async function retried(job) {
    await post(`v1/jobs/${job.id}/retry/`, undefined, signal);
    element.classList.remove("over");
    sent({ job_id: job.id });
  }

  async function anew(id) {
    const job = await post("v1/jobs/", { document_id: id, profile: fields.profile || null, options_json: fields.options_json || null, external_uuid: fields.external_uuid || null }, signal);
    element.classList.remove("over");
    sent({ job_id: job.id });
  }

  function failed(error) {
    element.classList.add("over");
    line.textContent = "Not taken";
    fill(report, troubled(error, error.passing ? () => (fill(report), start()) : null));
  }

  function refused(reason) {
    element.classList.add("over");
    line.textContent = `Not sent. ${reason}`;
  }

  return { element, start };
}

/** How far a job is, on the bar that begins with the transfer. */
function progress(job) {
  if (!isActive(job)) return 1;
  return SENT + (0.95 - SENT) * (job.pages_total ? job.pages_done / job.pages_total : 0);
}

function step(job) {
  if (job.status === "QUEUED") return "Queued";
  const pages = job.stage === "CONVERTING" && job.pages_total ? `, ${job.pages_done} of ${count(job.pages_total, "page")}` : "";
  return `${STAGE_WORDS[job.stage] ?? words(job.stage)}${pages}`;
}
