// A recognised table as a table, with spans and header cells.

import { h } from "../dom.js";

const MOST_CELLS = 50_000;

export function tableNode(data) {
  const rows = clamp(data?.num_rows);
  const columns = clamp(data?.num_cols);
  if (!rows || !columns || rows * columns > MOST_CELLS) return plain(data);
  const taken = new Set();
  const lines = Array.from({ length: rows }, () => []);
  const cells = [...(data.table_cells ?? [])].sort(
    (a, b) => a.start_row_offset_idx - b.start_row_offset_idx || a.start_col_offset_idx - b.start_col_offset_idx,
  );
  for (const cell of cells) place(cell, { rows, columns, taken, lines });
  fillGaps(lines, columns, taken);
  const body = lines.map((line) => h("tr", {}, line.sort((a, b) => a.column - b.column).map((cell) => cell.node)));
  return h("table", {}, h("tbody", {}, body));
}

function clamp(value) {
  return Number.isInteger(value) && value > 0 ? Math.min(value, MOST_CELLS) : 0;
}

// Cells that overlap, or lie outside, are left out: a table must stay a table.
function place(cell, { rows, columns, taken, lines }) {
  const [row, column] = [cell.start_row_offset_idx, cell.start_col_offset_idx];
  if (!(row >= 0 && row < rows && column >= 0 && column < columns)) return;
  const down = Math.max(1, Math.min(cell.end_row_offset_idx, rows) - row);
  const across = Math.max(1, Math.min(cell.end_col_offset_idx, columns) - column);
  const keys = [];
  for (let y = row; y < row + down; y++) for (let x = column; x < column + across; x++) keys.push(`${y},${x}`);
  if (keys.some((key) => taken.has(key))) return;
  keys.forEach((key) => taken.add(key));
  lines[row].push({ column, node: cellNode(cell, down, across) });
}

function cellNode(cell, down, across) {
  const spans = { rowspan: down > 1 && down, colspan: across > 1 && across };
  if (cell.column_header) return h("th", { scope: across > 1 ? "colgroup" : "col", ...spans }, cell.text);
  if (cell.row_header) return h("th", { scope: "row", ...spans }, cell.text);
  return h("td", { class: /^[\s\d.,%()+\-–−€$£]+$/.test(cell.text ?? "") && "number", ...spans }, cell.text);
}

function fillGaps(lines, columns, taken) {
  lines.forEach((line, y) => {
    for (let x = 0; x < columns; x++) if (!taken.has(`${y},${x}`)) line.push({ column: x, node: h("td", {}) });
  });
}

function plain(data) {
  return h("p", {}, (data?.table_cells ?? []).map((cell) => cell.text).join(" · "));
}
