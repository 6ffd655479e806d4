// Profiles as they stand for this tenant, and the operator's command that would change it.

import { get } from "../api.js";
import { h } from "../dom.js";
import { copyable } from "../parts/copyable.js";
import { facts } from "../parts/table.js";
import { signedIn } from "../session.js";

export async function profiles({ signal }) {
  const { results } = await get("v1/profiles/", { page_size: 200 }, signal);
  return h(
    "div",
    { class: "view" },
    h("h1", {}, "Profiles"),
    h("p", { class: "lead" }, `As they stand for the tenant ${signedIn().tenant}. Switching one on or off is the operator's; the command works at once.`),
    h("div", { class: "cards" }, results.map(card)),
  );
}

function card(profile) {
  const command = `docrefinery profile ${profile.enabled ? "disable" : "enable"} ${profile.name} --tenant ${signedIn().tenant}`;
  return h(
    "section",
    { class: "card" },
    h(
      "h2",
      {},
      profile.name,
      h("span", { class: profile.enabled ? "badge good" : "badge bad" }, profile.enabled ? "Enabled" : "Disabled"),
      !profile.available && h("span", { class: "badge waiting" }, "In part"),
    ),
    h("p", {}, profile.summary),
    profile.missing.length > 0 &&
      h("div", {}, h("p", { class: "fine" }, "What it would need here, and is done without:"), h("ul", { class: "fine" }, profile.missing.map((what) => h("li", {}, what)))),
    facts(
      ["Engine", profile.engine],
      ["Results", profile.exports.join(", ")],
      ["Options", h("details", {}, h("summary", {}, "Show"), h("pre", {}, JSON.stringify(profile.options, null, 2)))],
    ),
    copyable(command),
  );
}
