"""Incremental sync over HTTP: neither by `updated_after` nor by the list's links is a change missed."""

import asyncio
import random
from typing import Any

import httpx

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.calls import queued

WRITERS, CHANGES = 6, 15
START = "/v1/jobs/?updated_after=2020-01-01&page_size=2"
Versions = dict[int, str]


class Poller:
    """An integrator that keeps what it has seen."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.versions: Versions = {}
        self.url = START

    async def page(self, url: str) -> dict[str, Any]:
        """Read one page."""
        answer = await self.client.get(url)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        for job in page["results"]:
            self.versions[job["id"]] = max(job["modified_at"], self.versions.get(job["id"], ""))
        return page

    async def by_watermark(self) -> None:
        """Read to the end, then begin the next time at the last change that was seen."""
        url = self.url
        while url:
            url = (await self.page(url))["next"]
        self.url = f"/v1/jobs/?updated_after={max(self.versions.values())}&page_size=2"

    async def by_links(self) -> None:
        """Read to the last page, and begin the next time with that page again."""
        while following := (await self.page(self.url))["next"]:
            self.url = following


async def truth(poller: Poller) -> Versions:
    jobs = (await poller.client.get("/v1/jobs/", params={"page_size": 200})).json()["results"]
    return {job["id"]: job["modified_at"] for job in jobs}


async def test_interleaved_commits_are_all_seen(client: httpx.AsyncClient, settings: Settings) -> None:
    made = [(await queued(client))["id"] for _ in range(5)]
    pool = Database(settings.database_url, pool_size=WRITERS)
    running, choose = WRITERS, random.Random(11)

    async def write() -> None:
        nonlocal running
        for _ in range(CHANGES):
            async with pool.transaction():
                # The snapshot is older than what others commit meanwhile, and the commit later than the change.
                await pool.fetch("SELECT now(), pg_sleep($1)", choose.random() * 0.004)
                await pool.fetch("UPDATE jobs SET request_id = '' WHERE id = $1", choose.choice(made))
                await pool.fetch("SELECT pg_sleep($1)", choose.random() * 0.004)
        running -= 1

    async def follow(poller: Poller, by: str) -> None:
        last = False
        while not last:
            last = running == 0
            await getattr(poller, by)()

    pollers = [(Poller(client), by) for by in ("by_watermark", "by_links")]
    await pool.start()
    await asyncio.gather(*(write() for _ in range(WRITERS)), *(follow(*poller) for poller in pollers))
    await pool.close()
    for poller, _ in pollers:
        assert poller.versions == await truth(poller)


async def test_change_that_began_first_and_commits_last_is_seen_later(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    slow, fast = [(await queued(client))["id"] for _ in range(2)]
    pool = Database(settings.database_url, pool_size=1)
    await pool.start()
    pollers = [Poller(client), Poller(client)]
    async with pool.transaction():
        await pool.fetch("UPDATE jobs SET request_id = 'late' WHERE id = $1", slow)
        changing = asyncio.create_task(client.post(f"/v1/jobs/{fast}/cancel/"))
        await pollers[0].by_watermark()
        await pollers[1].by_links()
    assert (await changing).status_code == 200
    await pollers[0].by_watermark()
    await pollers[1].by_links()
    await pool.close()
    for poller in pollers:
        assert poller.versions == await truth(poller)
