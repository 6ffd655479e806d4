"""One list out of several groups, each read in the list's order from its own place in an index.

A filter by something that few rows have, or by several things at once, would otherwise have PostgreSQL walk through the
list until it has found a page of them: through a million rows, if there are none (docs/decisions/0024).
"""

from collections.abc import Mapping, Sequence
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


class Bound(Struct, frozen=True):
    """A place in a list that its rows come before or after: ``op`` compares their order with ``sql``."""

    op: str
    sql: tuple[str, ...]
    values: tuple[Any, ...] = ()

    def on(self, order: Sequence[str], own: Sequence[str] = (), group: Sequence[str] = ()) -> Condition:
        """Return the condition; ``own`` columns that are as in ``group`` come first in the index."""
        return Condition(f"({', '.join((*own, *order))}) {self.op} ({', '.join((*group, *self.sql))})", self.values)

    def nearest(self, others: Sequence["Bound"]) -> "Bound":
        """Return a bound that begins where the narrowest of them does, of this one and those on its side.

        Only by what the list is ordered by first: rows that are the same in that are for the other bounds to tell.
        """
        side = [self, *(bound for bound in others if bound.op[0] == self.op[0])]
        narrowest = "greatest" if self.op[0] == ">" else "least"
        first = f"{narrowest}({', '.join(bound.sql[0] for bound in side)})"
        taken = [bound.sql[0].count("{}") for bound in side]
        values = (value for bound, count in zip(side, taken, strict=True) for value in bound.values[:count])
        return Bound(self.op, (first, *self.sql[1:]), (*values, *self.values[taken[0] :]))


def narrowed(bounds: Sequence[Bound], order: Sequence[str], *columns: Sequence[str]) -> list[Condition]:
    """Return the conditions of bounds, the last of which on each side is where an index is to be entered.

    PostgreSQL does not find out by itself at which of several: all others are looked at row by row.
    """
    last = {bound.op[0]: bound for bound in bounds}
    found = [(bound.on(order, *columns), bound in last.values()) for bound in bounds]
    return [one if sought else Condition(f"({one.sql}) IS TRUE", one.values) for one, sought in found]


_ENDS = {"id": ("0", str(2**63 - 1)), "modified_at": ("timestamptz '-infinity'", "timestamptz 'infinity'")}


class Merge(Struct, frozen=True):
    """Which rows of which groups.

    ``groups`` stands in FROM and is called ``g``; ``columns`` are its columns, and what is compared with them in a row
    of ``table``, in the order of the index that is to be read. ``held`` are conditions on that row, ``bounds`` those of
    each group in the list's order, in terms of ``g``.
    """

    table: str
    groups: Condition
    columns: Mapping[str, str]
    held: tuple[Condition, ...]
    bounds: tuple[Bound, ...] = ()

    def first(self, order: Sequence[str], within: Sequence[Bound], limit: int, *, ascending: bool) -> Condition:
        """Return the condition that a row is among the first of all groups together."""
        direction = "ASC" if ascending else "DESC"
        held = (*self.held, *self._placed(order, within))
        everything = (*self.columns.values(), *order)
        sought, found = (", ".join(f"{name} {direction}" for name in names) for names in (everything, order))
        # The limit is written out: a plan that does not know it is made for a tenth of all rows.
        sql = f"""id = ANY (ARRAY(
            SELECT id FROM {self.groups.sql} CROSS JOIN LATERAL (
                SELECT {", ".join(order)} FROM {self.table} WHERE {" AND ".join(condition.sql for condition in held)}
                ORDER BY {sought} LIMIT {limit:d}) f
            ORDER BY {found} LIMIT {limit:d}))"""
        return Condition(sql, (*self.groups.values, *(value for condition in held for value in condition.values)))

    def _placed(self, order: Sequence[str], within: Sequence[Bound]) -> list[Condition]:
        own, group = tuple(self.columns.values()), [f"g.{name}" for name in self.columns]
        if self.bounds:
            # A fifth of what it takes to compare rows with rows, where many are passed over.
            same = [Condition(f"{mine} = {given}") for mine, given in zip(own, group, strict=True)]
            return same + narrowed((*within, *(bound.nearest(within) for bound in self.bounds)), order)
        # Bounds around all columns, and an order by all of them, where equality and the last of them would do: only
        # one index has them, so a planner who is wrong about how many rows there are has no other to walk through.
        ends = (
            Bound(">=", tuple(_ENDS[name][0] for name in order)),
            Bound("<=", tuple(_ENDS[name][1] for name in order)),
        )
        return narrowed((*ends, *within), order, own, group)


def one_of(table: str, held: Condition, column: str, wanted: Sequence[str], *more: Condition) -> Merge:
    """Merge the rows that have one of these values in a column."""
    groups = Condition("unnest({}::text[]) g (wanted)", (list(dict.fromkeys(wanted)),))
    return Merge(table, groups, {"wanted": column}, (held, *more))


def created_between(after: datetime | None, before: datetime | None) -> list[Condition]:
    """Return the conditions that hold rows to when they were created."""
    # IS TRUE keeps the planner from walking through an index of times, and sorting what it finds there.
    both = (("(created_at >= {}) IS TRUE", after), ("(created_at <= {}) IS TRUE", before))
    return [Condition(sql, (moment,)) for sql, moment in both if moment is not None]


def numbered_between(table: str, tenant_id: int, after: datetime | None, before: datetime | None) -> list[Bound]:
    """Return the bounds of the numbers of what a tenant created in a time.

    Numbers rise with time, but for rows that were inserted at once: a row that is older by more than an insert takes
    has a smaller number. So a page of a time long ago is sought by number, and not found by walking back to it.
    """
    found = []
    # `coalesce` in a query of its own: beside the column it would keep the condition from the index (see `PROFILE`).
    beside = f"SELECT id FROM {table} WHERE tenant_id = {{}} AND created_at"
    if after is not None and after.year > 1:
        sql = f"(SELECT coalesce(({beside} < {{}} ORDER BY created_at DESC LIMIT 1), 0))"
        found.append(Bound(">=", (sql,), (tenant_id, after - LONGEST_INSERT)))
    if before is not None and before.year < 9999:
        sql = f"(SELECT coalesce(({beside} > {{}} ORDER BY created_at LIMIT 1), {2**63 - 1}))"
        found.append(Bound("<=", (sql,), (tenant_id, before + LONGEST_INSERT)))
    return found
