// The pages of the PDF with what was recognised on them. A page is drawn when it comes near, and let go when it is far.

import { fill, h } from "../dom.js";
import { lay } from "./geometry.js";
import { draw } from "./pdf.js";

const NEAR = "150% 0px";
const LETTER = { width: 612, height: 792 };

/**
 * `pages` is a list of `{ number, size }`; `boxesOf(number)` gives `{ ref, label, place, faint }` of one page.
 * `pdf` is a promise of the file; without it the boxes are shown on blank pages. `lit.ref` is what is lit just now.
 */
export function pagePane(pages, boxesOf, pdf, lit, signal) {
  const sheets = new Map();
  const drawing = new WeakMap();
  const element = h("div", { class: "pages", tabindex: "0", role: "region", "aria-label": "Pages" });
  for (const { number, size } of pages) {
    const sheet = h("div", { class: "sheet", "data-page": number, role: "img", "aria-label": `Page ${number}` });
    sheet.style.aspectRatio = `${size?.width || LETTER.width} / ${size?.height || LETTER.height}`;
    sheets.set(number, sheet);
    element.append(sheet);
  }
  const near = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => (isIntersecting ? show(target) : hide(target))), {
    root: element,
    rootMargin: NEAR,
  });
  sheets.forEach((sheet) => near.observe(sheet));
  signal.addEventListener("abort", () => near.disconnect(), { once: true });

  async function show(sheet) {
    if (sheet.children.length) return;
    const number = Number(sheet.dataset.page);
    const canvas = h("canvas", { "aria-hidden": "true" });
    fill(sheet, canvas, boxesOf(number).map((box) => boxNode(box, lit)), h("span", { class: "number" }, number));
    try {
      const task = await draw(await pdf, number, canvas, sheet.clientWidth);
      drawing.set(sheet, task);
      await task.promise;
    } catch {
      // Let go while it was drawn, or there is no file: the page stays white, with its boxes.
    }
  }

  function hide(sheet) {
    drawing.get(sheet)?.cancel();
    sheet.replaceChildren();
  }

  /** Bring a place of a page to the middle of the pane. */
  function reveal(number, place) {
    const sheet = sheets.get(number);
    if (!sheet) return;
    const middle = sheet.offsetTop + sheet.clientHeight * (place ? place.top + place.height / 2 : 0);
    element.scrollTo({ top: Math.max(0, middle - (place ? element.clientHeight / 2 : 12)) });
  }

  /** The number of the page that is at a share of the pane's height. */
  function shown(share) {
    const line = element.scrollTop + element.clientHeight * share;
    const sheet = [...sheets.values()].findLast((each) => each.offsetTop <= line);
    return sheet ? Number(sheet.dataset.page) : null;
  }

  return { element, reveal, shown };
}

function boxNode({ ref, label, place, faint }, lit) {
  const kinds = ["box", faint && "faint", ref === lit.ref && "lit"].filter(Boolean);
  return lay(h("div", { class: kinds.join(" "), "data-ref": ref, title: label }), place);
}
