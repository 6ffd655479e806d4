// Figures are cut out of their page when they come into sight: every job has them, whatever was exported.

import { h } from "../dom.js";
import { placeOf } from "./geometry.js";
import { draw } from "./pdf.js";

const WIDEST = 480;
const TALLEST = 960;

/** Returns a function that makes the element of a picture. `pdf` is a promise; without a file there is a frame only. */
export function figureMaker(doc, pdf, signal) {
  const waiting = new Map();
  const sight = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      sight.unobserve(entry.target);
      waiting.get(entry.target)?.();
    }
  }, { rootMargin: "300px" });
  signal.addEventListener("abort", () => sight.disconnect(), { once: true });

  return (item) => {
    const prov = item.prov?.[0];
    const size = doc.pages?.[prov?.page_no]?.size;
    const place = placeOf(prov, size);
    if (!place || !place.width || !place.height) return h("div", { class: "picture" }, "A figure without a place on a page");
    const [across, down] = [place.width * size.width, place.height * size.height];
    const width = Math.min(WIDEST, Math.max(across * 1.25, 48), (TALLEST * across) / down);
    const canvas = h("canvas", { role: "img", "aria-label": `Figure on page ${prov.page_no}` });
    const frame = h("div", { class: "picture" }, canvas);
    frame.style.width = `${width}px`;
    frame.style.aspectRatio = `${across} / ${down}`;
    // The frame's own lines make a thin one wider than its figure.
    frame.style.maxHeight = `${TALLEST}px`;
    waiting.set(frame, () => cut(canvas, prov.page_no, width, place, pdf));
    sight.observe(frame);
    return frame;
  };
}

async function cut(canvas, page, width, place, pdf) {
  try {
    await (await draw(await pdf, page, canvas, width, place)).promise;
  } catch {
    // Without its file a figure stays an empty frame; the pages beside it say why.
    canvas.parentElement?.classList.add("gone");
  }
}
