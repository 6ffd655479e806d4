"""How long something is kept, as people write it."""

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from docrefinery.settings import FOREVER, Settings, SettingsError, hours_of, load, shown
from docrefinery.settings.durations import MOST_HOURS


@pytest.mark.parametrize(
    ("text", "hours"),
    [("30d", 720), ("12h", 12), (" 7D ", 168), ("forever", FOREVER), ("Forever", FOREVER), ("0", FOREVER), ("48h", 48),
     ("36500d", MOST_HOURS)],
)  # fmt: skip
def test_days_hours_and_forever_are_understood(text: str, hours: int) -> None:
    assert hours_of(text) == hours


@pytest.mark.parametrize(
    "text",
    ["", "30", "d", "-1d", "+1d", "1.5d", "1,5d", "1e3h", "2w", "5m", "30 d", "1d12h", "0d", "0h", "36501d",
     "999999999999999999999d", "٣d", "never", "1d\n2d", "nan", "inf"],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"is no duration; use whole days or hours like 30d or 12h|is not between"
    ) as e:
        hours_of(text)
    assert len(str(e.value)) < 200


@given(st.integers(0, MOST_HOURS))
def test_what_is_shown_may_be_given(hours: int) -> None:
    assert hours_of(shown(hours)) == hours


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    with suppress(ValueError):
        assert 0 <= hours_of(text) <= MOST_HOURS


def test_settings_take_durations_and_name_the_variable_of_a_bad_one() -> None:
    given = load({"DOCREFINERY_KEEP_FILES": "30d", "DOCREFINERY_KEEP_JOBS": "forever"})
    assert (given.keep_files_hours, given.keep_jobs_hours, given.keep_artifacts_hours) == (720, 0, 0)
    with pytest.raises(SettingsError, match="DOCREFINERY_KEEP_ARTIFACTS: `5 days` is no duration"):
        load({"DOCREFINERY_KEEP_ARTIFACTS": "5 days"})


@pytest.mark.parametrize(
    "name",
    ["REQUESTS_PER_MINUTE", "MAX_QUEUED_JOBS", "MAX_PAGES_IN_FLIGHT", "MAX_STORED_MB", "MAX_QUEUE_DEPTH",
     "MIN_FREE_DISK_MB"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["-1", "1.5", "many", "1000000001"])
def test_a_limit_is_a_whole_number_in_bounds(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"DOCREFINERY_{name}={value}"):
        load({f"DOCREFINERY_{name}": value})


def test_the_storage_folder_is_known_where_there_is_one() -> None:
    assert Settings(storage_url="s3://bucket/x").storage_folder is None
    assert str(Settings(storage_url="file:///a%20folder").storage_folder) == "/a folder"
