"""Joining the lines of a page to paragraphs, by nothing but where they stand."""

from collections.abc import Iterable, Iterator

from docrefinery.engine.lines import HYPHEN, Line

_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, 0xFFFF))


def paragraphs(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield one line for each run of lines that follow each other closely in one column."""
    block: list[Line] = []
    for line in lines:
        if block and not _continues(block, line):
            yield from _joined(block)
            block = []
        block.append(line)
    yield from _joined(block)


def _continues(block: list[Line], line: Line) -> bool:
    last = block[-1]
    if last.text.endswith(HYPHEN):
        return True
    height = min(last.height, line.height)
    left = min(other.left for other in block)
    right = max(other.right for other in block)
    return (
        max(last.height, line.height) < 1.8 * height
        and -0.5 * height < line.top - last.bottom < 0.8 * height
        and min(right, line.right) - max(left, line.left) > 0.5 * min(right - left, line.right - line.left)
        # An indented line opens a paragraph, a short one closes it.
        and line.left - left < 0.8 * height
        and right - last.right < max(0.2 * (right - left), 2 * height)
    )


def _joined(block: list[Line]) -> Iterator[Line]:
    text = " ".join(line.text for line in block).replace(f"{HYPHEN} ", "").replace(HYPHEN, "")
    # A lone half of a surrogate pair, which a broken font map can yield, cannot be written in any encoding.
    clean = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").translate(_CONTROLS)
    if words := " ".join(clean.split()):
        yield Line(
            words,
            min(line.left for line in block),
            min(line.top for line in block),
            max(line.right for line in block),
            max(line.bottom for line in block),
        )
