// Statuses as coloured words; the word says it all, the colour only helps.

import { h } from "../dom.js";
import { words } from "../format.js";

const KINDS = {
  SUCCEEDED: "good",
  READY: "good",
  DELIVERED: "good",
  FAILED: "bad",
  QUARANTINED: "bad",
  SILENT: "bad",
  RUNNING: "going",
  PROCESSING: "going",
  BUSY: "going",
  QUEUED: "waiting",
  PENDING: "waiting",
};
export const JOB_STATUSES = ["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED", "QUARANTINED"];
export const DOCUMENT_STATUSES = ["UPLOADED", "PROCESSING", "READY", "FAILED", "QUARANTINED"];
export const STAGES = ["SCANNING", "CONVERTING", "EXPORTING", "CHUNKING", "FINALIZING"];

export function badge(status) {
  return h("span", { class: `badge ${KINDS[status] ?? ""}` }, words(status));
}

export function isActive(job) {
  return job.status === "QUEUED" || job.status === "RUNNING";
}

export function isRetryable(job) {
  return job.status === "FAILED" || job.status === "QUARANTINED";
}
