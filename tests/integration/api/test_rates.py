"""How many requests a tenant may send in a minute."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import msgspec
import pytest
import redis
from limits import RateLimitItemPerMinute
from redis.asyncio import BlockingConnectionPool

from docrefinery.bootstrap.operator import operator
from docrefinery.services import rates
from docrefinery.services.keys import Caller
from docrefinery.settings import Settings
from docrefinery.store.tenants import Limits
from tests.support.api import Api, running
from tests.support.calls import assert_problem, queued
from tests.support.waiting import until_true

QUOTA = 12


@pytest.fixture
def limited(settings: Settings) -> Settings:
    """An installation that lets every tenant send a few requests."""
    redis.Redis.from_url(settings.redis_url).flushall()
    return msgspec.structs.replace(settings, requests_per_minute=QUOTA)


@pytest.fixture
async def api(limited: Settings) -> AsyncIterator[Api]:
    async with running(limited) as api:
        yield api


async def asked(client: httpx.AsyncClient, times: int, path: str = "/v1/profiles/") -> list[int]:
    return [(await client.get(path)).status_code for _ in range(times)]


async def test_one_too_many_is_refused_and_told_when_to_come_back(client: httpx.AsyncClient) -> None:
    first = await client.get("/v1/profiles/")
    assert first.headers["ratelimit-policy"] == f'"requests";q={QUOTA};w=60'
    assert first.headers["ratelimit"] == f'"requests";r={QUOTA - 1};t=60'
    assert await asked(client, QUOTA - 1) == [200] * (QUOTA - 1)
    refused = await client.get("/v1/profiles/")
    problem = assert_problem(refused, 429, "RATE_LIMITED")
    assert problem["limit"] == QUOTA
    seconds = int(refused.headers["retry-after"])
    assert 1 <= seconds <= 60 + 60 / QUOTA
    assert refused.headers["ratelimit"] == f'"requests";r=0;t={seconds}'


async def test_remaining_falls_with_each_request(client: httpx.AsyncClient) -> None:
    seen = [(await client.get("/v1/profiles/")).headers["ratelimit"] for _ in range(QUOTA)]
    assert [int(field.split("r=")[1].split(";")[0]) for field in seen] == list(range(QUOTA - 1, -1, -1))


async def test_a_tenants_keys_share_and_tenants_do_not(api: Api) -> None:
    async with AsyncExitStack() as stack:
        mine, too, theirs = [
            await stack.enter_async_context(await api.client(tenant=name)) for name in ("acme", "acme", "globex")
        ]
        assert await asked(mine, QUOTA - 1) == [200] * (QUOTA - 1)
        assert await asked(too, 2) == [200, 429]
        assert await asked(theirs, QUOTA + 1) == [200] * QUOTA + [429]


async def test_polls_have_a_bucket_of_their_own(client: httpx.AsyncClient) -> None:
    job = await queued(client)
    url = f"/v1/jobs/{job['id']}/"
    await asked(client, QUOTA)
    assert_problem(await client.get("/v1/profiles/"), 429, "RATE_LIMITED")
    polled = await client.get(url)
    assert polled.headers["ratelimit-policy"] == f'"polls";q={10 * QUOTA};w=60'
    # One poll more was made by `queued`.
    statuses = await asked(client, 10 * QUOTA - 2, url)
    assert set(statuses) == {200}
    assert_problem(await client.get(url), 429, "RATE_LIMITED")


async def test_processes_count_together(limited: Settings) -> None:
    async with running(limited) as one, running(limited) as two, await one.client() as client:
        key = {"Authorization": client.headers["authorization"]}
        async with two.anonymous(key) as other:
            statuses = []
            for _ in range(QUOTA):
                statuses += [*await asked(client, 1), *await asked(other, 1)]
    assert statuses.count(200) == QUOTA


async def test_a_high_limit_is_taken_in_blocks_and_never_passed(settings: Settings) -> None:
    quota = 2 * 60 * rates.BLOCKS_A_SECOND
    chosen = msgspec.structs.replace(settings, requests_per_minute=quota)
    redis.Redis.from_url(settings.redis_url).flushall()
    async with running(chosen) as one, running(chosen) as two, await one.client() as client:
        key = {"Authorization": client.headers["authorization"]}
        async with two.anonymous(key) as other:
            statuses = [*await asked(client, quota // 2), *await asked(other, quota // 2 + 3)]
    assert statuses.count(200) <= quota
    assert statuses[: quota // 2] == [200] * (quota // 2)
    assert statuses[-1] == 429


@pytest.mark.parametrize("burst", [1, 3])
async def test_quiet_processes_waste_nothing_however_many_they_are(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, burst: int
) -> None:
    """Eight processes send bursts two seconds apart, together a tenth of the quota."""
    clock: Any = SimpleNamespace(now=1000.0, monotonic=lambda: clock.now, time=time.time)
    monkeypatch.setattr(rates, "time", clock)
    redis.Redis.from_url(settings.redis_url).flushall()
    rounds = 28
    quota = 8 * rounds * burst * 10
    caller = cast("Caller", SimpleNamespace(tenant_id=1, requests_per_minute=quota))
    processes = [rates.Rates(settings) for _ in range(8)]
    try:
        for _ in range(rounds):
            clock.now += 2
            for process in processes:
                for _ in range(burst):
                    standing = await process.count(caller, "requests")
                    assert standing is not None
                    assert standing.admitted
        # What they hold is all that was taken and not spent.
        taken = quota - await left(processes[0], quota)
        assert taken - 8 * rounds * burst <= 8 * burst
    finally:
        for process in processes:
            await process.close()


async def left(process: rates.Rates, quota: int) -> int:
    """Return how many requests nobody has taken."""
    stats = await process._limiter.get_window_stats(RateLimitItemPerMinute(quota), "requests", "1")
    return stats.remaining


async def test_a_tenants_own_number_holds_at_once(api: Api, limited: Settings, client: httpx.AsyncClient) -> None:
    async with operator(limited) as services:
        await services.tenants.set("acme", limits=Limits(requests_per_minute=2))

        async def told() -> bool:
            return "q=2;" in (await client.get("/v1/profiles/")).headers["ratelimit-policy"]

        await until_true(told, 5)
        assert (await asked(client, 3))[-1] == 429
        await services.tenants.set("acme", limits=Limits(requests_per_minute=0))

        async def lifted() -> bool:
            return f"q={QUOTA};" in (await client.get("/v1/profiles/")).headers["ratelimit-policy"]

        await until_true(lifted, 5)


async def test_what_needs_no_key_is_not_counted(api: Api) -> None:
    async with api.anonymous() as anybody:
        for path, status in (("/healthz", 200), ("/v1/jobs/", 401), ("/schema", 200)):
            answers = [await anybody.get(path) for _ in range(QUOTA + 2)]
            assert {answer.status_code for answer in answers} == {status}
            assert not any("ratelimit" in answer.headers for answer in answers)


async def test_without_a_limit_nothing_is_counted(settings: Settings) -> None:
    unused = msgspec.structs.replace(settings, redis_url="unix:///nowhere/at/all.sock")
    async with running(unused) as api, await api.client() as client:
        answer = await client.get("/v1/profiles/")
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


async def test_while_valkey_is_away_everything_is_let_through_and_it_is_logged_once(
    limited: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(rates.log, "warning", lambda event, **_: told.append(event))
    away = msgspec.structs.replace(limited, redis_url="unix:///nowhere/at/all.sock")
    async with running(away) as api, await api.client() as client:
        answers = [await client.get("/v1/profiles/") for _ in range(QUOTA + 3)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)
    assert told == ["rate_limits_not_held"]


async def test_a_valkey_that_accepts_and_never_answers_keeps_nobody_waiting(
    limited: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_unix_server(lambda _, writer: opened.append(writer), tmp_path / "silent.sock")
    hung = msgspec.structs.replace(limited, redis_url=f"unix://{tmp_path}/silent.sock")
    try:
        async with running(hung) as api, await api.client() as client, asyncio.timeout(10):
            assert await asked(client, 1) == [200]
            # It is not asked again for a while.
            connections = len(opened)
            assert await asked(client, QUOTA + 3) == [200] * (QUOTA + 3)
            assert len(opened) == connections > 0
    finally:
        silent.close()
        for writer in opened:
            writer.close()
        await silent.wait_closed()


async def test_counting_goes_on_when_valkey_is_back(
    limited: Settings, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "AWAY_SECONDS", 0.0)

    async def refused(*_: object, **__: object) -> None:
        raise redis.ConnectionError("away")

    with monkeypatch.context() as patch:
        patch.setattr(BlockingConnectionPool, "get_connection", refused)
        assert set(await asked(client, QUOTA + 3)) == {200}
    assert await asked(client, QUOTA + 1) == [200] * QUOTA + [429]
