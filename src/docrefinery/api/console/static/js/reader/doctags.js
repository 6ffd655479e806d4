// DocTags, Docling's own markup: its elements, and the pages that they stand on.

import { placeOf } from "./geometry.js";
import { inOrder, isFurniture } from "./tree.js";

// Places are counted in so many steps across a page and down.
const STEPS = 500;
const PLACE = /<loc_(\d+)><loc_(\d+)><loc_(\d+)><loc_(\d+)>/;

/**
 * The outermost elements of a text as `[tag, what is in it]`. The text of a document is not escaped in it, so what looks
 * like a tag and is never closed is text. Each character is looked at a fixed number of times, whatever it says.
 */
export function elements(text) {
  const closed = new Map([...text.matchAll(/<\/([a-z]\w*)>/g)].map((found) => [found[1], found.index]));
  const opening = /<([a-z]\w*)>/g;
  const found = [];
  for (let tag; (tag = opening.exec(text)?.[1]); ) {
    const from = opening.lastIndex;
    if (!(closed.get(tag) >= from)) continue;
    const end = text.indexOf(`</${tag}>`, from);
    found.push([tag, text.slice(from, end)]);
    opening.lastIndex = end;
  }
  return found;
}

/**
 * Returns a function that is given elements in their order and tells the page of each: that of the next item of the
 * document that has its place, or null. Page breaks would not do: they do not name pages, and one within a list comes after it.
 */
export function pageFinder(doc) {
  const items = inOrder(doc)
    .filter((item) => item.prov?.length && !isFurniture(item))
    .map(({ prov: [prov] }) => ({ page: prov.page_no, place: placeOf(prov, doc.pages?.[prov.page_no]?.size) }))
    .filter(({ place }) => place);
  let next = 0;
  return (element) => {
    const told = PLACE.exec(element)?.slice(1).map(Number);
    for (let at = next; told && at < items.length; at++) {
      if (!same(items[at].place, told)) continue;
      next = at + 1;
      return items[at].page;
    }
    return null;
  };
}

// What is told was rounded, and is never the last step.
function same({ left, top, width, height }, told) {
  return [left, top, left + width, top + height].every((share, side) => Math.abs(Math.min(share * STEPS, STEPS - 1) - told[side]) < 0.51);
}
