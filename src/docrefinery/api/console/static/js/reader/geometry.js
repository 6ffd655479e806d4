// From a document's coordinates to shares of a page, counted from its top left corner.

const BOTTOM_LEFT = "BOTTOMLEFT";

/** Where a provenance lies on its page, as `{ left, top, width, height }` from 0 to 1; null if that makes no sense. */
export function placeOf(prov, size) {
  const box = prov?.bbox;
  if (!box || !(size?.width > 0) || !(size?.height > 0)) return null;
  const upward = box.coord_origin === BOTTOM_LEFT;
  const [left, right] = sorted(box.l / size.width, box.r / size.width);
  const [top, bottom] = sorted(...[box.t, box.b].map((y) => (upward ? 1 - y / size.height : y / size.height)));
  return [left, right, top, bottom].every(Number.isFinite) ? { left, top, width: right - left, height: bottom - top } : null;
}

function sorted(a, b) {
  return [Math.min(a, b), Math.max(a, b)].map((share) => Math.min(Math.max(share, 0), 1));
}

/** Lay an element over its page at a place. */
export function lay(element, place) {
  for (const side of ["left", "top", "width", "height"]) element.style[side] = `${(place[side] * 100).toFixed(3)}%`;
  return element;
}
