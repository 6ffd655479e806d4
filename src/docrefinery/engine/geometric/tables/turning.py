"""Places on a page whose text runs sideways, as if it were set upright, and back."""

from docrefinery.engine.geometric.model import Box, Page


def turned(box: Box, page: Page, turn: int) -> Box:
    """Return a box of the page as it is after text that runs ``turn`` degrees clockwise has been set upright."""
    left, top, right, bottom = box
    match turn:
        case 90:
            return top, page.width - right, bottom, page.width - left
        case 180:
            return page.width - right, page.height - bottom, page.width - left, page.height - top
        case 270:
            return page.height - bottom, left, page.height - top, right
        case _:
            return box


def turned_back(box: Box, page: Page, turn: int) -> Box:
    """Undo ``turned``."""
    left, top, right, bottom = box
    match turn:
        case 90:
            return page.width - bottom, left, page.width - top, right
        case 180:
            return page.width - right, page.height - bottom, page.width - left, page.height - top
        case 270:
            return top, page.height - right, bottom, page.height - left
        case _:
            return box
