"""One list out of several groups, each read in the list's order from its own place in an index.

A filter by something that few rows have, or by several things at once, would otherwise have PostgreSQL walk through the
list until it has found a page of them: through a million rows, if there are none (docs/decisions/0024).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from piccolo.columns.combination import WhereRaw

LONGEST_INSERT = timedelta(minutes=1)
"""More than an insert may take: a statement waits for 30 s, a transaction may stand still for 15."""


class Condition(Struct, frozen=True):
    """A part of a statement, with its values in the places of ``{}``."""

    sql: str
    values: tuple[Any, ...] = ()

    @property
    def raw(self) -> WhereRaw:
        """The condition for Piccolo."""
        return WhereRaw(self.sql, *self.values)


class Merge(Struct, frozen=True):
    """Which rows of which groups.

    ``groups`` stands in FROM and is called ``g``; ``held`` are the conditions under which a row ``t`` of ``table`` is in
    a group and in the list.
    """

    table: str
    groups: Condition
    held: tuple[Condition, ...]

    def first(self, order: Sequence[str], cursor: Condition | None, limit: int, *, ascending: bool) -> Condition:
        """Return the condition that a row is among the first of all groups together."""
        direction = "ASC" if ascending else "DESC"
        held = (*self.held, cursor) if cursor else self.held
        conditions = " AND ".join(condition.sql for condition in held)
        own, found = (", ".join(f"{name}.{column} {direction}" for column in order) for name in ("t", "f"))
        columns = ", ".join(f"t.{column}" for column in order)
        # The limit is written out: a plan that does not know it is made for a tenth of all rows.
        sql = f"""id = ANY (ARRAY(
            SELECT f.id FROM {self.groups.sql} CROSS JOIN LATERAL (
                SELECT {columns} FROM {self.table} t WHERE {conditions} ORDER BY {own} LIMIT {limit:d}) f
            ORDER BY {found} LIMIT {limit:d}))"""
        return Condition(sql, (*self.groups.values, *(value for condition in held for value in condition.values)))


def one_of(table: str, held: Condition, column: str, wanted: Sequence[str], *more: Condition) -> Merge:
    """Merge the rows that have one of these values in a column."""
    groups = Condition(f"unnest({{}}::text[]) g ({column})", (list(dict.fromkeys(wanted)),))
    return Merge(table, groups, (held, Condition(f"t.{column} = g.{column}"), *more))


def created_between(
    table: str, tenant_id: int, after: datetime | None, before: datetime | None, *, by_id: bool = True
) -> list[Condition]:
    """Return the conditions that hold the rows of a tenant to when they were created.

    Numbers rise with time, but for rows that were inserted at once: a row that is older by more than an insert takes has
    a smaller number. So a page of a time long ago is sought by number, and not found by walking back to it.

    :param by_id: whether the list is in the order of numbers.
    """
    found = []
    if after is not None:
        found.append(Condition("created_at >= {}", (after,)))
    if before is not None:
        found.append(Condition("created_at <= {}", (before,)))
    beside = f"SELECT b.id FROM {table} b WHERE b.tenant_id = {{}} AND b.created_at"
    if by_id and after is not None and after.year > 1:
        sql = f"id >= coalesce(({beside} < {{}} ORDER BY b.created_at DESC LIMIT 1), 0)"
        found.append(Condition(sql, (tenant_id, after - LONGEST_INSERT)))
    if by_id and before is not None and before.year < 9999:
        sql = f"id <= coalesce(({beside} > {{}} ORDER BY b.created_at LIMIT 1), {2**63 - 1})"
        found.append(Condition(sql, (tenant_id, before + LONGEST_INSERT)))
    return found
