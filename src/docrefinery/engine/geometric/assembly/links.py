"""Links that an item is as a whole. Docling has a place for those, and none for a part of an item."""

from pydantic import AnyUrl, ValidationError

from docrefinery.engine.geometric.assembly.blocks import Block

_WHOLE = 0.9


def whole_link(block: Block, text: str) -> AnyUrl | None:
    """Return where a block leads if nearly all of its text is one link.

    :param text: of the block.
    """
    uris = [reference.uri for line in block.lines for reference in line.references]
    covered = sum(reference.end - reference.start for line in block.lines for reference in line.references)
    if not uris or len(set(uris)) > 1 or covered < _WHOLE * len(text):
        return None
    try:
        return AnyUrl(uris[0])
    except ValidationError:
        return None
