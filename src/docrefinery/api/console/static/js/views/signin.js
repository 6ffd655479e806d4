// The first view: asks for an API key.

import { fill, h } from "../dom.js";
import { run } from "../parts/actions.js";
import { copyable } from "../parts/copyable.js";
import { noted } from "../parts/notices.js";
import { signIn } from "../session.js";

/** `farewell` says why the session before ended, if there was one. */
export async function signInView({ farewell }) {
  const report = h("div", { class: "report" });
  const input = h("input", {
    type: "password",
    name: "key",
    required: true,
    // Headers take no other characters; what is pasted may come with spaces or a line's end.
    pattern: "\\s*\\w+\\s*",
    title: "A key of letters, digits and underscores, such as dr_abc_123",
    autofocus: true,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "dr_…",
    "aria-describedby": "key-note",
  });
  const button = h("button", { type: "submit", class: "main" }, "Sign in");

  function submit(event) {
    event.preventDefault();
    run(button, async () => {
      await signIn(input.value);
      input.value = "";
      fill(report);
      window.dispatchEvent(new Event("signed-in"));
    }, report);
  }

  return h(
    "div",
    { class: "view signin" },
    h("h1", {}, "Sign in"),
    farewell && noted(h("p", {}, farewell)),
    h("p", { class: "lead" }, "Drop a PDF, watch what becomes of it, and read the result beside the page it came from."),
    h(
      "form",
      { class: "card", onsubmit: submit },
      h("label", { class: "field" }, "API key", input),
      h("p", { id: "key-note", class: "fine" }, "It stays in this tab, is sent to this service alone, and is forgotten when you close the tab or sign out."),
      button,
      report,
    ),
    h(
      "details",
      {},
      h("summary", {}, "Where do I get a key?"),
      h("p", {}, "The first start of ", h("code", {}, "docrefinery up"), " prints one and keeps it in ", h("code", {}, "<data folder>/api-key"), ". The operator makes others:"),
      copyable("docrefinery key create --tenant default --scope all"),
    ),
  );
}
