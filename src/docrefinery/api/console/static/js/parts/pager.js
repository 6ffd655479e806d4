// The way to the next and the previous page of a list: the cursor stands in the address like every filter.

import { cursorOf } from "../api.js";
import { h } from "../dom.js";
import { to } from "../router.js";

export function pager(path, query, page) {
  const [previous, next] = [cursorOf(page.previous), cursorOf(page.next)];
  if (!previous && !next) return null;
  const link = (cursor, name, rel) =>
    cursor
      ? h("a", { class: "button", rel, href: to(path, { ...Object.fromEntries(query), cursor }) }, name)
      : h("span", { class: "button off", "aria-disabled": "true" }, name);
  return h(
    "nav",
    { class: "pager", "aria-label": "Pages of the list" },
    link(previous, "← Previous", "prev"),
    link(next, "Next →", "next"),
  );
}
