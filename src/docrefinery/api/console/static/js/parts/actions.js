// Buttons that ask something of the service.

import { fill, h } from "../dom.js";
import { may } from "../session.js";
import { troubled } from "./notices.js";

/** A button for `act`; off, with the reason beside it, where the key lacks a scope. `report` is where errors are told. */
export function action(label, scope, act, report, kind = "") {
  const button = h("button", { type: "button", class: kind, onclick: () => run(button, act, report) }, label);
  if (!scope || may(scope)) return button;
  button.disabled = true;
  return h("span", { class: "gated" }, button, h("small", {}, `needs the scope ${scope}`));
}

/** Run something behind a button; what goes wrong is told in `report`. */
export async function run(button, act, report) {
  button.disabled = true;
  fill(report);
  try {
    await act();
  } catch (error) {
    if (error.name !== "AbortError") fill(report, troubled(error));
  } finally {
    button.disabled = false;
    // A button that is off loses the keyboard.
    if (document.activeElement === document.body) button.focus();
  }
}
