"""A row that grows line by line, and whether an entry of the next line goes on with the one above it."""

from docrefinery.engine.geometric.tables.columns import Column, Entry
from docrefinery.engine.geometric.tables.lines import Line, is_value, spaced

_SPACE = 0.28
"""In em."""
_INDENT = 0.5
"""In em: how far a continued label stands in."""
_OUT = 0.3
"""In em: a label that stands out so far from the one above is a new one."""
_OPEN_MARKS = ("-", "\u00ad", "\u2010", "\u2013", "\u2014", ",", "/", "&", "(")
_OPEN_WORDS = ("and", "or", "of", "the", "in", "for", "to", "with", "by", "from", "than", "et", "und", "de")


class Row:
    """Lines of one row, each with what it has in the columns.

    :ivar is_label: whether only the first column has text so far.
    :ivar has_value: whether there is a number in another.
    """

    def __init__(self) -> None:
        self.lines: list[tuple[Line, list[Entry]]] = []
        self.is_label = True
        self.has_value = False
        self.has_share = False
        self._start = float("inf")
        self._last: dict[int, tuple[Line, Entry]] = {}

    def add(self, line: Line, entries: list[Entry]) -> None:
        """Add a line below."""
        self.lines.append((line, entries))
        for entry in entries:
            self._last[entry.first] = line, entry
            text = spaced(entry.inks)
            self.is_label &= not entry.last
            if entry.first:
                self.has_value |= is_value(text)
                self.has_share |= text.startswith(("(", "["))
            else:
                self._start = min(self._start, entry.inks[0].left)

    def has(self, column: int) -> bool:
        """Return whether a column has text."""
        return column in self._last

    def wraps(self, entry: Entry, columns: list[Column], *, is_tight: bool = False) -> bool:
        """Return whether an entry goes on with the one above it: it did not fit there, and looks like it.

        :param is_tight: whether the lines are so close that a label need not look like it.
        """
        line, before = self._last.get(entry.first, (None, None))
        if not line or not before or line is not self.lines[-1][0]:
            return False
        first = entry.inks[0]
        more = _SPACE * first.size + first.right - first.left
        left, right = before.inks[0].left, max(ink.right for ink in before.inks)
        column = Column(columns[entry.first].left, columns[entry.last].right)
        forced = right + more > column.right or right - left + more > column.right - column.left
        if entry.first or not forced:
            return forced
        if first.left < min(left, self._start) - _OUT * line.size or spaced(before.inks).endswith(":"):
            return False
        return is_tight or first.left - left > _INDENT * line.size or self.is_broken(entry)

    def is_broken(self, entry: Entry) -> bool:
        """Return whether a label's words say that it goes on with the line above."""
        found = self._last.get(entry.first)
        last = found[1].inks[-1].word.text.lower() if found else ""
        return entry.inks[0].word.text[:1].islower() or last.endswith(_OPEN_MARKS) or last in _OPEN_WORDS
