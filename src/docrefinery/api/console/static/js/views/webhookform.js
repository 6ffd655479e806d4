// A new webhook endpoint, or other values for one that is there.

import { get, json, post, send } from "../api.js";
import { h } from "../dom.js";
import { run } from "../parts/actions.js";
import { lacking } from "../parts/notices.js";
import { may } from "../session.js";

const EMPTY = { name: "", url: "", enabled: true, has_secret: false };

export async function webhookForm({ id, signal, go }) {
  if (!may("webhooks:write")) return lacking("Webhook", "webhooks:write");
  const known = id ? await get(`v1/webhooks/${id}/`, {}, signal) : EMPTY;
  const report = h("div", { class: "report" });
  const button = h("button", { type: "submit", class: "main" }, id ? "Save" : "Add");
  const form = h(
    "form",
    { class: "card form", onsubmit: submit },
    field("Name", { name: "name", value: known.name, required: true, maxlength: "200" }),
    field("Address", { name: "url", type: "url", value: known.url, required: true, placeholder: "https://example.com/hooks/docrefinery" }),
    field(
      known.has_secret ? "New secret (empty: it stays as it is)" : "Secret for signatures (may be empty)",
      { name: "secret", type: "password", value: "", autocomplete: "new-password", maxlength: "1024" },
    ),
    known.has_secret && h("label", { class: "check" }, h("input", { type: "checkbox", name: "unsigned" }), "Remove the secret: send without signatures"),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "enabled", checked: known.enabled }), "Enabled"),
    h("div", { class: "actions" }, h("a", { class: "button", href: id ? `#/webhooks/${id}` : "#/webhooks" }, "Back"), button),
    report,
  );

  function submit(event) {
    event.preventDefault();
    run(button, async () => {
      const body = bodyOf(form);
      const saved = id ? await json(await send("PATCH", `v1/webhooks/${id}/`, { body })) : await post("v1/webhooks/", body);
      go(`/webhooks/${saved.id}`);
    }, report);
  }

  return h("div", { class: "view" }, h("h1", {}, id ? `Change ${known.name}` : "A new webhook endpoint"), form);
}

function bodyOf(form) {
  const { name, url, secret, unsigned, enabled } = form.elements;
  const body = { name: name.value.trim(), url: url.value.trim(), enabled: enabled.checked };
  if (secret.value) body.secret = secret.value;
  else if (unsigned?.checked) body.secret = null;
  return body;
}

function field(label, attributes) {
  return h("label", { class: "field" }, label, h("input", { autocomplete: "off", spellcheck: "false", ...attributes }));
}
