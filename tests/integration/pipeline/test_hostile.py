"""Files that nobody should have made, one after the other in one converter: each ends, and the next is unharmed."""

from pathlib import Path

import pytest

from tests.hostile.run import converting, converts_a_good_one, try_all
from tests.support import hostile

SEED = 20261126
SECONDS = 6.0
# pdfium ends its own process over these, or takes all the memory that there is: the bound, not the file, ends them.
ENDED_BY_PDFIUM = {"recursive_forms"}
BOUNDS = {"", "timeout", "out_of_memory"}


@pytest.mark.timeout(300)
async def test_each_hostile_file_has_an_end_and_a_good_one_is_converted_after_them(tmp_path: Path) -> None:
    async with converting(tmp_path) as converter:
        files = hostile.sample(SEED)
        fates = [fate async for fate in try_all(converter, tmp_path, files, SECONDS)]
        assert await converts_a_good_one(converter, tmp_path)
    harmful = [fate for fate in fates if fate.ending.startswith("Crashed") or fate.replaced not in BOUNDS]
    assert {fate.name for fate in harmful} <= ENDED_BY_PDFIUM, harmful
    assert [fate for fate in fates if fate.seconds > 3 * SECONDS] == []
    assert {fate.name for fate in fates if fate.ending == "Converted"} >= {"xref_loop", "huge_box", "flate_bomb"}
