// A command or a value with a button that copies it.

import { h } from "../dom.js";
import { say } from "../say.js";

export function copyable(text) {
  const code = h("code", {}, text);
  const button = h("button", { type: "button", class: "quiet", onclick: copy }, "Copy");

  async function copy() {
    const done = await copied(text, code);
    button.textContent = done ? "Copied" : "Selected";
    say(done ? "Copied." : "The text is selected; copy it with the keyboard.");
    setTimeout(() => (button.textContent = "Copy"), 2000);
  }

  return h("div", { class: "copyable" }, code, button);
}

// The clipboard is there on HTTPS and on the machine itself; elsewhere the text is at least selected.
async function copied(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    window.getSelection().selectAllChildren(element);
    return false;
  }
}
