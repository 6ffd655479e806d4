"""Docling's Markdown, with tables that keep their spans, and with no more escapes than CommonMark needs.

Pipe tables (GitHub Flavored Markdown, section 4.10) have one header row and no spans: a table that has more is written
as HTML, which Markdown allows (CommonMark 0.31, section 4.6). Docling's own serializer would join header rows into one
and repeat spanning cells.
"""

import html
import re
from typing import Any

from docling_core.transforms.serializer.base import BaseDocSerializer, SerializationResult
from docling_core.transforms.serializer.common import create_ser_result
from docling_core.transforms.serializer.markdown import MarkdownDocSerializer, MarkdownTableSerializer
from docling_core.types.doc import DoclingDocument, TableCell, TableItem

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
# Between letters an underscore is one; elsewhere it may open or close emphasis.
_EMPHASIS = re.compile(r"(?<![\\\w])_|_(?!\w)")


class TableSerializer(MarkdownTableSerializer):
    """A pipe table where that says it all, else an HTML table."""

    def serialize(
        self, *, item: TableItem, doc_serializer: BaseDocSerializer, doc: DoclingDocument, **kwargs: Any
    ) -> SerializationResult:
        """Return the Markdown of a table with its caption."""
        if kwargs.get("_nested_in_table") or not _needs_html(item):
            return super().serialize(item=item, doc_serializer=doc_serializer, doc=doc, **kwargs)
        caption = doc_serializer.serialize_captions(item=item, **kwargs)
        table = create_ser_result(text=_html(item), span_source=item)
        parts = [part for part in (caption, table) if part.text]
        return create_ser_result(text="\n\n".join(part.text for part in parts), span_source=parts)


class Serializer(MarkdownDocSerializer):
    """Docling's serializer with such tables and fewer escapes."""

    table_serializer: TableSerializer = TableSerializer()

    def post_process(
        self, text: str, *, escape_html: bool = True, escape_underscores: bool = True, **kwargs: Any
    ) -> str:
        """Escape what would be read as a tag, an entity or emphasis, and nothing else."""
        if escape_underscores:
            text = _EMPHASIS.sub(r"\_", text)
        if escape_html:
            text = _TAG.sub("&lt;", _ENTITY.sub("&amp;", text))
        return super().post_process(text, escape_html=False, escape_underscores=False, **kwargs)


def _needs_html(item: TableItem) -> bool:
    header_rows = {cell.start_row_offset_idx for cell in item.data.table_cells if cell.column_header}
    spans = any(cell.row_span > 1 or cell.col_span > 1 for cell in item.data.table_cells)
    return spans or len(header_rows) > 1


def _html(item: TableItem) -> str:
    rows: list[list[str]] = [[] for _ in range(item.data.num_rows)]
    for cell in sorted(item.data.table_cells, key=lambda cell: (cell.start_row_offset_idx, cell.start_col_offset_idx)):
        rows[cell.start_row_offset_idx].append(_cell(cell))
    lines = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table>\n{lines}\n</table>"


def _cell(cell: TableCell) -> str:
    name = "th" if cell.column_header or cell.row_header else "td"
    spans = "".join(
        f' {attribute}="{span}"'
        for attribute, span in (("rowspan", cell.row_span), ("colspan", cell.col_span))
        if span > 1
    )
    return f"<{name}{spans}>{html.escape(' '.join(cell.text.split()), quote=False)}</{name}>"
