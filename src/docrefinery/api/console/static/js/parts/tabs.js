// Tabs (WAI-ARIA pattern): arrows move between them, and what one shows is made when it is first opened, and anew where
// that failed.

import { fill, h } from "../dom.js";
import { troubled } from "./notices.js";

/** `tabs` are `[title, () => content or a promise of it]`. Returns the bar and the panel. */
export function tabbed(label, tabs) {
  const made = new Map();
  const panel = h("div", { class: "panel", role: "tabpanel", id: "panel", tabindex: "0" });
  const buttons = tabs.map(([title], index) =>
    h("button", { type: "button", role: "tab", id: `tab-${index}`, "aria-controls": "panel", onclick: () => open(index) }, title),
  );
  const bar = h("div", { class: "tabs", role: "tablist", "aria-label": label, onkeydown: onKey }, buttons);

  async function open(index) {
    buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", at === index);
      button.tabIndex = at === index ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${index}`);
    if (!made.has(index)) made.set(index, tabs[index][1]());
    if (made.get(index) instanceof Promise) fill(panel, h("p", { class: "fine" }, "Being fetched …"));
    const content = await Promise.resolve(made.get(index)).catch((error) => failed(index, error));
    if (buttons[index].getAttribute("aria-selected") === "true") fill(panel, content);
  }

  function failed(index, error) {
    made.delete(index);
    return troubled(error, () => {
      panel.focus();
      open(index);
    });
  }

  function onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const index = (buttons.indexOf(document.activeElement) + step + tabs.length) % tabs.length;
    buttons[index].focus();
    open(index);
  }

  open(0);
  return { bar, panel };
}
