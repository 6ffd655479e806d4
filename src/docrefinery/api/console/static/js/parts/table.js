// Tables of rows; on a narrow screen each row becomes a card, with the column's name before each value.

import { h } from "../dom.js";

/** `columns` are `[title, row => content, class]`; one without a title holds buttons. */
export function table(caption, columns, rows) {
  const titles = columns.map(([title, , kind]) => h("th", { scope: "col", class: kind }, title || h("span", { class: "unseen" }, "What can be done")));
  const body = rows.map((row) =>
    h(
      "tr",
      {},
      columns.map(([title, content, kind], index) =>
        h(index ? "td" : "th", { class: kind, "data-title": title, scope: index ? null : "row" }, content(row)),
      ),
    ),
  );
  return h(
    "table",
    { class: "rows" },
    h("caption", { class: "unseen" }, caption),
    h("thead", {}, h("tr", {}, titles)),
    h("tbody", {}, body),
  );
}

/** Names and values below each other; a pair whose value is empty is left out. */
export function facts(...pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  return h("dl", { class: "facts" }, shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
