"""Jobs that want Docling's models wait for workers that have them, as long as there are any."""

from uuid import uuid4

import httpx
import msgspec
import pytest

from docrefinery.capabilities import Models
from docrefinery.model import FAST, JOB_QUEUES, MODEL, MODELS, OCR, QUEUE
from docrefinery.services import abilities
from docrefinery.settings import Settings
from docrefinery.store import claims, stranded
from docrefinery.store.database import Database
from docrefinery.store.workers import remove
from tests.support.alive import HOLDS, LOADING, fall_silent, say_alive
from tests.support.api import running
from tests.support.calls import queued
from tests.support.work import LEASE, HandWorker

WAIT_SECONDS = 120.0


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abilities, "_KNOWN_SECONDS", 0.0)


async def queue_of(client: httpx.AsyncClient, db: Database, **fields: str) -> str:
    """Submit a document and return the queue that its job waits in."""
    job = await queued(client, **fields)
    return await queue_now(db, job["id"])


async def let_pass(db: Database, seconds: float) -> None:
    """Make it so long that a worker with models was heard of."""
    await fall_silent(db, seconds)
    await db.fetch("UPDATE models_seen SET seen_at = now() - make_interval(secs => $1)", seconds)


async def queue_now(db: Database, job_id: int) -> str:
    [row] = await db.fetch("SELECT queue FROM jobs WHERE id = $1", job_id)
    return str(row["queue"])


@pytest.mark.parametrize("models", [HOLDS, LOADING])
async def test_they_wait_for_a_worker_that_holds_or_loads_models(
    client: httpx.AsyncClient, db: Database, models: Models
) -> None:
    await say_alive(db, models=models)
    assert await queue_of(client, db, profile="structured") == MODELS
    assert await queue_of(client, db, profile="full_vlm") == MODELS
    assert await queue_of(client, db) == MODELS
    assert await queue_of(client, db, profile="fast_text") == QUEUE
    assert await queue_of(client, db, profile="ocr_only") == QUEUE


@pytest.mark.parametrize("models", [None, Models(problem="torch is not installed"), Models({"layout": "x"})])
async def test_without_such_a_worker_any_takes_them(
    client: httpx.AsyncClient, db: Database, models: Models | None
) -> None:
    await say_alive(db, models=models)
    assert await queue_of(client, db, profile="structured") == QUEUE


async def test_models_that_are_not_to_be_used_are_not_waited_for(settings: Settings, db: Database) -> None:
    await say_alive(db, models=HOLDS)
    fixed = msgspec.structs.replace(settings, engine="geometric")
    async with running(fixed) as api, await api.client() as client:
        assert await queue_of(client, db, profile="structured") == QUEUE


async def test_they_wait_over_a_restart_of_the_last_such_worker(client: httpx.AsyncClient, db: Database) -> None:
    holder = await say_alive(db, models=HOLDS)
    job = await queued(client, profile="structured")
    await remove(db, holder)
    await say_alive(db)
    assert await stranded.move(db, MODELS, QUEUE, WAIT_SECONDS) == 0
    assert await queue_now(db, job["id"]) == MODELS
    assert await queue_of(client, db, profile="full_vlm") == MODELS
    await say_alive(db, holder, models=LOADING)
    await let_pass(db, WAIT_SECONDS - 10)
    assert await stranded.move(db, MODELS, QUEUE, WAIT_SECONDS) == 0


async def test_a_job_that_comes_before_the_first_worker_does_not_go_to_one_without_models(
    client: httpx.AsyncClient, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abilities, "installed_models", lambda _: HOLDS)
    assert await queue_of(client, db, profile="structured") == MODEL


async def test_when_the_last_such_worker_has_been_gone_for_long_they_are_moved_and_a_retry_looks_again(
    client: httpx.AsyncClient, db: Database, worker: HandWorker
) -> None:
    holder = await say_alive(db, models=HOLDS)
    job = await queued(client, profile="structured")
    await let_pass(db, WAIT_SECONDS + 1)
    await say_alive(db)
    assert await stranded.move(db, MODELS, QUEUE, WAIT_SECONDS) == 1
    assert await queue_now(db, job["id"]) == QUEUE

    await worker.fail(await worker.claim(queues=[QUEUE]))
    await say_alive(db, holder, models=HOLDS)
    assert (await client.post(f"/v1/jobs/{job['id']}/retry/")).status_code == 202
    assert await queue_now(db, job["id"]) == MODELS


async def test_more_than_one_statement_moves_are_moved_in_turns(
    client: httpx.AsyncClient, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await say_alive(db, models=HOLDS)
    for _ in range(3):
        await queued(client, profile="structured")
    await let_pass(db, WAIT_SECONDS + 1)
    monkeypatch.setattr(stranded, "MOVE", stranded.MOVE.replace(f"LIMIT {stranded.AT_ONCE}", "LIMIT 2"))
    assert [await stranded.move(db, MODELS, QUEUE, WAIT_SECONDS) for _ in range(3)] == [2, 1, 0]


async def test_a_worker_takes_what_its_queues_hold_the_longest_waiting_first(
    client: httpx.AsyncClient, db: Database
) -> None:
    await say_alive(db, models=HOLDS)
    plain, wanting, later = (
        await queued(client, profile="fast_text"),
        await queued(client, profile="structured"),
        await queued(client, profile="fast_text"),
    )
    without = await claims.claim(db, [QUEUE], uuid4(), LEASE)
    assert without is not None
    assert without.job_id == plain["id"]
    claimed = [await claims.claim(db, JOB_QUEUES, uuid4(), LEASE) for _ in range(3)]
    assert [claim and claim.job_id for claim in claimed] == [wanting["id"], later["id"], None]


async def test_only_a_worker_with_models_takes_them(client: httpx.AsyncClient, db: Database) -> None:
    await say_alive(db, models=HOLDS)
    await queued(client, profile="structured")
    assert await claims.claim(db, [QUEUE], uuid4(), LEASE) is None
    assert await claims.claim(db, [MODELS], uuid4(), LEASE) is not None


ALL = [FAST, OCR, MODEL, "webhooks", "maintenance"]


async def test_jobs_wait_by_what_they_cost(client: httpx.AsyncClient, db: Database) -> None:
    await say_alive(db, queues=ALL, models=HOLDS)
    costs = {"fast_text": FAST, "ocr_only": OCR, "structured": MODEL, "full_vlm": MODEL}
    assert {profile: await queue_of(client, db, profile=profile) for profile in costs} == costs
    assert await queue_of(client, db, profile="structured", options_json='{"ocr": false}') == MODEL


async def test_without_models_it_is_recognition_that_costs(client: httpx.AsyncClient, db: Database) -> None:
    await say_alive(db, queues=[FAST, OCR])
    assert await queue_of(client, db, profile="structured") == OCR
    assert await queue_of(client, db, options_json='{"ocr": false}') == FAST


async def test_what_no_worker_takes_waits_for_one(client: httpx.AsyncClient, db: Database) -> None:
    await say_alive(db, queues=[FAST])
    assert await queue_of(client, db, profile="ocr_only") == OCR


async def test_while_the_workers_for_it_are_of_the_version_before_jobs_wait_where_those_look(
    client: httpx.AsyncClient, db: Database
) -> None:
    await say_alive(db, queues=["convert", "models", "webhooks"], models=HOLDS)
    await say_alive(db, queues=[FAST])
    found = [await queue_of(client, db, profile=profile) for profile in ("fast_text", "ocr_only", "structured")]
    assert found == [FAST, QUEUE, MODELS]
