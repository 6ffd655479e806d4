"""From the outbox to the receiver: bodies, order, retries, ends."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from standardwebhooks import Webhook

from docrefinery.model import Stage
from docrefinery.services.events import JobEvent
from docrefinery.services.webhooks.courier import AT_ONCE_EACH, Courier
from docrefinery.settings import Settings
from docrefinery.store import audit, claims, deliveries, jobs, webhooks
from docrefinery.store.database import Database
from docrefinery.webhooks import verify
from tests.support.hooks import (
    KEYS,
    SECRET,
    deliver,
    deliveries_of,
    delivering,
    make_endpoint,
    skip_the_wait,
)
from tests.support.receivers import Server, answers, hangs, receiving
from tests.support.tenants import make_job
from tests.support.waiting import until, until_true
from tests.support.work import HandWorker

GUIDE = [
    "event", "job_id", "job_uuid", "document_id", "external_uuid", "status", "stage", "previous_status",
    "previous_stage", "error_code", "error_message", "error_details", "queued_at", "started_at", "finished_at",
    "created_at", "modified_at",
]  # fmt: skip


async def a_finished_job(db: Database, tenant: int, worker: HandWorker) -> int:
    """Take a job through three changes."""
    job = await make_job(db, tenant)
    claim = await worker.claim()
    await claims.enter_stage(db, claim, Stage.CONVERTING, scan_ms=1)
    await worker.publish(claim)
    return job.id


async def a_canceled_job(db: Database, tenant: int) -> int:
    """Make a job with one change."""
    job = await make_job(db, tenant)
    await jobs.cancel(db, tenant, job.id)
    return job.id


def order(receiver: Server) -> list[int]:
    return [event["sequence"] for event in receiver.events]


async def test_event_is_that_of_the_guide_and_of_the_stream(
    db: Database, tenant: int, worker: HandWorker, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url + "?a=b")
    job_id = await a_finished_job(db, tenant, worker)
    await deliver(courier)
    first = receiver.received[0]
    assert first.path == "/hook?a=b"
    assert list(first.event) == [*GUIDE, "sequence", "attempt"]
    assert first.event["modified_at"].endswith("Z")
    job = await jobs.get(db, tenant, job_id)
    assert job is not None
    told = [JobEvent.of(job, event).encode() for event in await jobs.events_after(db, tenant, job_id, 0)]
    assert [received.body for received in receiver.received] == told
    assert first.headers["content-type"] == "application/json"
    assert first.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert first.headers["x-docrefinery-event"] == "job.updated"
    sent = [(r.headers["x-docrefinery-delivery"], r.headers["webhook-id"]) for r in receiver.received]
    assert sent == [(str(d["uuid"]), str(d["uuid"])) for d in await deliveries_of(db)]
    assert "x-docrefinery-signature" not in first.headers
    assert "webhook-signature" not in first.headers


@pytest.mark.parametrize("secret", [SECRET, "supersecret"])
async def test_signature_is_right_in_the_eyes_of_others(
    db: Database, tenant: int, courier: Courier, receiver: Server, secret: str
) -> None:
    await make_endpoint(db, tenant, receiver.url, secret=secret)
    await a_canceled_job(db, tenant)
    await deliver(courier)
    [received] = receiver.received
    key: str | bytes = secret if secret.startswith("whsec_") else secret.encode()
    assert Webhook(key).verify(received.body, received.headers) == received.event
    assert verify(received.body, received.headers, secret) == received.event


async def test_log_tells_what_happened(db: Database, tenant: int, courier: Courier, receiver: Server) -> None:
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    receiver.script = [answers(503, b"busy"), answers(204)]
    await deliver(courier)
    [waiting] = await deliveries_of(db)
    assert (waiting["status"], waiting["attempts"], waiting["response_status"]) == ("PENDING", 1, 503)
    assert waiting["error"] == "The receiver answered 503."
    assert timedelta(seconds=50) < waiting["next_attempt_at"] - datetime.now(UTC) < timedelta(seconds=70)
    await skip_the_wait(db)
    await deliver(courier)
    [delivered] = await deliveries_of(db)
    assert (delivered["status"], delivered["attempts"], delivered["response_status"]) == ("DELIVERED", 2, 204)
    assert (delivered["error"], delivered["next_attempt_at"]) == ("", None)
    assert delivered["delivered_at"] is not None


async def test_later_events_of_a_job_wait_for_the_earlier_and_other_jobs_do_not(
    db: Database, tenant: int, worker: HandWorker, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    first = await a_finished_job(db, tenant, worker)
    receiver.script = [answers(500)]
    await deliver(courier)
    assert order(receiver) == [1]
    second = await a_finished_job(db, tenant, worker)
    receiver.script = [answers(500), answers(500), answers(500)]
    await deliver(courier)
    assert [(event["job_id"], event["sequence"]) for event in receiver.events] == [(first, 1), (second, 1)]
    receiver.script = []
    await skip_the_wait(db)
    await deliver(courier)
    for job_id in (first, second):
        seen = [event["sequence"] for event in receiver.events if event["job_id"] == job_id]
        assert seen == [1, 1, 2, 3]


async def test_delivery_fails_when_its_attempts_are_used_up_and_the_next_event_goes_on(
    db: Database, settings: Settings, tenant: int, worker: HandWorker, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    await a_finished_job(db, tenant, worker)
    receiver.script = [answers(500)] * 3
    async with delivering(db, settings, delays=(0, 60, 60)) as courier:
        for _ in range(3):
            await skip_the_wait(db)
            await deliver(courier)
    assert order(receiver) == [1, 1, 1, 2, 3]
    made = await deliveries_of(db)
    assert [(d["status"], d["attempts"]) for d in made] == [("FAILED", 3), ("DELIVERED", 1), ("DELIVERED", 1)]


async def test_attempts_follow_the_schedule_with_jitter(
    db: Database, settings: Settings, tenant: int, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    receiver.otherwise = answers(500)
    waits = []
    async with delivering(db, settings, delays=settings.webhook_schedule) as courier:
        for _ in range(8):
            await skip_the_wait(db)
            await deliver(courier)
            [delivery] = await deliveries_of(db)
            if delivery["next_attempt_at"] is not None:
                waits.append((delivery["next_attempt_at"] - datetime.now(UTC)).total_seconds())
    planned = (5, 300, 1800, 7200, 18000, 36000, 36000)
    assert len(waits) == len(planned)
    for wait, plan in zip(waits, planned, strict=True):
        assert plan * 0.85 - 1 < wait < plan * 1.15
    assert any(abs(wait - plan) > plan * 0.001 for wait, plan in zip(waits, planned, strict=True))
    [delivery] = await deliveries_of(db)
    assert (delivery["status"], delivery["attempts"]) == ("FAILED", 8)


async def test_bytes_never_change_between_attempts(
    db: Database, tenant: int, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    job_id = await a_canceled_job(db, tenant)
    receiver.script = [answers(500)]
    await deliver(courier)
    await db.fetch("UPDATE job_events SET error_message = 'changed since' WHERE job_id = $1", job_id)
    await db.fetch("UPDATE jobs SET external_uuid = gen_random_uuid() WHERE id = $1", job_id)
    await skip_the_wait(db)
    await deliver(courier)
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_one_success_makes_what_waits_for_the_endpoint_due(
    db: Database, tenant: int, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    with receiving() as other:
        elsewhere = await make_endpoint(db, tenant, other.url)
        receiver.otherwise = other.otherwise = answers(500)
        failing = [await a_canceled_job(db, tenant) for _ in range(3)]
        await deliver(courier)
        assert len(receiver.received) == len(other.received) == 3
        receiver.otherwise = answers(200)
        await a_canceled_job(db, tenant)
        await deliver(courier)
        assert [event["job_id"] for event in receiver.events[3:4]] == [failing[-1] + 1]
        assert sorted(event["job_id"] for event in receiver.events[4:]) == failing
        assert len(other.received) == 4, "another endpoint's retries keep their time"
    assert {d["status"] for d in await deliveries_of(db) if d["endpoint_id"] != elsewhere.id} == {"DELIVERED"}


@pytest.mark.parametrize("status", [300, 302, 400, 404, 429, 500, 599])
async def test_only_2xx_counts(db: Database, tenant: int, courier: Courier, receiver: Server, status: int) -> None:
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    receiver.otherwise = answers(status)
    await deliver(courier)
    [delivery] = await deliveries_of(db)
    assert (delivery["status"], delivery["response_status"]) == ("PENDING", status)


async def test_410_disables_the_endpoint_and_fails_what_is_pending(
    db: Database, tenant: int, worker: HandWorker, courier: Courier, receiver: Server
) -> None:
    endpoint = await make_endpoint(db, tenant, receiver.url)
    await a_finished_job(db, tenant, worker)
    receiver.otherwise = answers(410)
    await deliver(courier)
    assert len(receiver.received) == 1
    made = await deliveries_of(db)
    assert [(d["status"], d["response_status"]) for d in made] == [("FAILED", 410), ("FAILED", None), ("FAILED", None)]
    assert all(d["error"] and d["next_attempt_at"] is None for d in made)
    found = await webhooks.get(db, tenant, endpoint.id)
    assert found is not None
    assert not found.enabled
    assert found.disabled_reason is not None
    assert "410" in found.disabled_reason
    [entry] = await audit.newest(db, audit.Filters(tenant_id=tenant, action="webhook.changed"), 10)
    assert (entry.actor_kind, entry.object) == ("system", f"webhook {endpoint.id}")
    await a_canceled_job(db, tenant)
    assert len(await deliveries_of(db)) == 3, "what happens meanwhile is not kept"


@pytest.mark.parametrize(("days", "enabled"), [("4 days 23 hours", True), ("5 days 1 hour", False)])
async def test_five_days_of_failures_disable_the_endpoint(
    db: Database, tenant: int, courier: Courier, receiver: Server, days: str, enabled: bool
) -> None:
    endpoint = await make_endpoint(db, tenant, receiver.url)
    receiver.otherwise = answers(500)
    await a_canceled_job(db, tenant)
    await deliver(courier)
    await db.fetch(f"UPDATE webhook_endpoints SET failing_since = now() - interval '{days}'")
    await a_canceled_job(db, tenant)
    await deliver(courier)
    found = await webhooks.get(db, tenant, endpoint.id)
    assert found is not None
    assert found.enabled is enabled
    assert found.disabled_reason == (None if enabled else "Nothing but failures for 5 days.")
    assert {d["status"] for d in await deliveries_of(db)} == {"PENDING" if enabled else "FAILED"}


async def test_a_success_in_between_starts_the_five_days_anew(
    db: Database, tenant: int, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    receiver.script = [answers(500)]
    await a_canceled_job(db, tenant)
    await deliver(courier)
    await db.fetch("UPDATE webhook_endpoints SET failing_since = now() - interval '6 days'")
    await a_canceled_job(db, tenant)
    await deliver(courier)
    [row] = await db.fetch("SELECT enabled, failing_since FROM webhook_endpoints")
    assert (row["enabled"], row["failing_since"]) == (True, None)


async def test_secret_that_cannot_be_decrypted_sends_nothing_and_is_tried_again(
    db: Database, settings: Settings, tenant: int, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url, secret=SECRET)
    await a_canceled_job(db, tenant)
    async with delivering(db, settings, keys=KEYS[1:]) as other_keys:
        await deliver(other_keys)
    async with delivering(db, settings, keys=()) as no_keys:
        await skip_the_wait(db)
        await deliver(no_keys)
    assert receiver.received == []
    [delivery] = await deliveries_of(db)
    assert (delivery["status"], delivery["attempts"]) == ("PENDING", 2)
    assert "cannot be decrypted" in delivery["error"]
    await skip_the_wait(db)
    await deliver(courier)
    assert len(receiver.received) == 1
    assert verify(receiver.received[0].body, receiver.received[0].headers, SECRET)


async def test_attempt_of_a_killed_process_is_made_again_when_its_lease_ends(
    db: Database, tenant: int, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    taken = await deliveries.claim(db, 10, busy={}, per_endpoint=4, lease=timedelta(seconds=60))
    assert len(taken) == 1
    await deliver(courier)
    assert receiver.received == []
    await skip_the_wait(db)
    await deliver(courier)
    assert len(receiver.received) == 1
    await deliveries.failed(db, taken[0], response_status=None, error="late", retry_in=None, disable=None)
    [delivery] = await deliveries_of(db)
    assert (delivery["status"], delivery["attempts"]) == ("DELIVERED", 1)


def away_at_first(times: int, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Have the database killed so many times over a piece of work."""
    left = iter(range(times))

    async def working(*arguments: Any, **named: Any) -> Any:
        if next(left, None) is not None:
            raise ConnectionResetError
        return await work(*arguments, **named)

    return working


async def test_attempt_that_was_not_made_for_want_of_the_database_is_made_when_it_is_back(
    db: Database, tenant: int, courier: Courier, receiver: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docrefinery.services.webhooks.courier.AGAIN_SECONDS", 0.01)
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    monkeypatch.setattr(jobs, "event", away_at_first(1, jobs.event))
    monkeypatch.setattr(deliveries, "give_back", away_at_first(3, deliveries.give_back))
    await deliver(courier)
    [delivery] = await deliveries_of(db)
    assert (delivery["status"], delivery["attempts"]) == ("DELIVERED", 1)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_what_came_of_an_attempt_is_noted_when_the_database_is_back_and_nothing_is_sent_twice(
    db: Database, tenant: int, courier: Courier, receiver: Server, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("docrefinery.services.webhooks.courier.AGAIN_SECONDS", 0.01)
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    receiver.script = [answers(status)]
    for name in ("succeeded", "failed"):
        monkeypatch.setattr(deliveries, name, away_at_first(3, getattr(deliveries, name)))
    await deliver(courier)
    [delivery] = await deliveries_of(db)
    expected = ("DELIVERED" if status == 200 else "PENDING", 1, status, None)
    assert tuple(delivery[name] for name in ("status", "attempts", "response_status", "lease_token")) == expected
    assert len(receiver.received) == 1


async def test_attempt_is_left_to_its_lease_when_the_database_stays_away(
    db: Database, tenant: int, courier: Courier, receiver: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docrefinery.services.webhooks.courier.AGAIN_SECONDS", 0.01)
    monkeypatch.setattr("docrefinery.services.webhooks.courier.LEASE", timedelta(seconds=0.1))
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    with monkeypatch.context() as away:
        away.setattr(deliveries, "succeeded", away_at_first(10**6, deliveries.succeeded))
        await courier.look()
        await until(lambda: len(receiver.received) > 1)
    await courier.idle()
    await skip_the_wait(db)
    await deliver(courier)
    [delivery] = await deliveries_of(db)
    assert delivery["status"] == "DELIVERED"


async def test_stop_in_order_gives_attempts_back(
    db: Database, settings: Settings, tenant: int, receiver: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docrefinery.services.webhooks.courier.PARTING_SECONDS", 0.05)
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    receiver.script = [hangs]
    async with delivering(db, settings) as courier:
        await courier.look()
        await until(lambda: receiver.received)
    [delivery] = await deliveries_of(db)
    assert (delivery["status"], delivery["attempts"], delivery["lease_token"]) == ("PENDING", 0, None)
    assert delivery["next_attempt_at"] <= datetime.now(UTC)
    await courier.look()
    assert len(receiver.received) == 1, "a closed one takes nothing more"


async def test_receiver_that_hangs_holds_up_neither_others_nor_all_of_the_process(
    db: Database, tenant: int, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    receiver.otherwise = hangs
    with receiving() as healthy:
        await make_endpoint(db, tenant, healthy.url)
        for _ in range(10):
            await a_canceled_job(db, tenant)
        await courier.look()
        await until(lambda: len(healthy.received) == 10)
        assert len(receiver.received) == AT_ONCE_EACH
        receiver.over.set()
        receiver.otherwise = answers(200)
        await courier.idle()


async def test_two_processes_send_nothing_twice(
    db: Database, settings: Settings, tenant: int, worker: HandWorker, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    for _ in range(6):
        await a_finished_job(db, tenant, worker)
    async with delivering(db, settings) as other:
        await asyncio.gather(*(deliver(one) for one in (courier, other)))
        await until_true(lambda: _all_delivered(db))
    assert len(receiver.received) == 18
    by_job: dict[Any, list[int]] = {}
    for event in receiver.events:
        by_job.setdefault(event["job_id"], []).append(event["sequence"])
    assert all(sequences == [1, 2, 3] for sequences in by_job.values())


async def _all_delivered(db: Database) -> bool:
    return {d["status"] for d in await deliveries_of(db)} == {"DELIVERED"}


async def test_old_ends_are_forgotten_and_pending_ones_are_not(
    db: Database, tenant: int, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    await deliver(courier)
    receiver.otherwise = answers(500)
    await a_canceled_job(db, tenant)
    await deliver(courier)
    await db.fetch("UPDATE webhook_deliveries SET created_at = now() - interval '29 days'")
    await deliveries.remove_old(db)
    assert len(await deliveries_of(db)) == 2
    await db.fetch("UPDATE webhook_deliveries SET created_at = now() - interval '31 days'")
    await deliveries.remove_old(db)
    assert [d["status"] for d in await deliveries_of(db)] == ["PENDING"]


async def test_attempt_that_fails_by_a_defect_counts(
    db: Database, tenant: int, courier: Courier, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url, secret=SECRET)
    await db.fetch("UPDATE webhook_endpoints SET secret = $1", Fernet(KEYS[0]).encrypt(b"\xff"))
    await a_canceled_job(db, tenant)
    await deliver(courier)
    [delivery] = await deliveries_of(db)
    assert (delivery["status"], delivery["attempts"], delivery["lease_token"]) == ("PENDING", 1, None)
    assert delivery["error"] == "The service failed on this attempt; its log says why."


async def test_process_that_was_held_up_until_its_lease_ran_out_sends_nothing(
    db: Database, tenant: int, courier: Courier, receiver: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docrefinery.services.webhooks.courier.PREPARATION_SECONDS", -1)
    await make_endpoint(db, tenant, receiver.url)
    await a_canceled_job(db, tenant)
    await deliver(courier)
    assert receiver.received == []
    [delivery] = await deliveries_of(db)
    assert (delivery["status"], delivery["attempts"]) == ("PENDING", 0)
    assert delivery["next_attempt_at"] > datetime.now(UTC), "its lease ends in a while"


async def test_every_attempt_is_counted_by_how_it_ended(
    db: Database, settings: Settings, tenant: int, receiver: Server
) -> None:
    await make_endpoint(db, tenant, receiver.url)
    for _ in range(2):
        await a_canceled_job(db, tenant)
    receiver.script = [answers(500)] * 3
    async with delivering(db, settings, delays=(0, 60)) as courier:
        for _ in range(3):
            await deliver(courier)
            await skip_the_wait(db)
        receiver.otherwise = answers(410)
        await a_canceled_job(db, tenant)
        await deliver(courier)
    rows = await db.fetch(
        "SELECT label, sum(n)::integer AS n FROM counters WHERE name = 'webhook_deliveries' GROUP BY 1"
    )
    assert {row["label"]: row["n"] for row in rows} == {"delivered": 1, "retried": 2, "failed": 2}
