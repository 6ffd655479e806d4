"""What is to be drawn on each page: the places of a document's items, in reading order."""

from collections.abc import Iterator
from dataclasses import dataclass

from docling_core.types.doc import (
    BoundingBox,
    ContentLayer,
    DocItem,
    DocItemLabel,
    DoclingDocument,
    GroupItem,
    GroupLabel,
    ListItem,
    NodeItem,
    PictureItem,
    ProvenanceItem,
    SectionHeaderItem,
    TableItem,
)

from docrefinery.engine.debugging.palette import Kind, kind_of

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in points from the page's top left corner."""

_LISTS = (GroupLabel.LIST, GroupLabel.ORDERED_LIST)


@dataclass(frozen=True, slots=True)
class Mark:
    """One place of one item.

    :param kind: its colour and name.
    :param box: where it is.
    :param number: of the item among all of the body, from 1; ``None`` for furniture and what is inside of a picture.
    :param tag: what is written beside the box; may be empty.
    :param cells: a table's cells, and whether each is a header.
    """

    kind: Kind
    box: Box
    number: int | None
    tag: str
    cells: tuple[tuple[Box, bool], ...] = ()


def marks_of(document: DoclingDocument) -> dict[int, list[Mark]]:
    """Return the marks of each page that the document has, by its number.

    They are in reading order, so an item that goes on from an earlier page is the first of the next.
    """
    found: dict[int, list[Mark]] = {number: [] for number in sorted(document.pages)}
    number = 0
    for item, inside in _items(document):
        numbered = item.content_layer is ContentLayer.BODY and not inside
        number += numbered
        for part, place in enumerate(item.prov):
            if place.page_no in found:
                mark = _mark(document, item, place, number=number if numbered else None, part=part, inside=inside)
                found[place.page_no].append(mark)
    return found


def _items(document: DoclingDocument) -> Iterator[tuple[DocItem, bool]]:
    """Yield every item, and whether it lies inside of a picture; a caption belongs to one but lies beside it."""
    layers = set(ContentLayer)
    for item, _ in document.iterate_items(traverse_pictures=True, included_content_layers=layers):
        if isinstance(item, DocItem):
            beside = item.label in (DocItemLabel.CAPTION, DocItemLabel.FOOTNOTE)
            yield item, not beside and any(isinstance(above, PictureItem) for above in _ancestors(document, item))


def _ancestors(document: DoclingDocument, item: NodeItem) -> Iterator[NodeItem]:
    while item.parent is not None:
        item = item.parent.resolve(document)
        yield item


def _mark(
    document: DoclingDocument, item: DocItem, place: ProvenanceItem, *, number: int | None, part: int, inside: bool
) -> Mark:
    height = document.pages[place.page_no].size.height
    kind = kind_of(item, inside=inside)
    cells = _cells(item, height) if isinstance(item, TableItem) and part == 0 else ()
    name = f"{kind.short}{_depth(document, item)}"
    shown = name if number is None else f"{number}  {name}"
    continued = f"{shown} (part {part + 1})" if part else shown
    return Mark(kind, _box(place.bbox, height), number, "" if inside else continued, cells)


def _depth(document: DoclingDocument, item: DocItem) -> str:
    """Return a heading's level, or in how many lists an item is; nothing for other items."""
    match item:
        case SectionHeaderItem():
            return str(item.level)
        case ListItem():
            above = _ancestors(document, item)
            return str(sum(isinstance(each, GroupItem) and each.label in _LISTS for each in above))
        case _:
            return ""


def _cells(table: TableItem, height: float) -> tuple[tuple[Box, bool], ...]:
    cells = table.data.table_cells
    return tuple((_box(cell.bbox, height), cell.column_header or cell.row_header) for cell in cells if cell.bbox)


def _box(box: BoundingBox, height: float) -> Box:
    upright = box.to_top_left_origin(page_height=height)
    left, right = sorted((upright.l, upright.r))
    top, bottom = sorted((upright.t, upright.b))
    return left, top, right, bottom
