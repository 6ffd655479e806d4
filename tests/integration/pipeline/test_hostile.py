"""Files that nobody should have made, one after the other in one converter: each ends, and the next is unharmed."""

from pathlib import Path

import pytest

from tests.hostile.run import Fate, converting, converts_a_good_one, harmful, try_all
from tests.support import hostile

SEED = 20261126
SECONDS = 6.0


@pytest.mark.timeout(300)
async def test_each_hostile_file_has_an_end_and_a_good_one_is_converted_after_them(tmp_path: Path) -> None:
    async with converting(tmp_path) as converter:
        files = hostile.sample(SEED)
        fates = [fate async for fate in try_all(converter, tmp_path, files, SECONDS)]
        assert await converts_a_good_one(converter, tmp_path)
    assert harmful(fates, SECONDS) == []
    assert {fate.name for fate in fates if fate.ending == "Converted"} >= {"xref_loop", "huge_box", "flate_bomb"}


@pytest.mark.parametrize(
    ("name", "ending", "seconds", "replaced", "harms"),
    [
        ("a.pdf", "Converted", 1, "", False),
        ("a.pdf", "TimedOut", 2.9 * SECONDS, "timeout", False),
        ("a.pdf", "OUT_OF_MEMORY", 1, "out_of_memory", False),
        ("a.pdf", "Converted", 3.1 * SECONDS, "", True),
        ("a.pdf", "Crashed: died", 1, "", True),
        ("a.pdf", "Converted", 1, "died", True),
        ("a.pdf", "Hung", 1, "timeout", True),
        ("recursive_forms", "Crashed: died", 1, "died", False),
    ],
)
def test_harm_is_a_crash_a_hang_or_too_much_time(
    name: str, ending: str, seconds: float, replaced: str, harms: bool
) -> None:
    assert bool(harmful([Fate(name, ending, seconds, replaced)], SECONDS)) == harms
