// The stages of a job in their order, with how long each took.

import { h } from "../dom.js";
import { count, duration, words } from "../format.js";
import { isActive, STAGES } from "./status.js";

const MS = { SCANNING: "scan_ms", CONVERTING: "convert_ms", EXPORTING: "export_ms", CHUNKING: "chunk_ms" };

export function timeline(job) {
  return h("ol", { class: "timeline", "aria-label": "Stages" }, STAGES.map((stage) => step(job, stage)));
}

function step(job, stage) {
  const [state, said] = standing(job, stage);
  const ms = job[MS[stage]];
  return h(
    "li",
    { class: state, "aria-current": state === "now" && "step" },
    h("span", { class: "name" }, words(stage)),
    h("span", { class: "ms" }, ms !== null && ms !== undefined && state !== "ahead" ? duration(ms) : ""),
    h("small", {}, said),
    state === "now" && stage === "CONVERTING" && job.pages_total > 0 && pages(job),
  );
}

function pages(job) {
  return h(
    "span",
    { class: "share" },
    h("progress", { max: job.pages_total, value: job.pages_done, "aria-label": "Pages converted" }),
    `${job.pages_done} of ${count(job.pages_total, "page")}`,
  );
}

function standing(job, stage) {
  const [at, here] = [STAGES.indexOf(job.stage), STAGES.indexOf(stage)];
  const wanted = stage !== "CHUNKING" || job.chunk_ms !== null || job.exports.some((kind) => /chunk/.test(kind));
  if (job.status === "QUEUED") return ["ahead", here === 0 ? "waits for a worker" : ""];
  if (!wanted && (at > here || job.status === "SUCCEEDED")) return ["skipped", "not asked for"];
  if (here < at || job.status === "SUCCEEDED") return ["done", "done"];
  if (here > at) return ["ahead", isActive(job) ? "" : "not reached"];
  if (isActive(job)) return ["now", "under way"];
  return [job.status === "CANCELED" ? "stopped" : "broken", words(job.status).toLowerCase()];
}
