// A Docling document's tree: references, and who belongs to whom. What it holds came out of somebody's PDF: nothing is trusted.

const LISTS = ["texts", "tables", "pictures", "groups", "key_value_items", "form_items"];
const REFERENCE = /^#\/(\w+)\/(\d+)$/;
const FURNITURE = "furniture";

/** The item that a reference such as `{"$ref": "#/texts/3"}` names, or null. */
export function resolve(doc, reference) {
  const [, list, index] = REFERENCE.exec(reference?.$ref ?? "") ?? [];
  return LISTS.includes(list) ? (doc[list]?.[Number(index)] ?? null) : null;
}

export function childrenOf(doc, item) {
  return (item.children ?? []).map((reference) => resolve(doc, reference)).filter(Boolean);
}

/** Every item of the body in reading order, each once. */
export function inOrder(doc) {
  const found = new Set();
  const left = childrenOf(doc, doc.body ?? {}).reverse();
  while (left.length) {
    const item = left.pop();
    if (found.has(item)) continue;
    found.add(item);
    for (const child of childrenOf(doc, item).reverse()) left.push(child);
  }
  return [...found];
}

/** Captions and footnotes that a table or a figure shows as its own. */
export function claimed(doc) {
  const owners = [...(doc.tables ?? []), ...(doc.pictures ?? []), ...(doc.texts ?? [])];
  return new Set(owners.flatMap((owner) => [...(owner.captions ?? []), ...(owner.footnotes ?? [])]).map((reference) => reference.$ref));
}

export function isFurniture(item) {
  return item.content_layer === FURNITURE || item.label === "page_header" || item.label === "page_footer";
}

/** Every item that has a place on a page. */
export function placed(doc) {
  return LISTS.flatMap((list) => doc[list] ?? []).filter((item) => item?.prov?.length);
}

/** The page that an item begins on, or its first child that has one. */
export function pageOf(doc, item, depth = 0) {
  if (item.prov?.length) return item.prov[0].page_no;
  if (depth > 20) return null;
  for (const child of childrenOf(doc, item)) {
    const page = pageOf(doc, child, depth + 1);
    if (page !== null) return page;
  }
  return null;
}

/** The numbers of the pages that were converted, in order. */
export function pageNumbers(doc) {
  return Object.keys(doc.pages ?? {}).map(Number).filter(Number.isInteger).sort((a, b) => a - b);
}
