"""Everything that crosses pages: from laid out pages to a document."""

from collections.abc import Iterable, Sequence

from docling_core.types.doc import DoclingDocument

from docrefinery.engine.geometric.assembly.across import Across
from docrefinery.engine.geometric.assembly.blocks import Block, Label
from docrefinery.engine.geometric.assembly.captions import pair_captions
from docrefinery.engine.geometric.assembly.document import FURNITURE, Builder
from docrefinery.engine.geometric.assembly.flow import join_flow
from docrefinery.engine.geometric.assembly.furniture import Furniture, furniture
from docrefinery.engine.geometric.assembly.headings import mark_headings
from docrefinery.engine.geometric.assembly.imprint import is_imprint
from docrefinery.engine.geometric.assembly.labels import mark_blocks, mark_items
from docrefinery.engine.geometric.assembly.logos import mark_logos
from docrefinery.engine.geometric.assembly.outline import follow_outline
from docrefinery.engine.geometric.assembly.paragraphs import blocks_of
from docrefinery.engine.geometric.assembly.tagging import is_tagged_well, mark_roles
from docrefinery.engine.geometric.assembly.typography import Typography, is_typescript, typography
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.layout.lines import Line
from docrefinery.engine.geometric.model import Entry
from docrefinery.engine.geometric.pictures import Cutter

_MARGIN = 0.07
_STAMP = 0.25


def assemble(layouts: Iterable[Layout], name: str = "document", outline: Sequence[Entry] = ()) -> DoclingDocument:
    """Return the document of pages.

    :param layouts: of its pages, in order.
    :param name: of the document.
    :param outline: of the document, in order.
    """
    document = DoclingDocument(name=name)
    pages = list(layouts)
    fill(document, pages, Across.of(pages, lambda: list(outline)))
    return document


def fill(
    document: DoclingDocument,
    layouts: Sequence[Layout],
    across: Across,
    cutter: Cutter | None = None,
) -> None:
    """Add pages and their content to a document that has none yet.

    :param across: what is found across them.
    :param cutter: cuts out the images of pictures; ``None`` leaves them without.
    """
    if not layouts:
        return
    if is_typescript(layouts):
        for layout in layouts:
            for line in layout.lines:
                line.mono = False
    measures = typography(layouts)
    outside = furniture(layouts, measures, across.copies)
    blocks = _all_blocks(layouts, outside, measures)
    tagged = is_tagged_well(blocks)
    if tagged:
        outside = outside.as_tagged(layouts)
        blocks = _all_blocks(layouts, outside, measures, tagged=True)
    blocks = follow_outline(blocks, across.outline())
    body = [block for block in blocks if block.label not in FURNITURE]
    mark_blocks(body)
    if tagged:
        mark_roles(body)
    mark_headings(body, measures, {layout.number: layout.panels for layout in layouts})
    mark_items(body, measures)
    pair_captions(body)
    mark_logos(layouts, body)
    builder = Builder(document, across.compounds(), cutter)
    for layout in layouts:
        builder.page(layout)
    for block in join_flow(blocks):
        if block.label != "caption_of":
            builder.add(block)


def _all_blocks(
    layouts: Sequence[Layout], outside: Furniture, measures: Typography, *, tagged: bool = False
) -> list[Block]:
    first = layouts[0].number
    return [block for layout in layouts for block in _blocks(layout, outside, measures, first, tagged=tagged)]


def _blocks(layout: Layout, outside: Furniture, measures: Typography, first: int, *, tagged: bool) -> list[Block]:
    found = [_single(layout, line, "page_header") for line in outside.headers.get(layout.number, ())]
    for column in layout.columns:
        kept = outside.without(layout.number, column)
        blocks = list(blocks_of(layout.number, kept, measures, tagged=tagged))
        if layout.number == first and is_imprint(layout, kept, measures):
            for block in blocks:
                if block.content is None:
                    block.label = "imprint"
        found += blocks
    found += [_single(layout, line, _aside(layout, line)) for line in layout.aside]
    found += [_single(layout, line, "page_footer") for line in outside.footers.get(layout.number, ())]
    return found


def _aside(layout: Layout, line: Line) -> Label:
    """Return what a line is that runs up or down: on the margin a stamp, else text; askew, a watermark."""
    if layout.styles[line.style].direction < 0:
        return "imprint"
    on_margin = line.right < _MARGIN * layout.width or line.left > (1 - _MARGIN) * layout.width
    # The label of an axis is shorter.
    return "imprint" if on_margin and line.height > _STAMP * layout.height else "text"


def _single(layout: Layout, line: Line, label: Label) -> Block:
    return Block(layout.number, [line], (line.left, line.right), label=label)
