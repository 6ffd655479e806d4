"""Keyset pagination over a Piccolo select: a page is a seek in an index, never an OFFSET."""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct
from piccolo.columns import Column, Timestamptz
from piccolo.query.methods.select import Select

from docrefinery.errors import FieldError, InvalidFilter
from docrefinery.store.merging import Bound, Merge, narrowed
from docrefinery.store.records import Row

T = TypeVar("T")


Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]


class Cursor(Struct, frozen=True, array_like=True):
    """A place between two rows: before or after the row with this key.

    :ivar of: the list that it is a place in; those that the release before gave out do not say.
    """

    back: bool
    key: tuple[Number | Moment, ...]
    of: str = ""

    def encode(self) -> str:
        """Return the opaque text that links carry."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Read a link's text; raises ``ValueError`` that says so if it was not made here."""
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=cls)
        except ValueError as error:
            raise ValueError("is not one that this API gave out; start without it") from error

    def require(self, of: str, kinds: Sequence[type]) -> None:
        """Refuse a place in another list.

        :param kinds: types of the key's parts in this one.
        :raises InvalidFilter: if it is one.
        """
        ours = len(kinds) == len(self.key) and all(map(isinstance, self.key, kinds))
        if not ours or self.of not in ("", of):
            reason = "belongs to another list or filter; start without it"
            raise InvalidFilter(f"The query cannot be read: `cursor` {reason}.", errors=[FieldError("/cursor", reason)])


class Page(Struct, Generic[T], frozen=True):
    """Rows of one page, and the cursors of its neighbours where there are any."""

    items: list[T]
    next: Cursor | None
    previous: Cursor | None


class PageRequest(Struct, frozen=True):
    """How many rows, and from where."""

    size: int = 50
    cursor: Cursor | None = None


async def fetch_page(
    query: Select[Any],
    make: Callable[[Row], T],
    request: PageRequest,
    *,
    order: Sequence[Column],
    ascending: bool,
    within: Sequence[Bound] = (),
    merge: Merge | None = None,
) -> Page[T]:
    """Run a filtered select as one page in the order of ``order``, whose columns are unique together.

    :param within: bounds of the list in that order.
    :param merge: the groups whose rows are sought one by one, where the filter has such.
    """
    cursor = request.cursor
    back = cursor is not None and cursor.back
    forward = ascending is not back
    names = [column._meta.name for column in order]
    table = query.table._meta.tablename
    if cursor is not None:
        cursor.require(table, [datetime if isinstance(column, Timestamptz) else int for column in order])
    bounds = list(within) if cursor is None else [*within, _beyond(cursor, order, forward=forward)]
    if merge is not None:
        query = query.where(merge.first(names, bounds, request.size + 1, ascending=forward).raw)
    else:
        for condition in narrowed(bounds, names):
            query = query.where(condition.raw)
    rows: list[dict[str, Any]] = await query.order_by(*order, ascending=forward).limit(request.size + 1)
    more, rows = len(rows) > request.size, rows[: request.size]
    if back:
        rows.reverse()

    def beside(row: Row, *, before: bool) -> Cursor:
        return Cursor(before, tuple(row[column._meta.name] for column in order), table)

    has_previous = more if back else cursor is not None
    has_next = back or more
    return Page(
        items=[make(row) for row in rows],
        next=beside(rows[-1], before=False) if rows and has_next else None,
        previous=beside(rows[0], before=True) if rows and has_previous else None,
    )


def _beyond(cursor: Cursor, order: Sequence[Column], *, forward: bool) -> Bound:
    return Bound(">" if forward else "<", ("{}",) * len(order), cursor.key)
