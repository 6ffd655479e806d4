"""Whether what looks like a table is one: an invented table hurts more than a missed one."""

import re
from collections import Counter

from docrefinery.engine.geometric.model import Box, Shape
from docrefinery.engine.geometric.tables.draft import Draft, Plan
from docrefinery.engine.geometric.tables.lines import is_value, lines_of, spaced

_BULLET = re.compile(r"[^\w\s]|[\[(]?(\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)\]]\.?|[\[(]?\d{1,3}[\])]")
_EQUATION = re.compile(r"\([A-Z]?\.?\d+[a-z]?\)")
_MATH = 0.3
_FEW_ROWS = 3
"""So few rows of numbers are the ticks of an axis unless both its rows and its columns have names."""
_MOST = 0.8
_WHITE = 0xFFFFFF
_FEWEST_BARS = 4
_FULL = 0.4
"""Share of the fields of an unruled table that have text."""
_PAGE = 3
"""A picture that is so many times as large as what is on it may be the scan of a page."""
_COVERED = 0.5
_MOST_COLOURS = 8
_LONG = 60
"""Letters of a cell that is a paragraph."""


def _text(draft: Draft) -> str:
    return " ".join(spaced(line.inks) for line in lines_of(draft.inks))


def _has_words(draft: Draft) -> bool:
    return any(ink.word.text[:1].isalpha() for ink in draft.inks) and not is_value(_text(draft))


def is_table(plan: Plan) -> bool:
    """Return whether a plan has rows and columns with something in them."""
    if plan.rows < 2 or plan.columns < 2:
        return False
    filled = len({(draft.row, draft.column) for draft in plan.drafts})
    wide = {draft.row for draft in plan.drafts if draft.last_column}
    if filled < 4 or len(wide) < 2:
        return False
    columns = Counter(draft.column for draft in plan.drafts if draft.column == draft.last_column)
    return sum(count > 1 for count in columns.values()) > 1


def is_plot(box: Box, shapes: list[Shape], images: list[Box], around: float = 1) -> bool:
    """Return whether curves, fills of many colours, or a picture that is not the whole page's, are within a box.

    :param around: how many points outside of the box are looked at.
    """
    left, top, right, bottom = box
    inside = [
        shape
        for shape in shapes
        if left - around <= shape.left
        and shape.right <= right + around
        and top - around <= shape.top
        and shape.bottom <= bottom + around
    ]
    for left_, top_, right_, bottom_ in images:
        width, height = min(right, right_) - max(left, left_), min(bottom, bottom_) - max(top, top_)
        is_page = (right_ - left_) * (bottom_ - top_) > _PAGE * (right - left) * (bottom - top)
        if width > 0 < height and width * height > _COVERED * (right - left) * (bottom - top) and not is_page:
            return True
    return any(shape.fill < 0 for shape in inside) or len({shape.fill for shape in inside}) > _MOST_COLOURS


def is_ruled_table(plan: Plan) -> bool:
    """Return the same of a grid of rules: one with nothing but numbers, or hardly anything, is a plot."""
    filled = sum(
        (draft.last_row - draft.row + 1) * (draft.last_column - draft.column + 1) for draft in plan.drafts if draft.inks
    )
    has_words = any(_has_words(draft) for draft in plan.drafts)
    return is_table(plan) and has_words and filled * 4 >= plan.rows * plan.columns


def is_code(plan: Plan) -> bool:
    """Return whether nearly all is set in a font of one width, or in single letters, and hardly a number among it."""
    beside = [draft for draft in plan.drafts if draft.column]
    numbers = sum(any(map(str.isdigit, text := _text(draft))) and is_value(text) for draft in beside)
    inks = [ink for draft in plan.drafts for ink in draft.inks]
    mono = sum(ink.mono for ink in inks)
    letters = sum(len(ink.word.text) == 1 and ink.word.text.isalpha() for ink in inks)
    return numbers * 2 < len(beside) and (mono > _MOST * len(inks) or letters * 2 > len(inks))


def is_formula(plan: Plan) -> bool:
    """Return whether much of it is in fonts of formulas, or each row ends with the number of an equation."""
    inks = [ink for draft in plan.drafts for ink in draft.inks]
    last = [_text(draft) for draft in plan.drafts if draft.column and draft.last_column == plan.columns - 1]
    numbered = sum(bool(_EQUATION.fullmatch(text)) for text in last)
    return sum(ink.math for ink in inks) > _MATH * len(inks) or (numbered * 2 > len(last) and plan.rows < numbered + 3)


def has_bars(box: Box, shapes: list[Shape]) -> bool:
    """Return whether fills in a box start alike and end at many places, as the bars of a chart do."""
    left, top, right, bottom = box
    tops: dict[int, set[int]] = {}
    rights: dict[int, set[int]] = {}
    for shape in shapes:
        is_in = shape.left < right and shape.right > left and shape.top < bottom and shape.bottom > top
        if is_in and 0 <= shape.fill != _WHITE:
            tops.setdefault(round(shape.bottom), set()).add(round(shape.top))
            rights.setdefault(round(shape.left), set()).add(round(shape.right))
    return any(len(ends) >= _FEWEST_BARS for ends in (*tops.values(), *rights.values()))


def is_list(plan: Plan) -> bool:
    """Return whether the first of two columns counts the lines of a listing, or holds the marks of a list."""
    if plan.columns != 2:
        return False
    first = [_text(draft) for draft in plan.drafts if not draft.column and not draft.last_column]
    return sum(bool(_BULLET.fullmatch(text)) or text.isdigit() for text in first) * 4 > 3 * len(first)


def is_sparse(plan: Plan) -> bool:
    """Return whether most of the grid is empty, as between the labels of a plot."""
    filled = sum(draft.last_column - draft.column + 1 for draft in plan.drafts)
    return filled < _FULL * plan.rows * plan.columns


def is_unruled_table(plan: Plan) -> bool:
    """Return the same where no rule says so: only numbers, or many short texts, stand for a table."""
    if not is_table(plan) or plan.rows < 3:
        return False
    texts: dict[int, list[str]] = {}
    for draft in plan.drafts:
        if draft.row and draft.column == draft.last_column:
            texts.setdefault(draft.column, []).append(_text(draft))
    first = texts.pop(0, [])
    if sum(bool(_BULLET.fullmatch(text)) for text in first) * 2 > len(first):
        return False
    others = [text for column in texts.values() for text in column]
    if len(others) < plan.rows - 1 or any(len(text) > _LONG for text in first + others):
        return False
    names = [_text(draft) for draft in plan.drafts if not draft.row]
    if plan.rows <= _FEW_ROWS and (any(map(is_value, names + first)) or len(names) * 2 < plan.columns):
        return False
    values = sum(is_value(text) for text in others)
    return values * 2 > len(others)
