// The chunks of a document, read out of the forms that exporters write.

import { h } from "../dom.js";
import { count, words } from "../format.js";
import { empty } from "../parts/notices.js";
import { elements, pageFinder } from "./doctags.js";

const LISTS = ["ordered_list", "unordered_list", "group", "inline"];
const PAGE_BREAK = "<page_break>";

/** Returns `{ label, page, text }` of each chunk in an artifact's text; `doc` is the document that it was made of. */
export function chunksOf(text, doc) {
  try {
    const json = JSON.parse(text);
    if (json?.format === "doctags") return fromDocTags(String(json.content), pageFinder(doc));
    return [json.chunks ?? json].flat().map(fromObject);
  } catch {
    // JSON Lines, as the exporter for retrieval writes them.
    return text.split("\n").filter(Boolean).map((line) => fromObject(JSON.parse(line)));
  }
}

function fromObject(chunk) {
  const pages = chunk.pages ?? chunk.page_numbers ?? [];
  return { label: chunk.headings?.join(" › ") ?? "", page: pages[0] ?? null, text: chunk.text ?? JSON.stringify(chunk) };
}

function fromDocTags(content, pageOf) {
  const inner = content.replace(/^\s*<doctag>|<\/doctag>\s*$/g, "");
  const read = (text) =>
    elements(text).flatMap(([tag, body]) => {
      if (LISTS.includes(tag)) return read(body);
      // Where a list goes on over pages, a break stands in it as an item.
      if (body === PAGE_BREAK) return [];
      return [{ label: words(tag).replace(/ level (\d)$/, " $1"), page: pageOf(body), text: plain(body) }];
    });
  return read(inner);
}

function plain(body) {
  return body
    .replace(/<loc_\d+>/g, "")
    .replace(/<nl>/g, "\n")
    .replace(/<\/?\w+>/g, " ")
    .replace(/[^\S\n]+/g, " ")
    .trim();
}

/** The chunks as a list; choosing one shows its page. */
export function chunkList(chunks, toPage) {
  if (!chunks.length) return empty("There are no chunks", "The document has no text.");
  return h(
    "div",
    {},
    h("p", { class: "fine" }, count(chunks.length, "chunk")),
    h("ol", { class: "chunks" }, chunks.map((chunk) => h("li", {}, about(chunk, toPage), h("p", {}, chunk.text || "(without text)")))),
  );
}

function about(chunk, toPage) {
  return h(
    "div",
    { class: "fine" },
    chunk.label,
    chunk.page && h("button", { type: "button", class: "quiet", onclick: () => toPage(chunk.page) }, `Page ${chunk.page}`),
  );
}
