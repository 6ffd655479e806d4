// A form of filters whose values are the query of the address, under the API's own names.

import { h } from "../dom.js";
import { go } from "../router.js";

/** `fields` come from the functions below. A filter that is set starts the list anew. */
export function filters(path, query, fields) {
  const form = h(
    "form",
    { class: "filters", role: "search", "aria-label": "Filters", onsubmit: apply },
    fields.map((field) => field.draw(query.get(field.name) ?? "")),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "submit", class: "main" }, "Show"),
      h("button", { type: "button", class: "quiet", onclick: () => go(path) }, "Clear"),
    ),
  );

  function apply(event) {
    event.preventDefault();
    const values = Object.fromEntries(fields.map((field) => [field.name, field.read(form)]));
    // The same filters once more: the address does not change, but the list may have.
    const before = location.hash;
    go(path, values);
    if (location.hash === before) window.dispatchEvent(new HashChangeEvent("hashchange"));
  }

  // On a narrow screen they are folded away unless they are in use.
  const open = window.matchMedia("(min-width: 46.01rem)").matches || fields.some((field) => query.has(field.name));
  return h("details", { class: "folded", open }, h("summary", {}, "Filters"), form);
}

/** Several of a few words, separated by commas. */
export function several(name, label, options) {
  return {
    name,
    draw: (value) => {
      const chosen = new Set(value.split(","));
      const boxes = options.map(([option, text]) =>
        h("label", {}, h("input", { type: "checkbox", name, value: option, checked: chosen.has(option) }), text),
      );
      return h("fieldset", { class: "chips" }, h("legend", {}, label), boxes);
    },
    read: (form) => [...form.querySelectorAll(`input[name="${name}"]:checked`)].map((box) => box.value).join(","),
  };
}

/** A line of text. */
export function text(name, label, hint = "") {
  return {
    name,
    draw: (value) =>
      h("label", { class: "field" }, label, h("input", { name, value, placeholder: hint, autocomplete: "off", spellcheck: "false" })),
    read: (form) => form.elements[name].value.trim(),
  };
}

/** A time, entered in the reader's own zone and asked for in UTC. */
export function time(name, label) {
  return {
    name,
    draw: (value) => h("label", { class: "field" }, label, h("input", { type: "datetime-local", step: "1", name, value: local(value) })),
    read: (form) => (form.elements[name].value ? new Date(form.elements[name].value).toISOString() : ""),
  };
}

function local(value) {
  const moment = new Date(value);
  if (!value || Number.isNaN(moment.getTime())) return "";
  return new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
