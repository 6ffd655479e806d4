// One webhook endpoint, and what was sent to it.

import { get, post, send } from "../api.js";
import { h } from "../dom.js";
import { ago, moment, NOTHING, words } from "../format.js";
import { action } from "../parts/actions.js";
import { confirmed } from "../parts/confirm.js";
import { filters, several } from "../parts/filters.js";
import { empty, lacking, noted } from "../parts/notices.js";
import { pager } from "../parts/pager.js";
import { badge } from "../parts/status.js";
import { facts, table } from "../parts/table.js";
import { say } from "../say.js";
import { may } from "../session.js";
import { standing } from "./webhooklist.js";

const FIELDS = [several("status", "Status", ["PENDING", "DELIVERED", "FAILED"].map((status) => [status, words(status)]))];

export async function webhook({ id, query, signal, refresh, go }) {
  if (!may("webhooks:read")) return lacking("Webhook", "webhooks:read");
  const [row, page] = await Promise.all([
    get(`v1/webhooks/${id}/`, {}, signal),
    get(`v1/webhooks/${id}/deliveries/`, { page_size: 25, ...Object.fromEntries(query) }, signal),
  ]);
  const report = h("div", { class: "report" });
  return h(
    "div",
    { class: "view" },
    h("div", { class: "title" }, h("h1", {}, row.name), standing(row), h("div", { class: "actions" }, actions(row, report, refresh, go))),
    report,
    row.disabled_reason && noted(row.disabled_reason),
    facts(["Address", h("code", { class: "long" }, row.url)], ["Events", row.events.join(", ")], ["Signed", row.has_secret ? "yes" : "no"], ["Since", moment(row.created_at)]),
    h("div", { class: "title" }, h("h2", {}, "Deliveries"), h("button", { type: "button", onclick: () => refresh() }, "Refresh")),
    filters(`/webhooks/${id}`, query, FIELDS),
    page.results.length
      ? [deliveries(page.results, id, report, refresh), pager(`/webhooks/${id}`, query, page)]
      : empty("Nothing was sent", "Ping the endpoint, or wait for the next change of a job."),
  );
}

function actions(row, report, refresh, go) {
  const write = "webhooks:write";
  return [
    action("Ping", write, () => ping(row, refresh), report),
    action("Change", write, async () => go(`/webhooks/${row.id}/edit`), report),
    action(row.enabled ? "Disable" : "Enable", write, () => toggle(row, refresh), report),
    action("Delete", write, () => remove(row, go), report, "danger"),
  ];
}

async function ping(row, refresh) {
  await post(`v1/webhooks/${row.id}/ping/`);
  say("A ping is on its way.");
  await refresh();
}

async function toggle(row, refresh) {
  await send("PATCH", `v1/webhooks/${row.id}/`, { body: { enabled: !row.enabled } });
  await refresh();
}

async function remove(row, go) {
  if (!(await confirmed(`Delete ${row.name}?`, "It is told of nothing any more, and its deliveries are forgotten.", "Delete the endpoint"))) return;
  await send("DELETE", `v1/webhooks/${row.id}/`);
  go("/webhooks");
}

function deliveries(rows, id, report, refresh) {
  const again = async (row) => {
    await post(`v1/webhooks/${id}/deliveries/${row.uuid}/redeliver/`);
    say("It is being sent again.");
    await refresh();
  };
  return table(
    "Deliveries",
    [
      ["Event", (row) => [row.event, row.job_id && h("small", {}, h("a", { href: `#/jobs/${row.job_id}` }, `job ${row.job_id}`))]],
      ["Status", (row) => badge(row.status)],
      ["Answer", (row) => [row.response_status ?? NOTHING, row.error && h("small", {}, row.error)]],
      ["Attempts", (row) => row.attempts, "number"],
      ["Made", (row) => ago(row.created_at)],
      ["Next or arrived", (row) => moment(row.delivered_at ?? row.next_attempt_at)],
      ["", (row) => action("Send again", "webhooks:write", () => again(row), report)],
    ],
    rows,
  );
}
