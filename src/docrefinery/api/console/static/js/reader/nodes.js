// The document as elements, in its reading order. Each that has a place on a page carries its reference.

import { h } from "../dom.js";
import { tableNode } from "./tablenode.js";
import { emphasised, textNode } from "./textnode.js";
import { childrenOf, claimed, isFurniture, pageOf, resolve } from "./tree.js";

const DEEPEST = 30;
const LISTS = ["list", "ordered_list", "unordered_list"];

/** Returns sections, one a page, and the set of references that they show. `figure` makes a picture's element. */
export function documentNodes(doc, figure) {
  const context = { doc, figure, claimed: claimed(doc), shown: new Set() };
  const sections = [];
  let page = null;
  for (const item of childrenOf(doc, doc.body ?? {})) {
    const node = nodeOf(item, context, 0);
    if (!node) continue;
    const at = pageOf(doc, item) ?? page;
    if (!sections.length || at !== page) sections.push(section(at));
    page = at;
    append(sections.at(-1), node);
  }
  return { sections, shown: context.shown };
}

function section(page) {
  const title = page === null ? null : h("div", { class: "page-mark", "aria-hidden": "true" }, `Page ${page}`);
  return h("section", { "data-page": page, "aria-label": page === null ? null : `Page ${page}` }, title);
}

// Items of a list that have no list around them make one.
function append(parent, node) {
  if (node.localName !== "li") return parent.append(node);
  if (!parent.lastElementChild?.matches("ul.loose")) parent.append(h("ul", { class: "loose" }));
  parent.lastElementChild.append(node);
}

function nodeOf(item, context, depth) {
  if (depth > DEEPEST || context.shown.has(item.self_ref) || isFurniture(item) || (depth === 0 && context.claimed.has(item.self_ref))) return null;
  context.shown.add(item.self_ref);
  const kind = String(item.self_ref).split("/")[1];
  if (kind === "groups") return groupNode(item, context, depth);
  if (kind === "tables") return ownedNode(item, context, h("div", { class: "scroll" }, tableNode(item.data)), "figure table");
  if (kind === "pictures") return ownedNode(item, context, context.figure(item), "figure");
  if (item.label === "list_item") return listItem(item, context, depth);
  const node = marked(textNode(item), item);
  const within = childrenOf(context.doc, item).map((child) => nodeOf(child, context, depth + 1));
  return within.some(Boolean) ? h("div", {}, node, within) : node;
}

function groupNode(group, context, depth) {
  const children = childrenOf(context.doc, group);
  if (LISTS.includes(group.label)) return listNode(children, context, depth);
  if (group.label === "inline") {
    children.forEach((child) => context.shown.add(child.self_ref));
    return h("p", {}, children.map((child) => [marked(textNode(child, true), child), " "]));
  }
  const nodes = children.map((child) => nodeOf(child, context, depth + 1)).filter(Boolean);
  if (!nodes.length) return null;
  const around = h("div", { class: "group" });
  nodes.forEach((node) => append(around, node));
  return around;
}

function listNode(children, context, depth) {
  const list = h(children.some((child) => child.enumerated) ? "ol" : "ul");
  for (const child of children) {
    const node = nodeOf(child, context, depth + 1);
    if (!node) continue;
    if (node.localName === "li") list.append(node);
    else if (list.lastElementChild) list.lastElementChild.append(node);
    else list.append(h("li", {}, node));
  }
  return list.children.length ? list : null;
}

function listItem(item, context, depth) {
  const node = marked(h("li", {}, emphasised(item)), item);
  if (item.enumerated && item.marker) node.dataset.marker = `${item.marker} `;
  node.append(...childrenOf(context.doc, item).map((child) => nodeOf(child, context, depth + 1)).filter(Boolean));
  return node;
}

// A table or a figure with its captions above and its notes below.
function ownedNode(item, context, content, kind) {
  const texts = (references) =>
    (references ?? []).map((reference) => resolve(context.doc, reference)).filter(Boolean).map((text) => {
      context.shown.add(text.self_ref);
      return marked(h("span", {}, emphasised(text)), text);
    });
  const captions = texts(item.captions);
  const notes = texts(item.footnotes);
  return h(
    "figure",
    { class: kind },
    captions.length > 0 && h("figcaption", {}, captions),
    marked(content, item),
    description(item),
    notes.map((note) => h("p", { class: "footnote" }, note)),
  );
}

function description(item) {
  const told = item.meta?.description?.text ?? item.annotations?.find((note) => note.kind === "description")?.text;
  return told && h("p", { class: "description" }, told);
}

function marked(node, item) {
  node.dataset.ref = item.self_ref;
  node.classList.add("item");
  node.tabIndex = -1;
  return node;
}
