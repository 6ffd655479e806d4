// The reader: the pages with what was recognised, and beside them the document that came out.

import { all, get, json, send } from "../api.js";
import { h } from "../dom.js";
import { artifactTable } from "../parts/artifacts.js";
import { lacking, noted } from "../parts/notices.js";
import { tabbed } from "../parts/tabs.js";
import { boxesByPage, firstPlaces } from "../reader/boxes.js";
import { chunkList, chunksOf } from "../reader/chunks.js";
import { figureMaker } from "../reader/figures.js";
import { couple } from "../reader/lights.js";
import { documentNodes } from "../reader/nodes.js";
import { pagePane } from "../reader/pages.js";
import { openPdf } from "../reader/pdf.js";
import { goTogether } from "../reader/together.js";
import { pageNumbers } from "../reader/tree.js";
import { may } from "../session.js";

const SCOPES = ["jobs:read", "artifacts:read"];

export async function read({ id, signal }) {
  const missing = SCOPES.find((scope) => !may(scope));
  if (missing) return lacking("Read", missing);
  const [job, artifacts] = await Promise.all([get(`v1/jobs/${id}/`, {}, signal), all("v1/artifacts/", { job_id: id }, signal)]);
  const { document, why } = await fileOf(job.document_id, signal);
  const of = (kind) => artifacts.find((artifact) => artifact.kind === kind);
  if (!of("docling_json")) return without(job, artifacts, document);
  const doc = await json(await content(of("docling_json"), signal));
  return reader({ job, artifacts, of, doc, document, why, signal });
}

function content(artifact, signal) {
  return send("GET", `v1/artifacts/${artifact.id}/`, { signal });
}

/** The document, and why its file cannot be shown, if so. */
async function fileOf(id, signal) {
  if (!may("documents:read")) return { document: null, why: "This key lacks the scope documents:read, so the pages cannot be drawn." };
  try {
    const document = await get(`v1/documents/${id}/`, {}, signal);
    if (document.file_expired_at) return { document, why: "The file was removed when its time was over; the places of what was recognised are shown without it." };
    if (document.status === "QUARANTINED") return { document, why: "The file is quarantined and is not handed out." };
    return { document, why: "" };
  } catch (error) {
    if (error.status !== 404) throw error;
    return { document: null, why: "The document was deleted." };
  }
}

function reader({ job, artifacts, of, doc, document, why, signal }) {
  const pdf = why ? Promise.reject(new Error(why)) : openPdf(job.document_id, signal);
  const notice = h("div", { class: "report" }, why && noted(why));
  pdf.catch((error) => !why && !signal.aborted && notice.append(noted(`The pages cannot be drawn: ${error.message}`)));
  const { sections, shown } = documentNodes(doc, figureMaker(doc, pdf, signal));
  const boxes = boxesByPage(doc, shown);
  const places = firstPlaces(boxes);
  const pages = pageNumbers(doc).map((number) => ({ number, size: doc.pages[number].size }));
  const lit = { ref: null };
  const pane = pagePane(pages, (number) => boxes.get(number) ?? [], pdf, lit, signal);
  const text = h("article", { class: "result" }, sections.length ? sections : noted("No text was recognised in this document."));
  const { bar, panel } = tabbed("Results", tabs({ of, artifacts, doc, text, pane, signal }));
  const root = h("div", { class: "reader" }, pane.element, h("div", { class: "side" }, bar, panel));
  couple(root, text, lit, (ref) => places.has(ref) && pane.reveal(places.get(ref).page, places.get(ref).place));
  goTogether(pane, panel, text, signal);
  return h("div", { class: "view reading" }, heading(job, document), notice, root);
}

function tabs({ of, artifacts, doc, text, pane, signal }) {
  const fetched = async (artifact) => (await content(artifact, signal)).text();
  const chunks = of("chunks_json") ?? artifacts.find((artifact) => /chunk/.test(artifact.kind));
  return [
    ["Document", () => text],
    of("markdown") && ["Markdown", async () => h("pre", { class: "raw" }, await fetched(of("markdown")))],
    chunks && ["Chunks", async () => chunkList(chunksOf(await fetched(chunks), doc), (page) => pane.reveal(page, null))],
    ["Downloads", () => artifactTable(artifacts)],
  ].filter(Boolean);
}

function heading(job, document) {
  return h(
    "div",
    { class: "title" },
    h("h1", {}, document?.original_filename ?? `Job ${job.id}`),
    h("div", { class: "actions" }, h("a", { href: `#/jobs/${job.id}` }, `Job ${job.id}`), document && h("a", { href: `#/documents/${document.id}` }, `Document ${document.id}`)),
  );
}

function without(job, artifacts, document) {
  const said =
    job.status === "SUCCEEDED"
      ? "The results of this job are gone: they were removed after their time, or with their document."
      : `This job has no result to read: it is ${job.status.toLowerCase()}.`;
  return h("div", { class: "view" }, heading(job, document), noted(h("p", {}, said), h("a", { href: `#/jobs/${job.id}` }, "See what became of it")), artifacts.length > 0 && artifactTable(artifacts));
}
