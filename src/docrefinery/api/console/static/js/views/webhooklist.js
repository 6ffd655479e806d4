// The webhook endpoints of the tenant.

import { all } from "../api.js";
import { h } from "../dom.js";
import { moment } from "../format.js";
import { empty, lacking } from "../parts/notices.js";
import { table } from "../parts/table.js";
import { may } from "../session.js";

export async function webhooks({ signal }) {
  if (!may("webhooks:read")) return lacking("Webhooks", "webhooks:read");
  const rows = await all("v1/webhooks/", {}, signal);
  const add = may("webhooks:write")
    ? h("a", { class: "button main", href: "#/webhooks/new" }, "Add an endpoint")
    : h("span", { class: "gated" }, h("span", { class: "button off", "aria-disabled": "true" }, "Add an endpoint"), h("small", {}, "needs the scope webhooks:write"));
  return h(
    "div",
    { class: "view" },
    h("div", { class: "title" }, h("h1", {}, "Webhooks"), h("div", { class: "actions" }, add)),
    h("p", { class: "lead" }, "Your own service is told of every change of a job, signed and in order."),
    rows.length ? list(rows) : empty("No endpoint yet", "Add the address of your service, and ping it to see that it answers."),
  );
}

function list(rows) {
  return table(
    "Webhook endpoints",
    [
      ["Name", (row) => h("a", { href: `#/webhooks/${row.id}` }, row.name)],
      ["Address", (row) => h("code", { class: "long" }, row.url)],
      ["State", (row) => standing(row)],
      ["Signed", (row) => (row.has_secret ? "yes" : "no")],
      ["Since", (row) => moment(row.created_at)],
    ],
    rows,
  );
}

export function standing(row) {
  if (row.enabled) return h("span", { class: "badge good" }, "Enabled");
  return h("span", { class: "badge bad" }, row.disabled_reason ? "Disabled by the service" : "Disabled");
}
