"""Where the tags of boxes go: beside them, where they hide least."""

from collections.abc import Sequence

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


def place_tags(boxes: Sequence[Rectangle], sizes: Sequence[tuple[int, int]], sheet: tuple[int, int]) -> list[Rectangle]:
    """Return a place for the tag of each box.

    It is left of the box, else right of it or above it, where that covers less of the boxes and the tags before it.

    :param sizes: width and height of the tags in pixels.
    :param sheet: width and height of the picture, out of which no tag sticks.
    """
    placed: list[Rectangle] = []
    for box, size in zip(boxes, sizes, strict=True):
        taken = [*boxes, *placed]
        ways = [_kept(way, sheet) for way in _beside(box, size)]
        placed.append(min(ways, key=lambda way: sum(_shared(way, other) for other in taken)))
    return placed


def _beside(box: Rectangle, size: tuple[int, int]) -> list[Rectangle]:
    """Return the places in the order of preference."""
    left, top, right, _ = box
    width, height = size
    corners = [(left - width, top), (right, top), (left, top - height), (right - width, top - height)]
    return [(x, y, x + width, y + height) for x, y in corners]


def _kept(way: Rectangle, sheet: tuple[int, int]) -> Rectangle:
    """Return a place pushed back into the picture."""
    left, top, right, bottom = way
    across = max(0.0, -left) - max(0.0, right - sheet[0])
    down = max(0.0, -top) - max(0.0, bottom - sheet[1])
    return left + across, top + down, right + across, bottom + down


def _shared(a: Rectangle, b: Rectangle) -> float:
    """Return the area that two rectangles share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
