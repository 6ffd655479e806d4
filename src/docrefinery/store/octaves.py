"""When jobs that were created in a time can have changed last, by how long after their creation they did."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from docrefinery.store.merging import Condition
from docrefinery.store.sql.octaves import OCTAVES, UNKNOWN

_LAST = datetime.max.replace(tzinfo=UTC)


def changed_between(changed: datetime, after: datetime | None, before: datetime | None) -> Condition:
    """Return the octaves that a list can have jobs of, each with where its changes begin and end.

    A time of creation and one of change together are a part of no index's order: a list by both would pass over all
    that changed in the one and was created outside the other. But of jobs that changed last one to two hours after
    their creation, those created before noon have changed before two: at most an hour of changes is passed over.

    :param changed: the earliest change.
    :param after: the earliest creation, if there is one.
    :param before: the latest.
    """
    found = [span for span in _spans(changed, after, before) if span[1] <= span[2]]
    octaves, since, until = ([span[part] for span in found] for part in range(3))
    return Condition("unnest({}::integer[], {}::timestamptz[], {}::timestamptz[])", (octaves, since, until))


def _spans(
    changed: datetime, after: datetime | None, before: datetime | None
) -> Iterator[tuple[int, datetime, datetime]]:
    for octave in (UNKNOWN, *range(OCTAVES + 1)):
        least = timedelta(minutes=2 ** (octave - 1) if octave > 0 else 0)
        since = changed if after is None else max(changed, _later(after, least))
        if before is None or octave in (UNKNOWN, OCTAVES):
            yield octave, since, _LAST
        else:
            yield octave, since, _later(before, timedelta(minutes=2**octave))


def _later(moment: datetime, by: timedelta) -> datetime:
    """Return a moment that may be the last there is."""
    return moment + by if moment <= _LAST - by else _LAST
