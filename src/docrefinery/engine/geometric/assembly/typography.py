"""What is usual in a document: the size of its running text, and how far its lines are apart."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.layout.lines import Line

_USUAL_LEADING = 1.2
_WIDE = 1.5
_FEWEST = 3
_TYPESCRIPT = 0.9
_PROSE = 20


@dataclass(frozen=True, slots=True)
class Typography:
    """Measures of a document.

    :param size: of its running text, in points.
    :param bold: whether that is bold.
    :param leadings: distance of the baselines of a paragraph's lines, by size rounded to a half point.
    """

    size: float
    bold: bool
    leadings: dict[float, float] = field(default_factory=dict)

    def leading(self, size: float) -> float:
        """Return how far apart the baselines of lines of a size are, in points."""
        return self.leadings.get(_rounded(size), _USUAL_LEADING * size)


def is_typescript(layouts: Sequence[Layout]) -> bool:
    """Whether a document is set in a fixed pitch throughout, which then says nothing of being code."""
    letters = [(len(line.text), line.mono) for layout in layouts for line in layout.lines]
    return sum(count for count, mono in letters if mono) > _TYPESCRIPT * sum(count for count, _ in letters)


def typography(layouts: Sequence[Layout]) -> Typography:
    """Measure a document."""
    letters: Counter[tuple[float, bool]] = Counter()
    prose: Counter[tuple[float, bool]] = Counter()
    steps: dict[float, Counter[float]] = {}
    for layout in layouts:
        for column in layout.columns:
            lines = [element for element in column if isinstance(element, Line)]
            for line in lines:
                if not line.mono and not line.single:
                    count = letters if len(line.text) < _PROSE else prose
                    count[_rounded(line.size), line.bold] += len(line.text)
            for size, step in _steps(lines):
                steps.setdefault(size, Counter())[step] += 1
    # Thousands of labels of a plot are no running text.
    letters = prose or letters
    size, bold = max(letters, key=lambda key: (letters[key], key)) if letters else (10.0, False)
    usual = {size: _usual(size, counts, len(layouts)) for size, counts in steps.items()}
    return Typography(size, bold, {size: step for size, step in usual.items() if step is not None})


def _steps(column: Sequence[Line]) -> Iterable[tuple[float, float]]:
    for above, line in pairwise(column):
        size = _rounded(line.size)
        if size == _rounded(above.size) and 0.9 * size < line.base - above.base < 2.6 * size:
            yield size, round(2 * (line.base - above.base)) / 2


def _usual(size: float, counts: Counter[float], pages: int) -> float | None:
    """Return the most frequent step; of two that are nearly as frequent, the smaller one.

    A wide one needs to be seen several times a page: two short lines far apart are no paragraph.
    """
    likely = {step: count for step, count in counts.items() if step <= _WIDE * size or count >= _FEWEST * pages}
    if not likely:
        return None
    most = max(likely.values())
    return min(step for step, count in likely.items() if count > 0.6 * most)


def _rounded(size: float) -> float:
    return round(2 * size) / 2
