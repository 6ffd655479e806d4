"""Lines to paragraphs: where one ends and the next begins."""

from collections.abc import Iterator, Sequence

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.markers import bullet, number
from docrefinery.engine.geometric.assembly.typography import Typography
from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.layout.lines import Line
from docrefinery.engine.geometric.tables.model import Table

_SAME_SIZE = 0.08
_LOOSE = 1.28
"""In usual leadings: lines that are farther apart are two paragraphs."""
_LOOSE_CODE = 2.6
_INDENT = 0.8
"""In em."""
_CENTRED = 2.5
"""In points: how far the middles of centred lines are apart, at most."""
_DASHES = ("-", "–", "—", "−")
_LOOSE_ROLES = ("TH", "TD", "Figure")
"""What may be tagged in one piece whatever is in it."""
_ENDS = (".", "!", "?", ":", ";", "。", "！", "？", "：")


def blocks_of(
    page: int, column: Sequence[Line | Figure | Table], typography: Typography, *, tagged: bool = False
) -> Iterator[Block]:
    """Yield the blocks of a column; a figure and a table are one each.

    :param tagged: whether the file's tags say what belongs together.
    """
    if not column:
        return
    edges = min(element.left for element in column), max(element.right for element in column)
    block: Block | None = None
    for line in column:
        if not isinstance(line, Line):
            if block is not None:
                yield block
            block = None
            yield Block(page, [], edges, "table" if isinstance(line, Table) else "picture", content=line)
            continue
        if block is not None and _belongs(block, line, typography, tagged=tagged):
            block.lines.append(line)
            continue
        if block is not None:
            yield block
        space = line.top - block.last.bottom if block is not None else 0.0
        block = Block(page, [line], edges, space=space)
        if tagged:
            block.role, block.element = line.role, line.element
    if block is not None:
        yield block


def forced(line: Line, following: Line, right: float) -> bool:
    """Whether a line ends although the first word of the next one would have fitted: there ends a paragraph.

    :param right: right edge of the column, in points.
    """
    return right - line.right > following.first + 0.6 * line.size


def _belongs(block: Block, line: Line, typography: Typography, *, tagged: bool) -> bool:
    last = block.last
    # Listings are tagged in one piece or line by line: how they are set tells more.
    listing = last.mono and line.mono
    if not tagged or last.element < 0 or line.element < 0 or last.single or line.single or listing:
        return _continues(block, line, typography)
    return last.element == line.element and (last.role not in _LOOSE_ROLES or _continues(block, line, typography))


def _continues(block: Block, line: Line, typography: Typography) -> bool:
    last = block.last
    leading = typography.leading(last.size)
    step = line.base - last.base
    moved_up = step <= 0 and line.top < last.top - leading
    if last.single or line.single or _is_entry(last, line) or last.mono != line.mono or moved_up:
        return False
    if abs(line.size - last.size) > _SAME_SIZE * max(line.size, last.size):
        return False
    if line.mono:
        return step < _LOOSE_CODE * leading
    if step > _LOOSE * leading or _opens_item(block, line) or last.bold != line.bold:
        return False
    return number(line.text) is None if _is_display(block, typography) else _continues_text(block, line)


def _is_entry(last: Line, line: Line) -> bool:
    """Whether one of two lines is a name and a value with white space between, and the other no part of the value."""
    if line.is_row and number(line.text) is None:
        return True
    return last.is_row and number(last.text) is None and line.left < last.left + _INDENT * line.size


def _opens_item(block: Block, line: Line) -> bool:
    """Whether a line begins with a bullet; a dash within a sentence may well be the first in its line."""
    mark = bullet(line.text)
    if mark is None or mark.text not in _DASHES:
        return mark is not None
    indented = line.left > min(other.left for other in block.lines) + 0.3 * line.size
    return indented or block.last.text.endswith(_ENDS) or bullet(block.first.text) is not None


def _is_display(block: Block, typography: Typography) -> bool:
    """Whether a block is set as a heading is: larger than the text, or bolder."""
    first = block.first
    return first.size > (1 + _SAME_SIZE) * typography.size or (first.bold and not typography.bold)


def _continues_text(block: Block, line: Line) -> bool:
    last, em = block.last, line.size
    left, right = block.column
    centred = abs((line.left + line.right) - (last.left + last.right)) < 2 * _CENTRED and line.left > left + em
    if centred and abs(line.left - last.left) > _CENTRED and number(line.text) is None:
        return True
    if last.text.endswith("-") and line.left < last.left + _INDENT * em:
        return True
    ends = forced(last, line, right)
    if number(line.text) is not None and (ends or number(block.first.text) is not None):
        return False
    if ends and (last.text.endswith(_ENDS) or not line.text[:1].islower()):
        return False
    if len(block.lines) == 1:
        return line.left < last.left + _INDENT * em or not ends
    edge = min(other.left for other in block.lines[1:])
    return abs(line.left - edge) < _INDENT * em or (line.left < edge and not _hangs(block))


def _hangs(block: Block) -> bool:
    return block.first.left < min(line.left for line in block.lines[1:]) - 0.5 * block.first.size
