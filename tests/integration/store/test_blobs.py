"""The storage by itself."""

import asyncio
from pathlib import Path

from docrefinery.store.blobs import Blobs


def test_checks_at_the_same_time_are_fine_and_leave_nothing(tmp_path: Path) -> None:
    async def checks() -> None:
        await asyncio.gather(*(Blobs(tmp_path.as_uri()).check() for _ in range(8)))

    for _ in range(5):
        asyncio.run(checks())
    assert list(tmp_path.iterdir()) == []
