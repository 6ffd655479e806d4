"""Docling's DocTags, in a time that does not grow with the tables times all there is in a document.

Docling validates the document that it writes a table of, each time, from its first item to its last one.
"""

from typing import Any

from docling_core.transforms.serializer.base import BaseDocSerializer, BaseTableSerializer, SerializationResult
from docling_core.transforms.serializer.doctags import DocTagsDocSerializer, DocTagsParams, DocTagsTableSerializer
from docling_core.types.doc import DoclingDocument, RichTableCell, TableItem
from docling_core.types.doc.document import DOCUMENT_TOKENS_EXPORT_LABELS

from docrefinery.exporters.excluding import ExcludingOnce
from docrefinery.exporters.valid import ValidDocument


class TableSerializer(DocTagsTableSerializer):
    """Docling's serializer, shown no more of the document than a table needs."""

    def serialize(
        self, *, item: TableItem, doc_serializer: BaseDocSerializer, doc: DoclingDocument, **kwargs: Any
    ) -> SerializationResult:
        """Serialize a table. Only cells with items of their own need the document, the others the size of its page."""
        if not any(isinstance(cell, RichTableCell) for cell in item.data.table_cells):
            pages = {place.page_no: doc.pages[place.page_no] for place in item.prov if place.page_no in doc.pages}
            doc = DoclingDocument(name=doc.name, pages=pages)
        return super().serialize(item=item, doc_serializer=doc_serializer, doc=doc, **kwargs)


class Serializer(DocTagsDocSerializer, ExcludingOnce):
    """Docling's serializer of a document, with that of its tables."""

    doc: ValidDocument
    table_serializer: BaseTableSerializer = TableSerializer()


def doctags(document: DoclingDocument) -> str:
    """Return what Docling's ``export_to_doctags`` returns."""
    return Serializer(doc=document, params=DocTagsParams(labels=DOCUMENT_TOKENS_EXPORT_LABELS)).serialize().text
