"""One read for all who ask at once, and never one that began before the question."""

import asyncio
from itertools import count

import pytest

from docrefinery.services.coalescing import Coalesced


class Source:
    """Something that is read slowly: a read ends when the test lets it."""

    def __init__(self) -> None:
        self.begun = 0
        self.gate = asyncio.Event()
        self._numbers = count(1)

    async def read(self) -> int:
        """Return the number of this read."""
        number = next(self._numbers)
        self.begun = number
        await self.gate.wait()
        return number


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_during_a_read_shares_the_next_one() -> None:
    shared, source = Coalesced[int](), Source()
    first = asyncio.create_task(shared.read("job", source.read))
    await settle()
    others = [asyncio.create_task(shared.read("job", source.read)) for _ in range(100)]
    await settle()
    assert source.begun == 1
    source.gate.set()
    assert await first == 1
    assert set(await asyncio.gather(*others)) == {2}
    assert await shared.read("job", source.read) == 3


async def test_different_things_are_read_at_once() -> None:
    shared, source = Coalesced[int](), Source()
    both = [asyncio.create_task(shared.read(key, source.read)) for key in ("one", "other")]
    await settle()
    assert source.begun == 2
    source.gate.set()
    assert sorted(await asyncio.gather(*both)) == [1, 2]


async def test_who_gives_up_ends_the_read_for_nobody_else() -> None:
    shared, source = Coalesced[int](), Source()
    first = asyncio.create_task(shared.read("job", source.read))
    await settle()
    leaving, staying = (asyncio.create_task(shared.read("job", source.read)) for _ in range(2))
    await settle()
    first.cancel()
    leaving.cancel()
    await settle()
    source.gate.set()
    assert await staying == 2


async def test_an_error_is_everybodys_and_the_next_read_begins_anew() -> None:
    shared, source = Coalesced[int](), Source()

    async def fail() -> int:
        await source.read()
        raise OSError("away")

    asked = [asyncio.create_task(shared.read("job", fail)) for _ in range(3)]
    await settle()
    source.gate.set()
    assert [type(result) for result in await asyncio.gather(*asked, return_exceptions=True)] == [OSError] * 3
    with pytest.raises(OSError, match="away"):
        await shared.read("job", fail)
    assert await shared.read("job", source.read) > 2
