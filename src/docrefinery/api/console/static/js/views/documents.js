// The list of documents.

import { get } from "../api.js";
import { h } from "../dom.js";
import { bytes, moment, NOTHING, number, words } from "../format.js";
import { filters, several, text, time } from "../parts/filters.js";
import { empty, lacking, troubled } from "../parts/notices.js";
import { pager } from "../parts/pager.js";
import { badge, DOCUMENT_STATUSES } from "../parts/status.js";
import { table } from "../parts/table.js";
import { may } from "../session.js";

const PAGE_SIZE = "25";
const FIELDS = [
  several("status", "Status", DOCUMENT_STATUSES.map((status) => [status, words(status)])),
  text("external_uuid", "Your own id", "uuid"),
  text("sha256", "SHA-256 of the file", "64 hex digits"),
  time("created_after", "Uploaded after"),
  time("created_before", "Uploaded before"),
];

export async function documents({ query, signal, refresh }) {
  if (!may("documents:read")) return lacking("Documents", "documents:read");
  const found = await get("v1/documents/", { page_size: PAGE_SIZE, ...Object.fromEntries(query) }, signal).catch((error) => {
    if (error.code === "INVALID_FILTER") return error;
    throw error;
  });
  return h(
    "div",
    { class: "view" },
    h("div", { class: "title" }, h("h1", {}, "Documents"), h("button", { type: "button", onclick: () => refresh() }, "Refresh")),
    filters("/documents", query, FIELDS),
    found instanceof Error ? troubled(found) : shown(found, query),
  );
}

function shown(page, query) {
  if (!page.results.length) {
    return [...query].length
      ? empty("No document is like this", "Take a filter away, or ", h("a", { href: "#/documents" }, "show all documents"), ".")
      : empty("No documents yet", h("a", { href: "#/" }, "Upload a PDF"), " to begin.");
  }
  return [
    table(
      "Documents",
      [
        ["Document", (row) => h("a", { href: `#/documents/${row.id}` }, row.id), "number"],
        ["File", (row) => h("span", { class: "name" }, row.original_filename)],
        ["Status", (row) => (row.file_expired_at ? h("span", { class: "badge" }, "Expired") : badge(row.status))],
        ["Pages", (row) => (row.page_count === null ? NOTHING : number(row.page_count)), "number"],
        ["Size", (row) => bytes(row.size_bytes), "number"],
        ["Uploaded", (row) => moment(row.created_at)],
      ],
      page.results,
    ),
    pager("/documents", query, page),
  ];
}
