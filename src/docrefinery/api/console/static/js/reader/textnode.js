// Text items: headings, paragraphs, code, notes, with their emphasis and their links.

import { h } from "../dom.js";

const EMPHASIS = [["bold", "strong"], ["italic", "em"], ["underline", "u"], ["strikethrough", "s"]];
const SCRIPTS = { sub: "sub", super: "sup" };
// The view's own heading is h1.
const DEEPEST = 6;

/** The element of a text item; `inline` where it is a part of a line. */
export function textNode(item, inline = false) {
  const content = emphasised(item);
  if (inline) return h("span", {}, content);
  switch (item.label) {
    case "title":
      return h("h2", {}, content);
    case "section_header":
      return h(`h${Math.min(2 + (item.level || 1), DEEPEST)}`, {}, content);
    case "code":
      return h("pre", {}, h("code", {}, item.text));
    case "formula":
      return h("p", { class: "formula" }, item.text || item.orig || "(a formula that was not read)");
    case "footnote":
      return h("p", { class: "footnote" }, content);
    case "caption":
      return h("p", { class: "caption" }, content);
    case "checkbox_selected":
    case "checkbox_unselected":
      return h("p", {}, item.label === "checkbox_selected" ? "☑ " : "☐ ", content);
    default:
      return h("p", {}, content);
  }
}

/** A text with its emphasis, and as a link if it leads somewhere that a link may lead. */
export function emphasised(item) {
  let node = document.createTextNode(item.text ?? "");
  for (const [name, tag] of EMPHASIS) if (item.formatting?.[name]) node = h(tag, {}, node);
  const script = SCRIPTS[item.formatting?.script];
  if (script) node = h(script, {}, node);
  if (typeof item.hyperlink === "string" && /^(https?|mailto):/i.test(item.hyperlink)) {
    node = h("a", { href: item.hyperlink }, node);
  }
  return node;
}
