"""The API and workers, driven at random against a model of the life of jobs (Hypothesis)."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx
import pytest
import redis
from hypothesis import HealthCheck, Phase, settings as hypothesis_settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from docrefinery.bootstrap.operator import operator
from docrefinery.settings import Settings
from docrefinery.store import claims
from docrefinery.store.blobs import Blobs
from docrefinery.store.claims import Crash, LeaseLost
from docrefinery.store.database import Database
from docrefinery.store.records import ClaimRecord
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.integration.model.lifecycle import MAX_CRASHES, ModelDocument, ModelJob
from tests.support.api import Api, running
from tests.support.calls import a_pdf, stored_files, upload
from tests.support.consistent import assert_in_order
from tests.support.counted import assert_counted
from tests.support.emptied import empty
from tests.support.inloop import InLoop, in_loop
from tests.support.work import HandWorker

EXAMPLES, STEPS = 10, 25
PROFILE = "fast_text"
CRASH = Crash(code="WORKER_CRASHED", message="Made by hand.")
pick = st.integers(0, 10**6)


@dataclass
class World:
    """The system that is driven."""

    settings: Settings
    api: Api
    db: Database
    worker: HandWorker
    maintenance: Maintenance


@asynccontextmanager
async def world_of(settings: Settings) -> AsyncIterator[World]:
    """Run everything in this process, on the real database."""
    database = Database(settings.database_url, pool_size=4)
    await database.start()
    broker = build_broker(settings.redis_url)
    maintenance = Maintenance(database, Blobs(settings.storage), RedisDoorbell(broker), settings)
    async with running(settings) as api:
        yield World(settings, api, database, HandWorker.of(database, settings), maintenance)
    broker.close()
    await database.close()


class LifeCycle(RuleBasedStateMachine):
    """One tenant's documents and jobs."""

    world: InLoop[World]
    names = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.documents: list[ModelDocument] = []
        self.jobs: list[ModelJob] = []
        self.held: list[tuple[ModelJob, ClaimRecord]] = []
        self.stale: list[ClaimRecord] = []
        self.enabled = True
        self.turns = itertools.count(1)

    @initialize()
    def begin(self) -> None:
        """Begin with an empty database and a new tenant."""
        self.tenant = f"tenant-{next(self.names)}"
        self.client = self.world.run(self._emptied())

    async def _emptied(self) -> httpx.AsyncClient:
        world = self.world.thing
        await empty(world.settings.migration_database_url)
        shutil.rmtree(unquote(urlsplit(world.settings.storage).path), ignore_errors=True)
        return await world.api.client(tenant=self.tenant)

    def teardown(self) -> None:
        """Look at each row once more, and close the client."""
        if hasattr(self, "client"):
            self.world.run(assert_in_order(self.world.thing.db))
            self.world.run(self.client.aclose())

    # What clients do.

    @rule(ingest=st.booleans())
    def upload(self, ingest: bool) -> None:
        """Upload a file."""
        self._uploaded(a_pdf(), ingest=ingest)

    def _uploaded(self, content: bytes, *, ingest: bool) -> None:
        answer = self.world.run(upload(self.client, content, ingest=str(ingest)))
        assert answer.status_code == 201, answer.text
        document = ModelDocument(answer.json()["id"], content)
        self.documents.append(document)
        if ingest:
            self._queued(answer.json()["job_id"], document)

    def _queued(self, job_id: int, document: ModelDocument) -> None:
        job = ModelJob(job_id, document, next(self.turns))
        self.jobs.append(job)
        document.jobs.append(job)
        document.settle()

    @precondition(lambda self: self.documents)
    @rule(which=pick)
    def upload_the_same_again(self, which: int) -> None:
        """Upload bytes that were there before."""
        content = self.documents[which % len(self.documents)].content
        there = [document for document in self.documents if document.content == content and not document.deleted]
        if not there:
            self._uploaded(content, ingest=True)
            return
        answer = self.world.run(upload(self.client, content, ingest="true"))
        assert answer.status_code == 409, answer.text
        latest = max((job.id for job in there[0].jobs), default=None)
        existing = answer.json()["existing"]
        assert (existing["document_id"], existing["job_id"]) == (there[0].id, latest)

    @precondition(lambda self: self.documents)
    @rule(which=pick, named=st.booleans())
    def start(self, which: int, named: bool) -> None:
        """Start a job."""
        document = self.documents[which % len(self.documents)]
        body = {"document_id": document.id} | ({"profile": PROFILE} if named else {})
        answer = self.world.run(self.client.post("/v1/jobs/", json=body))
        if named and not self.enabled:
            assert answer.status_code == 403 or document.deleted or document.status == "QUARANTINED", answer.text
            assert answer.status_code in (403, 404, 409), answer.text
        elif document.deleted:
            assert answer.status_code == 404, answer.text
        elif document.status == "QUARANTINED":
            assert answer.status_code == 409, answer.text
        else:
            assert answer.status_code == 201, answer.text
            self._queued(answer.json()["id"], document)

    @precondition(lambda self: self.jobs)
    @rule(which=pick)
    def cancel(self, which: int) -> None:
        """Cancel a job."""
        job = self.jobs[which % len(self.jobs)]
        answer = self.world.run(self.client.post(f"/v1/jobs/{job.id}/cancel/"))
        assert answer.status_code == job.canceled(), answer.text

    @precondition(lambda self: self.jobs)
    @rule(which=pick)
    def retry(self, which: int) -> None:
        """Retry a job."""
        job = self.jobs[which % len(self.jobs)]
        answer = self.world.run(self.client.post(f"/v1/jobs/{job.id}/retry/"))
        assert answer.status_code == job.retried(next(self.turns)), answer.text

    @precondition(lambda self: self.documents)
    @rule(which=pick)
    def delete(self, which: int) -> None:
        """Delete a document."""
        document = self.documents[which % len(self.documents)]
        answer = self.world.run(self.client.delete(f"/v1/documents/{document.id}/"))
        assert answer.status_code == (404 if document.deleted else 204), answer.text
        if not document.deleted:
            document.delete()

    # What the operator does, and fate.

    @rule()
    def toggle(self) -> None:
        """Switch a profile."""
        self.enabled = not self.enabled

        async def switched() -> None:
            async with operator(self.world.thing.settings) as services:
                switch = services.toggles.enable if self.enabled else services.toggles.disable
                await switch(self.tenant, PROFILE)

        self.world.run(switched())
        self.world.run(self._heard_of_it())

    async def _heard_of_it(self) -> None:
        for _ in range(500):
            listed = (await self.client.get("/v1/profiles/")).json()["results"]
            if [item["enabled"] for item in listed if item["name"] == PROFILE] == [self.enabled]:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("a switched profile is not heard of")

    @rule()
    def flush(self) -> None:
        """Empty the broker."""
        with redis.Redis.from_url(self.world.thing.settings.redis_url) as valkey:
            valkey.flushall()

    @rule()
    def sweep(self) -> None:
        """Look after everything; no blob is left that no row refers to."""
        self.world.run(self.world.thing.maintenance.sweep())
        rows = self.world.run(self._keys())
        assert stored_files(self.world.thing.settings) == rows

    async def _keys(self) -> list[str]:
        sql = """SELECT blob_key AS key FROM documents WHERE deleted_at IS NULL
                 UNION ALL SELECT blob_key FROM artifacts"""
        return sorted(row["key"] for row in await self.world.thing.db.fetch(sql))

    # What workers do.

    @rule()
    def claim(self) -> None:
        """Take the job whose turn it is."""
        waiting = sorted((job for job in self.jobs if job.status == "QUEUED"), key=lambda job: (job.turn, job.id))
        if not waiting:
            assert not self.world.run(claims.waiting(self.world.thing.db, "convert", 1))
            return
        claim = self.world.run(self.world.thing.worker.claim())
        assert claim.job_id == waiting[0].id
        assert claim.attempt == waiting[0].attempt
        waiting[0].claimed()
        self.held.append((waiting[0], claim))

    def _left(self, which: int) -> tuple[ModelJob, ClaimRecord]:
        job, claim = self.held.pop(which % len(self.held))
        self.stale.append(claim)
        return job, claim

    @precondition(lambda self: self.held)
    @rule(which=pick, stage=st.sampled_from(["CONVERTING", "EXPORTING", "CHUNKING", "FINALIZING"]))
    def enter_stage(self, which: int, stage: str) -> None:
        """A stage begins; a beat says whether to go on."""
        job, claim = self.held[which % len(self.held)]
        self.world.run(claims.enter_stage(self.world.thing.db, claim, stage))
        job.becomes("RUNNING", stage)
        assert self.world.run(self.world.thing.worker.beat(claim, 1, 2)) == ("cancel" if job.cancel else "held")

    @precondition(lambda self: self.held)
    @rule(which=pick)
    def publish(self, which: int) -> None:
        """A job succeeds."""
        # No worker comes back with what it has published: its results are the job's, and are noted as garbage no more.
        job, claim = self.held.pop(which % len(self.held))
        assert self.world.run(self.world.thing.worker.publish(claim)) is not job.cancel
        job.ends("SUCCEEDED")

    @precondition(lambda self: self.held)
    @rule(which=pick)
    def fail(self, which: int) -> None:
        """A job fails."""
        job, claim = self._left(which)
        self.world.run(self.world.thing.worker.fail(claim))
        job.ends("FAILED")

    @precondition(lambda self: self.held)
    @rule(which=pick)
    def find_malware(self, which: int) -> None:
        """A job's file is malware."""
        job, claim = self._left(which)
        self.world.run(self.world.thing.worker.quarantine(claim))
        job.ends("QUARANTINED")

    @precondition(lambda self: self.held)
    @rule(which=pick)
    def give_back(self, which: int) -> None:
        """A worker stops."""
        job, claim = self._left(which)
        self.world.run(claims.give_back(self.world.thing.db, claim))
        job.given_back()

    @precondition(lambda self: self.held)
    @rule(which=pick)
    def crash(self, which: int) -> None:
        """A converter dies."""
        job, claim = self._left(which)
        self.world.run(claims.crashed(self.world.thing.db, claim, CRASH, max_crashes=MAX_CRASHES))
        job.crashed()

    @precondition(lambda self: self.held)
    @rule(which=pick)
    def lose_worker(self, which: int) -> None:
        """A worker is heard of no more, until its lease ends."""
        job, claim = self._left(which)
        db = self.world.thing.db
        self.world.run(
            db.fetch("UPDATE leases SET expires_at = now() - interval '1 s' WHERE job_id = $1", claim.job_id)
        )
        assert self.world.run(claims.expire(db, CRASH, max_crashes=MAX_CRASHES)) == 1
        job.crashed()

    @precondition(lambda self: self.stale)
    @rule(which=pick)
    def return_from_the_dead(self, which: int) -> None:
        """A worker that lost its job long ago wants to publish."""
        claim = self.stale[which % len(self.stale)]
        with pytest.raises(LeaseLost):
            self.world.run(self.world.thing.worker.publish(claim))
        # What it stored is noted; the time until it is garbage passes at once.
        self.world.run(self.world.thing.db.fetch("UPDATE unreferenced_blobs SET removable_at = now()"))

    # What must hold after each step.

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        """Compare what the API says with the model, and rows with each other."""
        if hasattr(self, "client"):
            self.world.run(self._compare())

    async def _compare(self) -> None:
        shown = {job["id"]: job for job in (await self.client.get("/v1/jobs/?page_size=200")).json()["results"]}
        assert {i: (job["status"], job["stage"], job["attempt"]) for i, job in shown.items()} == {
            job.id: (job.status, job.stage, job.attempt) for job in self.jobs
        }
        listed = (await self.client.get("/v1/documents/?page_size=200")).json()["results"]
        assert {document["id"]: document["status"] for document in listed} == {
            document.id: document.status for document in self.documents if not document.deleted
        }
        db = self.world.thing.db
        sequences = await db.fetch("SELECT job_id, count(*) AS n, max(sequence) AS last FROM job_events GROUP BY 1")
        assert {row["job_id"]: (row["n"], row["last"]) for row in sequences} == {
            job.id: (job.changes, job.changes) for job in self.jobs if job.changes
        }
        sets = {
            row["job_id"]: row["n"]
            for row in await db.fetch(
                "SELECT job_id, count(DISTINCT regexp_replace(blob_key, '/[^/]*$', '')) AS n FROM artifacts GROUP BY 1"
            )
        }
        assert sets == {job.id: job.published for job in self.jobs if job.published}
        summary = (await self.client.get("/v1/dashboard/summary")).json()
        assert summary["jobs"]["total"] == len(self.jobs)
        assert summary["queue"]["depth"] == sum(job.status == "QUEUED" for job in self.jobs)
        assert summary["volume"]["documents"] == len(listed)
        await assert_counted(db)


@pytest.fixture
def world(settings: Settings) -> Iterator[InLoop[World]]:
    with in_loop(lambda: world_of(settings)) as world:
        yield world


@pytest.mark.timeout(180)
def test_jobs_live_as_the_model_does(world: InLoop[World]) -> None:
    class Driven(LifeCycle):
        pass

    Driven.world = world
    run_state_machine_as_test(
        Driven,
        settings=hypothesis_settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
            # A failure is a story of some twenty steps; to make it shorter would take minutes.
            phases=(Phase.generate,),
        ),
    )  # fmt: skip
