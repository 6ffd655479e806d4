// Drop PDFs, choose how they are converted, and see each on its way.

import { get } from "../api.js";
import { h } from "../dom.js";
import { bytes } from "../format.js";
import { empty, lacking } from "../parts/notices.js";
import { profileChoice } from "../parts/profiles.js";
import { summary } from "../parts/summary.js";
import { may, signedIn } from "../session.js";
import { visit } from "../visit.js";

export async function upload({ signal }) {
  if (!may("documents:write")) return lacking("Upload", "documents:write");
  const [figures, { results: profiles }] = await Promise.all([summary(signal), get("v1/profiles/", { page_size: 200 }, signal)]);
  const { rows, take } = visit();
  const none = empty("Nothing uploaded in this visit yet", "What you drop shows up here, with its progress. Earlier ones are under ", h("a", { href: "#/documents" }, "Documents"), ".");
  const form = h("form", { class: "options", onsubmit: (event) => event.preventDefault() }, profileChoice(profiles), moreOptions());
  const taken = (files) => {
    none.remove();
    take(files, fieldsOf(form));
  };
  return h(
    "div",
    { class: "view" },
    h("h1", {}, "Upload"),
    figures,
    h("div", { class: "two" }, h("div", {}, dropZone(taken, signal), rows, !rows.children.length && none), form),
  );
}

function dropZone(take, signal) {
  const input = h("input", { type: "file", multiple: true, accept: "application/pdf,.pdf", class: "unseen", id: "files" });
  const zone = h(
    "label",
    { class: "drop", for: "files" },
    h("strong", {}, "Drop PDFs here, or choose them"),
    h("span", {}, `As many as you like, each up to ${bytes(signedIn().upload_limit_bytes)}.`),
  );
  input.addEventListener("change", () => {
    if (input.files.length) take(input.files);
    input.value = "";
  });
  // Anywhere on the page: a file that misses the box must not open in the browser instead.
  const over = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("over", event.type === "dragover");
    if (event.type === "drop" && event.dataTransfer.files.length) take(event.dataTransfer.files);
  };
  for (const type of ["dragover", "dragleave", "drop"]) window.addEventListener(type, over, { signal });
  return h("div", { class: "dropping" }, input, zone);
}

function moreOptions() {
  return h(
    "details",
    {},
    h("summary", {}, "More options"),
    h(
      "label",
      { class: "field" },
      "Options as JSON",
      h("textarea", { name: "options_json", rows: "4", spellcheck: "false", placeholder: '{"page_range": [1, 20]}' }),
    ),
    h("label", { class: "field" }, "Your own id (a uuid)", h("input", { name: "external_uuid", autocomplete: "off", spellcheck: "false" })),
  );
}

function fieldsOf(form) {
  return Object.fromEntries(["profile", "options_json", "external_uuid"].map((name) => [name, form.elements[name].value.trim()]));
}
