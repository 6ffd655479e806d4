"""Whether what looks like a table is one: an invented table hurts more than a missed one."""

import re

from docrefinery.engine.geometric.tables.draft import Draft, Plan
from docrefinery.engine.geometric.tables.lines import is_value, lines_of, spaced

_BULLET = re.compile(r"[^\w\s]|[\[(]?(\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)\]]\.?|[\[(]?\d{1,3}[\])]")
_LONG = 60
"""Letters of a cell that is a paragraph."""


def _text(draft: Draft) -> str:
    return " ".join(spaced(line.inks) for line in lines_of(draft.inks))


def _has_words(draft: Draft) -> bool:
    return any(ink.word.text[:1].isalpha() for ink in draft.inks) and not is_value(_text(draft))


def _is_code(plan: Plan) -> bool:
    """Return whether the first column counts the lines of a listing."""
    if plan.columns != 2 or not all(ink.mono for draft in plan.drafts for ink in draft.inks if draft.column):
        return False
    numbers = [_text(draft) for draft in sorted(plan.drafts, key=lambda draft: draft.row) if not draft.column]
    return all(text.isdigit() for text in numbers)


def is_table(plan: Plan) -> bool:
    """Return whether a plan has rows and columns with something in them."""
    if plan.rows < 2 or plan.columns < 2:
        return False
    filled = len({(draft.row, draft.column) for draft in plan.drafts})
    wide = {draft.row for draft in plan.drafts if draft.last_column}
    if filled < 4 or len(wide) < 2:
        return False
    if _is_code(plan) or not any(_has_words(draft) for draft in plan.drafts):
        return False
    columns = [[d for d in plan.drafts if d.column == c == d.last_column] for c in range(plan.columns)]
    return sum(len(column) >= 2 for column in columns) >= 2


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
    values = sum(is_value(text) for text in others)
    return values * 2 > len(others)
