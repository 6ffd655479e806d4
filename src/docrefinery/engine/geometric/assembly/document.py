"""The Docling document of what was recognised."""

from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Any, TypeVar

from docling_core.types.doc import (
    ContentLayer,
    DocItem,
    DocItemLabel,
    DoclingDocument,
    GroupItem,
    ListItem,
    NodeItem,
    ProvenanceItem,
    Size,
    TextItem,
)

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.links import whole_link
from docrefinery.engine.geometric.assembly.place import Place
from docrefinery.engine.geometric.assembly.tables import table_data
from docrefinery.engine.geometric.assembly.text import clean, join
from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.model import Box
from docrefinery.engine.geometric.pictures import Cutter
from docrefinery.engine.geometric.tables.model import Table

_Item = TypeVar("_Item", bound=TextItem)
_LABELS = {
    "text": DocItemLabel.TEXT,
    "caption": DocItemLabel.CAPTION,
    "footnote": DocItemLabel.FOOTNOTE,
    "page_header": DocItemLabel.PAGE_HEADER,
    "page_footer": DocItemLabel.PAGE_FOOTER,
    "imprint": DocItemLabel.TEXT,
}
FURNITURE = ("page_header", "page_footer", "imprint", "logo")


class Builder:
    """Builds one document, item by item."""

    def __init__(self, document: DoclingDocument, compounds: AbstractSet[str], cutter: Cutter | None) -> None:
        self._cutter = cutter
        self._document = document
        self._compounds = compounds
        self._places: dict[int, Place] = {}
        self._lists: list[GroupItem] = []

    def page(self, layout: Layout) -> None:
        """Add a page."""
        place = self._places[layout.number] = Place.of(layout)
        self._document.add_page(page_no=layout.number, size=Size(width=place.width, height=place.height))

    def add(self, block: Block) -> None:
        """Add a block."""
        if block.label != "list_item":
            self._lists = []
        match block.label:
            case "title":
                text = join(block.lines, self._compounds)
                self._place(self._document.add_title(text, prov=self._first(block, text)), block, text)
            case "section_header":
                text = join(block.lines, self._compounds)
                item = self._document.add_heading(
                    text, level=block.level, prov=self._first(block, text), hyperlink=whole_link(block, text)
                )
                self._place(item, block, text)
            case "list_item":
                self._item(block)
            case "picture" | "logo":
                self._picture(block)
            case "table":
                self._table(block)
            case "code":
                text = _code(block)
                self._document.add_code(text, prov=self._first(block, text))
            case label:
                text = join(block.lines, self._compounds)
                item = self._add(
                    TextItem,
                    text,
                    self._first(block, text),
                    self._document.body,
                    label=_LABELS[label],
                    content_layer=_layer(block),
                    hyperlink=whole_link(block, text),
                )
                self._place(item, block, text)

    def _picture(self, block: Block) -> None:
        assert isinstance(block.content, Figure)
        layer = _layer(block)
        # A logo on every page would have every page rendered.
        cutter = self._cutter if layer is ContentLayer.BODY else None
        image = cutter.cut(block.page, self._places[block.page].on_page(block.box)) if cutter else None
        picture = self._document.add_picture(
            prov=self._first(block, ""), image=image, caption=self._caption(block), content_layer=layer
        )
        for line in block.content.lines:
            text = clean(line.text)
            prov = self._provenance(block.page, line.box, (0, len(text)))
            self._add(TextItem, text, prov, picture, label=DocItemLabel.TEXT, content_layer=layer)

    def _table(self, block: Block) -> None:
        assert isinstance(block.content, Table)
        data = table_data(block.content, self._places[block.page])
        self._document.add_table(data, prov=self._first(block, ""), caption=self._caption(block))

    def _caption(self, block: Block) -> TextItem | None:
        if block.caption is None:
            return None
        text = join(block.caption.lines, self._compounds)
        prov = self._provenance(block.caption.page, block.caption.box, (0, len(text)))
        caption: TextItem = self._document.add_text(DocItemLabel.CAPTION, text, prov=prov)
        return caption

    def _item(self, block: Block) -> None:
        del self._lists[block.level + 1 :]
        while len(self._lists) <= block.level:
            self._lists.append(self._document.add_list_group(parent=self._lists[-1] if self._lists else None))
        text = join(block.lines, self._compounds)
        marker = clean(block.marker)
        text = text.removeprefix(marker).lstrip()
        enumerated = any(letter.isalnum() for letter in marker)
        item = self._add(
            ListItem,
            text,
            self._first(block, text),
            self._lists[-1],
            enumerated=enumerated,
            marker=marker,
            hyperlink=whole_link(block, text),
        )
        self._place(item, block, text)

    def _add(self, kind: type[_Item], text: str, prov: ProvenanceItem, parent: NodeItem, **more: Any) -> _Item:
        """Add what most of a document consists of, as Docling's ``add_text`` does and in two thirds of its time.

        It leaves lists to their defaults, which are copied deeply for each item.
        """
        item = kind(
            self_ref=f"#/texts/{len(self._document.texts)}",
            parent=parent.get_ref(),
            children=[],
            prov=[prov],
            source=[],
            comments=[],
            text=text,
            orig=text,
            **more,
        )
        self._document.texts.append(item)
        parent.children.append(item.get_ref())
        return item

    def _first(self, block: Block, text: str) -> ProvenanceItem:
        page, box = block.places[0]
        return self._provenance(page, box, (0, len(text)))

    def _place(self, item: DocItem, block: Block, text: str) -> None:
        """Add the other places of a block that goes on elsewhere."""
        for page, box in block.places[1:]:
            item.prov.append(self._provenance(page, box, (0, len(text))))

    def _provenance(self, page: int, box: Box, span: tuple[int, int]) -> ProvenanceItem:
        return ProvenanceItem(page_no=page, bbox=self._places[page].bounding_box(box), charspan=span)


def _layer(block: Block) -> ContentLayer:
    return ContentLayer.FURNITURE if block.label in FURNITURE else ContentLayer.BODY


def _code(block: Block) -> str:
    """Return a listing with its lines and their indents, and with the empty lines between them."""
    left = min(line.left for line in block.lines)
    wide = 0.6 * block.first.size
    steps = [below.base - line.base for line, below in pairwise(block.lines)]
    leading = max(min(steps, default=0.0), block.first.size)
    code = ""
    for line, step in zip(block.lines, [0.0, *steps], strict=True):
        code += "\n" * max(1, round(step / leading)) if code else ""
        code += " " * round((line.left - left) / wide) + line.text
    return code
