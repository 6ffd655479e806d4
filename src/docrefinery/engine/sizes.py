"""How large a page may be drawn: as many pixels as a machine can hold, whatever size a file claims."""

import math

_LONGEST_SIDE = 32_000
"""Pixels; Tesseract takes no more than 32,767, and an image of one row must not be one of gigabytes."""


def fitting_scale(
    wanted: float, width: float, height: float, most_pixels: int, longest_side: int = _LONGEST_SIDE
) -> float:
    """Return the scale at which a page is drawn: the one that is wanted, or less.

    :param wanted: pixels a point.
    :param width: of the page, in points; so is ``height``.
    :param most_pixels: of the picture.
    :param longest_side: of the picture, in pixels.
    """
    width, height = max(width, 1.0), max(height, 1.0)
    return min(wanted, math.sqrt(most_pixels / width / height), longest_side / max(width, height))
