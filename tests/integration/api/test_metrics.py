"""``/metrics``: figures of the whole installation, whoever did the work."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from docrefinery.model import FAST, MODEL, OCR, Stage
from docrefinery.services import metrics as service
from docrefinery.store import claims, counters
from docrefinery.store.counters import Counted
from docrefinery.store.database import Database
from docrefinery.store.sql.counters import STAGE_BOUNDS_MS
from docrefinery.worker.tally import Tally
from tests.support.api import Api
from tests.support.calls import queued, uploaded
from tests.support.work import LEASE, HandWorker

CRASH = claims.Crash(code="WORKER_CRASHED", message="Made by hand.")
Labels = tuple[tuple[str, str], ...]
Samples = dict[tuple[str, Labels], float]


@pytest.fixture(autouse=True)
def fresh_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every question reach the database."""
    monkeypatch.setattr(service, "KEPT_SECONDS", -1.0)


async def scraped(client: httpx.AsyncClient) -> Samples:
    """Return every sample, with the name of a family only once."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    families = list(text_string_to_metric_families(answer.text))
    names = [family.name for family in families]
    assert sorted(set(names)) == sorted(names)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"docrefinery_{name}", tuple(sorted(labels.items()))]


async def test_an_installation_that_did_nothing_yet_tells_zeros(client: httpx.AsyncClient) -> None:
    found = await scraped(client)
    for name in (
        "workers", "documents", "stored_bytes", "pages_converted_total", "documents_received_total",
        "received_bytes_total", "jobs_recovered_total",
    ):  # fmt: skip
        assert of(found, name) == 0
    for queue in (FAST, OCR, MODEL):
        assert (of(found, "queue_depth", queue=queue), of(found, "queue_oldest_seconds", queue=queue)) == (0, 0)
    assert of(found, "stage_duration_seconds_count", stage="convert") == 0


async def test_ends_of_jobs_are_counted_by_profile_and_status(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, worker: HandWorker
) -> None:
    job = await queued(client, profile="fast_text")
    await worker.publish(await worker.claim())
    await queued(client)
    await worker.fail(await worker.claim())
    await queued(stranger)
    await worker.fail(await worker.claim())
    await queued(stranger)
    found = await scraped(client)
    assert of(found, "jobs_finished_total", profile="fast_text", status="SUCCEEDED") == 1
    assert of(found, "jobs_finished_total", profile="(none)", status="FAILED") == 2
    assert (of(found, "jobs", status="FAILED"), of(found, "jobs", status="QUEUED")) == (2, 1)
    assert (of(found, "queue_depth", queue=OCR), of(found, "documents")) == (1, 4)
    assert 0 < of(found, "queue_oldest_seconds", queue=OCR) < 30
    assert of(found, "jobs_failed_total", code="CONVERSION_FAILED") == 2
    received = of(found, "received_bytes_total")
    await client.delete(f"/v1/documents/{job['document_id']}/")
    after = await scraped(client)
    assert (of(after, "documents"), of(after, "documents_received_total")) == (3, 4)
    assert of(after, "received_bytes_total") == received
    assert of(after, "stored_bytes") < of(found, "stored_bytes")
    assert of(after, "pages_converted_total") == 1


async def test_nothing_that_is_counted_goes_down_when_rows_are_deleted(
    client: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    await queued(client)
    await worker.publish(await worker.claim())
    before = await scraped(client)
    for table in ("artifacts", "job_events", "jobs", "documents"):
        await db.fetch(f"DELETE FROM {table}")
    after = await scraped(client)
    counted = [key for key in before if key[0].endswith(("_total", "_count", "_sum", "_bucket"))]
    assert [key for key in counted if after[key] < before[key]] == []
    assert (of(after, "documents"), of(after, "stored_bytes"), of(after, "jobs", status="SUCCEEDED")) == (0, 0, 0)


async def test_stage_times_are_a_histogram_with_inclusive_bounds(
    client: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    times = [0, 10, 11, 25, STAGE_BOUNDS_MS[-1], STAGE_BOUNDS_MS[-1] + 1]
    for ms in times:
        await queued(client)
        claim = await worker.claim()
        await claims.enter_stage(db, claim, Stage.CONVERTING, scan_ms=ms)
        await worker.fail(claim)
    found = await scraped(client)

    def bucket(bound: str) -> float:
        return of(found, "stage_duration_seconds_bucket", stage="scan", le=bound)

    assert [bucket(bound) for bound in ("0.01", "0.025", "0.05", "600.0", "+Inf")] == [2, 4, 4, 5, 6]
    assert of(found, "stage_duration_seconds_count", stage="scan") == len(times)
    assert of(found, "stage_duration_seconds_sum", stage="scan") == pytest.approx(sum(times) / 1000)


async def test_jobs_of_lost_workers_and_put_off_ones_are_counted(
    client: httpx.AsyncClient, worker: HandWorker, db: Database
) -> None:
    await queued(client)
    await worker.claim(timedelta(0))
    assert await claims.expire(db, CRASH, max_crashes=3) == 1
    await claims.give_back(db, await worker.claim(), put_off=True, reason="scanner")
    await claims.give_back(db, await worker.claim())
    found = await scraped(client)
    assert (of(found, "jobs_recovered_total"), of(found, "jobs_put_off_total", reason="scanner")) == (1, 1)


async def test_what_a_transaction_counted_goes_with_it(client: httpx.AsyncClient, db: Database) -> None:
    async def fail() -> None:
        async with db.transaction():
            await counters.add(db, Counted.WEBHOOK_DELIVERIES, "DELIVERED")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await asyncio.gather(*(counters.add(db, Counted.WEBHOOK_DELIVERIES, "FAILED", 2) for _ in range(20)))
    found = await scraped(client)
    assert of(found, "webhook_deliveries_total", outcome="FAILED") == 40
    assert ("docrefinery_webhook_deliveries_total", (("outcome", "DELIVERED"),)) not in found


async def test_a_worker_tells_only_what_is_new(client: httpx.AsyncClient, db: Database) -> None:
    counted = {"jobs": 2}
    tally = Tally(db, Counted.CONVERTERS_REPLACED, counted)
    await tally.tell()
    await tally.tell()
    counted |= {"jobs": 3, "timeout": 1}
    await tally.tell()
    found = await scraped(client)
    assert of(found, "converters_replaced_total", reason="jobs") == 3
    assert of(found, "converters_replaced_total", reason="timeout") == 1


async def test_scrapers_share_the_figures_of_a_second(
    api: Api, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "KEPT_SECONDS", 3600.0)
    first = await scraped(client)
    await uploaded(client)
    again = await asyncio.gather(*(scraped(client) for _ in range(5)))
    assert {of(found, "documents") for found in again} == {of(first, "documents")} == {0}


async def test_the_lease_of_a_claim_is_no_end(client: httpx.AsyncClient, worker: HandWorker) -> None:
    await queued(client)
    await worker.claim(LEASE)
    found = await scraped(client)
    assert [n for (name, _), n in found.items() if name == "docrefinery_jobs_finished_total" and n] == []
    assert of(found, "jobs", status="RUNNING") == 1


async def test_every_metric_is_in_the_manual_with_its_kind(client: httpx.AsyncClient) -> None:
    page = (Path(__file__).parents[3] / "docs/metrics.md").read_text()
    documented = set(re.findall(r"^\| `(docrefinery_\w+)` \| (\w+) \|", page, re.MULTILINE))
    told = {
        (name, kind)
        for name, kind in re.findall(
            r"^# TYPE (docrefinery_\w+) (\w+)$", (await client.get("/metrics")).text, re.MULTILINE
        )
        # The library notes with each of its own when it was made.
        if not name.endswith("_created")
    }
    assert told == documented


async def test_depth_and_age_of_queues_are_told_by_what_jobs_cost(client: httpx.AsyncClient, db: Database) -> None:
    for profile in ("fast_text", "fast_text", "ocr_only"):
        await queued(client, profile=profile)
    await db.fetch("UPDATE jobs SET queue = 'convert' WHERE profile = 'ocr_only'")
    await db.fetch("UPDATE jobs SET queued_at = now() - interval '70 seconds' WHERE profile = 'ocr_only'")
    found = await scraped(client)
    depth = {queue: found["docrefinery_queue_depth", (("queue", queue),)] for queue in ("fast", "ocr", "model")}
    assert depth == {"fast": 2, "ocr": 1, "model": 0}
    assert found["docrefinery_queue_oldest_seconds", (("queue", "ocr"),)] >= 70
    assert found["docrefinery_queue_oldest_seconds", (("queue", "model"),)] == 0
