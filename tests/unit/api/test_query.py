"""Query parameters as text."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from docrefinery.api.query import time_of
from docrefinery.store.records import ref_of

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=ZONES)  # noqa: DTZ001


@given(MOMENTS)
def test_plus_that_became_a_space_is_understood(moment: datetime) -> None:
    assert time_of(moment.isoformat().replace("+", " ")) == moment
    assert time_of(moment.isoformat(" ").replace("+", " ")) == moment


@given(MOMENTS)
def test_naive_time_is_utc(moment: datetime) -> None:
    there = moment.astimezone(UTC)
    assert time_of(there.replace(tzinfo=None).isoformat()) == there
    assert time_of(there.replace(tzinfo=None).isoformat(" ")) == there
    assert time_of(there.isoformat().replace("+00:00", "Z")) == there


def test_date_is_its_midnight_in_utc() -> None:
    assert time_of("2026-11-23") == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("1", 1),
        ("007", 7),
        ("9223372036854775807", 2**63 - 1),
        ("9" * 100, 2**63 - 1),
        ("00000000-0000-4000-8000-000000000000", UUID(int=0x4000_8000_000000000000)),
    ],
)
def test_id_is_a_number_or_a_uuid(text: str, ref: object) -> None:
    assert ref_of(text) == ref


@pytest.mark.parametrize("text", ["", "-1", "1.0", "x", "\uff11"])
def test_other_ids_name_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ref_of(text)
