// Asks before something that cannot be taken back. Escape and "Keep" leave everything as it is.

import { h } from "../dom.js";

/** Returns a promise of whether it was confirmed. */
export function confirmed(title, text, action) {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-labelledby": "confirm-title", onclose: () => finish(dialog.returnValue === "yes") },
      h("h2", { id: "confirm-title" }, title),
      h("p", {}, text),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", autofocus: true, onclick: () => dialog.close("no") }, "Keep it as it is"),
        h("button", { type: "button", class: "danger", onclick: () => dialog.close("yes") }, action),
      ),
    );

    function finish(answer) {
      dialog.remove();
      resolve(answer);
    }

    document.body.append(dialog);
    dialog.showModal();
  });
}
