// Boxes that say how things stand: an error and what to do, an empty list, a scope that is lacking.

import { h } from "../dom.js";
import { signedIn } from "../session.js";
import { copyable } from "./copyable.js";

/** A failed request: what happened, which fields were wrong, and the id under which the service's log has it. */
export function troubled(error, again = null) {
  return h(
    "div",
    { class: "notice bad", role: "alert" },
    h("strong", {}, error.title ?? "Something went wrong"),
    h("p", {}, error.message),
    error.errors?.length > 0 &&
      h("ul", {}, error.errors.map((wrong) => h("li", {}, h("code", {}, wrong.pointer), ` ${wrong.detail}`))),
    (error.code || error.requestId) &&
      h("p", { class: "fine" }, [error.code, error.requestId && `Request ${error.requestId}`].filter(Boolean).join(" · ")),
    again && h("button", { type: "button", onclick: () => again() }, "Try again"),
  );
}

export function noted(...content) {
  return h("div", { class: "notice" }, content);
}

/** An empty list says what would fill it. */
export function empty(title, ...next) {
  return h("div", { class: "empty" }, h("strong", {}, title), h("p", {}, next));
}

/** A view that the key's scopes do not reach. */
export function lacking(title, scope) {
  const tenant = signedIn().tenant;
  return h(
    "div",
    { class: "view" },
    h("h1", {}, title),
    h(
      "div",
      { class: "notice" },
      h("strong", {}, `This key lacks the scope ${scope}`),
      h("p", {}, "The operator can make another key that has it:"),
      copyable(`docrefinery key create --tenant ${tenant} --scope ${scope}`),
    ),
  );
}
