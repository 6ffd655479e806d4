"""Text that is in the file and not to be seen: the layer over a scan, or what nobody is meant to read."""

from collections.abc import Sequence

from docrefinery.engine.geometric.model import Box, Segment, Style


def without_hidden(segments: Sequence[Segment], styles: Sequence[Style], images: Sequence[Box]) -> list[Segment]:
    """Return segments without what is not painted, unless it is a bitmap's text or the page has no other."""
    shown = [segment for segment in segments if not styles[segment.words[0].style].hidden]
    if not shown:
        return list(segments)
    return [segment for segment in segments if not styles[segment.words[0].style].hidden or _over(segment, images)]


def _over(segment: Segment, images: Sequence[Box]) -> bool:
    x, y = (segment.left + segment.right) / 2, (segment.top + segment.bottom) / 2
    return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in images)
