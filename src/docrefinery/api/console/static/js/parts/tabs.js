// Tabs (WAI-ARIA pattern): arrows move between them, and what one shows is made when it is first opened.

import { fill, h } from "../dom.js";
import { troubled } from "./notices.js";

/** `tabs` are `[title, () => content or a promise of it]`. Returns the bar and the panel. */
export function tabbed(label, tabs) {
  const made = new Map();
  const panel = h("div", { class: "panel", role: "tabpanel", id: "panel", tabindex: "-1" });
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
    if (!made.has(index)) {
      const content = tabs[index][1]();
      if (content instanceof Promise) fill(panel, h("p", { class: "fine" }, "Being fetched …"));
      made.set(index, await Promise.resolve(content).catch((error) => troubled(error)));
    }
    if (buttons[index].getAttribute("aria-selected") === "true") fill(panel, made.get(index));
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
