// The installation's workers, as they stand now.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { ago, bytes, moment, NOTHING, number } from "../format.js";
import { empty, lacking, noted } from "../parts/notices.js";
import { badge } from "../parts/status.js";
import { table } from "../parts/table.js";
import { may } from "../session.js";
import { every } from "../time.js";

const EVERY_MS = 5000;

export async function workers({ signal }) {
  if (!may("dashboard:read")) return lacking("Workers", "dashboard:read");
  const list = h("div", {});
  const draw = async () => fill(list, shown((await get("v1/dashboard/workers", { page_size: 200 }, signal)).results));
  const report = h("div", { class: "report" });
  const renew = () =>
    draw().then(
      () => fill(report),
      (error) => fill(report, noted("Not renewed, this is how it stood before: ", error.message)),
    );
  await draw();
  every(EVERY_MS, renew, signal);
  return h("div", { class: "view" }, h("h1", {}, "Workers"), h("p", { class: "lead" }, "Those of the whole installation, renewed every 5 seconds."), report, list);
}

function shown(rows) {
  if (!rows.length) return empty("No worker has been seen", "Jobs wait until one runs: ", h("code", {}, "docrefinery worker"), ", or ", h("code", {}, "docrefinery up"), " for everything.");
  return table(
    "Workers",
    [
      ["Host", (row) => [row.hostname, h("small", {}, `process ${row.pid}`)]],
      ["Status", (row) => badge(row.status)],
      ["Job", (row) => (row.current_job_id ? h("a", { href: `#/jobs/${row.current_job_id}` }, row.current_job_id) : NOTHING), "number"],
      ["Queues", (row) => row.queues.join(", ")],
      ["Profiles", (row) => row.profiles.join(", ")],
      ["Models", (row) => Object.keys(row.models).join(", ") || NOTHING],
      ["Jobs done", (row) => number(row.jobs_done), "number"],
      ["Memory", (row) => bytes(row.rss_bytes), "number"],
      ["Heard of", (row) => ago(row.last_heartbeat_at)],
      ["Up since", (row) => moment(row.started_at)],
      ["Version", (row) => row.version],
    ],
    rows,
  );
}
