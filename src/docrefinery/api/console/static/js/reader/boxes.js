// What was recognised on each page, and where.

import { words } from "../format.js";
import { placeOf } from "./geometry.js";
import { isFurniture, placed } from "./tree.js";

/** Returns a map of page number to its boxes; `shown` are the references that the document shows beside them. */
export function boxesByPage(doc, shown) {
  const pages = new Map();
  for (const item of placed(doc)) {
    const faint = isFurniture(item);
    if (!faint && !shown.has(item.self_ref)) continue;
    for (const prov of item.prov) {
      const place = placeOf(prov, doc.pages?.[prov.page_no]?.size);
      if (!place) continue;
      const box = { ref: item.self_ref, label: words(item.label ?? ""), place, faint };
      if (pages.has(prov.page_no)) pages.get(prov.page_no).push(box);
      else pages.set(prov.page_no, [box]);
    }
  }
  // Small ones above large ones, so that each can be pointed at.
  for (const boxes of pages.values()) boxes.sort((a, b) => area(b) - area(a));
  return pages;
}

function area({ place }) {
  return place.width * place.height;
}

/** The first place of each reference: where to look when it is chosen. */
export function firstPlaces(pages) {
  const places = new Map();
  for (const [page, boxes] of pages) for (const box of boxes) if (!places.has(box.ref)) places.set(box.ref, { page, place: box.place });
  return places;
}
