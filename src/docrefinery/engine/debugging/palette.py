"""Colour and name of each kind of item."""

from dataclasses import dataclass

from docling_core.types.doc import ContentLayer, DocItem, DocItemLabel

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of item looks.

    :param name: in the legend.
    :param short: in the tags, before a heading's level or a list item's depth.
    """

    name: str
    short: str
    colour: Colour
    dashed: bool = False


_GREY = (105, 105, 105)
_TEXT = Kind("text", "p", (25, 95, 185))
_LIST = Kind("list item and depth", "li", (40, 125, 45))
_TABLE = Kind("table", "table", (120, 35, 160))
_KINDS = {
    DocItemLabel.TITLE: Kind("title", "title", (200, 15, 125)),
    DocItemLabel.SECTION_HEADER: Kind("section header and level", "h", (210, 40, 40)),
    DocItemLabel.TEXT: _TEXT,
    DocItemLabel.PARAGRAPH: _TEXT,
    DocItemLabel.LIST_ITEM: _LIST,
    DocItemLabel.CHECKBOX_SELECTED: _LIST,
    DocItemLabel.CHECKBOX_UNSELECTED: _LIST,
    DocItemLabel.CAPTION: Kind("caption", "cap", (215, 105, 0)),
    DocItemLabel.FOOTNOTE: Kind("footnote", "fn", (120, 80, 65)),
    DocItemLabel.TABLE: _TABLE,
    DocItemLabel.DOCUMENT_INDEX: _TABLE,
    DocItemLabel.PICTURE: Kind("picture", "pic", (0, 130, 140)),
    DocItemLabel.CHART: Kind("picture", "pic", (0, 130, 140)),
    DocItemLabel.CODE: Kind("code", "code", (50, 50, 110)),
    DocItemLabel.FORMULA: Kind("formula", "eq", (150, 120, 0)),
    DocItemLabel.PAGE_HEADER: Kind("page header", "header", _GREY, dashed=True),
    DocItemLabel.PAGE_FOOTER: Kind("page footer", "footer", _GREY, dashed=True),
}
_FURNITURE = Kind("furniture", "aside", _GREY, dashed=True)
_INSIDE = Kind("text in a picture", "", (0, 130, 140), dashed=True)
_OTHER = Kind("other", "?", (130, 130, 0))


def kind_of(item: DocItem, *, inside: bool) -> Kind:
    """Return how an item looks; ``inside`` says that it is part of a picture."""
    if inside:
        return _INSIDE
    kind = _KINDS.get(item.label, _OTHER)
    outside = item.content_layer is not ContentLayer.BODY
    return _FURNITURE if outside and not kind.dashed else kind
