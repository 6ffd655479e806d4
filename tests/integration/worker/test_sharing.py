"""A long document between workers: whatever befalls one of them, the job ends once, and as it would have alone."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self, cast
from uuid import uuid4

import msgspec
import pytest

from docrefinery.bootstrap.common import vault_of
from docrefinery.capabilities import NONE
from docrefinery.errors import StorageError
from docrefinery.pipeline import outcomes
from docrefinery.pipeline.beating import Watch, Watching
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.listening import OnProgress
from docrefinery.pipeline.parting import Readers, ranges
from docrefinery.pipeline.publishing import Publisher
from docrefinery.pipeline.runner import Runner, Slot
from docrefinery.pipeline.scanning import Scanning
from docrefinery.plugin import Clean, Verdict
from docrefinery.plugin.registry import load
from docrefinery.services.changes import CANCELS, SLICES, Changes
from docrefinery.settings import Settings
from docrefinery.store import jobs, slices, tenant_keys
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.store.records import JobRecord
from tests.support.encrypted import MARKER, stored
from tests.support.hooks import KEYS
from tests.support.tenants import make_document, make_job, make_tenant
from tests.support.waiting import until_true

PAGES = 100
PARTS = list(ranges(1, PAGES, recognises=False))
Read = Callable[[int, int], Awaitable[outcomes.Rejected | outcomes.TimedOut | outcomes.Crashed | None]]


class Reading:
    """A converter that reads what the test lets it, and puts together the names of pages."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.models = NONE
        self.read_parts: list[tuple[int, int]] = []
        self.together: list[bytes] = []
        self.sources: set[bytes] = set()
        self.befalls: Read = self.nothing
        self.ending: outcomes.Outcome | None = None
        self._killed = asyncio.Event()

    async def nothing(self, _first: int, _last: int) -> None:
        """Read."""

    def serve(self, tenant: str) -> None:
        """Serve everybody."""

    async def start(self) -> None:
        """Be warm."""

    async def scan(self, scanner: str, path: Path) -> Verdict | outcomes.Outcome:  # noqa: ARG002
        """Find nothing."""
        return Clean()

    async def convert_unless_long(
        self,
        task: outcomes.Task,  # noqa: ARG002
        on_progress: OnProgress,  # noqa: ARG002
        pages: int,
    ) -> outcomes.Long:
        """Find that the document is long."""
        assert pages == 48
        return outcomes.Long(1, PAGES)

    async def read(
        self,
        task: outcomes.Task,
        first: int,
        last: int,
        on_progress: OnProgress,  # noqa: ARG002
    ) -> Path | outcomes.Outcome:
        """Read pages, unless something befalls this worker or it is stopped."""
        self._killed.clear()
        self.sources.add(task.source.read_bytes())
        befalls, killed = asyncio.ensure_future(self.befalls(first, last)), asyncio.ensure_future(self._killed.wait())
        await asyncio.wait((befalls, killed), return_when=asyncio.FIRST_COMPLETED)
        killed.cancel()
        if not befalls.done():
            befalls.cancel()
            return outcomes.Canceled()
        if (ending := await befalls) is not None:
            return ending
        self.read_parts.append((first, last))
        path = task.workdir / "pages.msgpack"
        path.write_bytes(MARKER + f"{first}-{last}".encode())
        return path

    async def convert(self, task: outcomes.Task, on_progress: OnProgress) -> outcomes.Outcome:  # noqa: ARG002
        """Put pages together."""
        self.together = [path.read_bytes().removeprefix(MARKER) for path in task.parts.values()]
        return self.ending or outcomes.Converted(
            page_count=PAGES, pages_total=PAGES, artifacts=(), convert_ms=1, export_ms=1, chunk_ms=None, warnings=(),
            engine={"name": "reading"}, partial=False, failed_pages=(),
        )  # fmt: skip

    def cancel(self) -> None:
        """Stop what is being read."""
        self._killed.set()

    async def forget(self) -> None:
        """Have kept nothing."""


class Frozen:
    """One who hears nothing, and whose heart beats once."""

    def __init__(self) -> None:
        self.has_beaten = asyncio.Event()

    async def changed(self, seconds: float) -> None:  # noqa: ARG002
        """Wait for ever."""
        self.has_beaten.set()
        await asyncio.Event().wait()

    @contextmanager
    def watching(self, _: int) -> Iterator[Watch]:
        """Stand in for who hears of a job."""
        yield self


class Installation:
    """Workers of one installation, which a test runs."""

    def __init__(self, db: Database, settings: Settings, folder: Path) -> None:
        self.db = db
        self.settings = settings
        self.rung: list[str] = []
        self.broker_hangs = False
        self._folder = folder
        self._changes = Changes(db, channels=(CANCELS, SLICES))

    async def __aenter__(self) -> Self:
        await self._changes.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._changes.close()

    def worker(self, name: str, watching: Watching | None = None) -> tuple[Runner, Reading]:
        """Make a worker."""
        reading = Reading(name)
        registry, vault = load(()), vault_of(self.settings, self.db, Blobs(self.settings.storage))
        fake = cast(Converter, reading)
        scratch = self._folder / name
        scratch.mkdir()

        async def ring(queue: str) -> None:
            self.rung.append(queue)
            if self.broker_hangs:
                await asyncio.Event().wait()

        slot = Slot(
            worker_id=uuid4(),
            watching=watching or partial(self._changes.watching, channel=CANCELS),
            watching_pages=partial(self._changes.watching, channel=SLICES),
            scratch=scratch,
            readers=Readers.of(None),
            ring=ring,
        )
        scanning, publisher = Scanning(registry.scanners["basic"], fake, {}), Publisher(self.db, vault, registry)
        return Runner(slot, self.db, vault, fake, scanning, publisher, registry, self.settings), reading

    async def job(self) -> JobRecord:
        """Return the job as it is."""
        [row] = await self.db.fetch("SELECT id, tenant_id FROM jobs")
        job = await jobs.get(self.db, row["tenant_id"], row["id"])
        assert job is not None
        return job

    async def until_read(self, job_id: int, parts: int) -> None:
        """Wait until so many parts have been read."""

        async def read() -> bool:
            return sum(bool(state.blob_key) for state in await slices.look(self.db, job_id)) >= parts

        await until_true(read)


@pytest.fixture
async def installation(db: Database, settings: Settings, tmp_path: Path) -> Installation:
    """One with a queued job."""
    tenant = await make_tenant(db, "acme")
    document = await make_document(db, tenant)
    async with Blobs(settings.storage).writing(document.blob_key) as writer:
        await writer.write(b"%PDF-1.4")
    await make_job(db, tenant, document.id)
    quick = msgspec.structs.replace(settings, lease_seconds=5.0)
    return Installation(db, quick, tmp_path)


def held_up(at: int) -> tuple[Read, asyncio.Event, asyncio.Event]:
    """Return what holds a worker up at a page, an event for when it is there, and one that lets it go."""
    there, go = asyncio.Event(), asyncio.Event()

    async def wait(first: int, _last: int) -> None:
        if first >= at:
            there.set()
            await go.wait()

    return wait, there, go


async def test_one_worker_alone_reads_every_part(installation: Installation) -> None:
    async with installation:
        runner, reading = installation.worker("one")
        await runner.drain()
        job = await installation.job()
        assert (job.status, job.pages_done, job.pages_total) == ("SUCCEEDED", PAGES, PAGES)
        assert msgspec.json.decode(job.engine or b"null") == {"name": "reading"}
    assert reading.read_parts == PARTS
    assert reading.together == [f"{first}-{last}".encode() for first, last in PARTS]
    assert installation.rung == ["convert"] * (len(PARTS) - 1)


async def test_a_broker_that_hangs_holds_up_no_pages(installation: Installation) -> None:
    installation.broker_hangs = True
    async with installation:
        runner, reading = installation.worker("one")
        await runner.drain()
        assert (await installation.job()).status == "SUCCEEDED"
    assert len(installation.rung) == len(PARTS) - 1
    assert reading.read_parts == PARTS


async def test_a_free_worker_reads_what_the_other_has_not_begun_with(installation: Installation) -> None:
    async with installation:
        (owner, reading), (helper, helping) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, go = held_up(1)
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        await helper.drain()
        job = await installation.job()
        assert helping.read_parts == PARTS[1:]
        go.set()
        await owning
        job = await installation.job()
        assert (job.status, job.attempt) == ("SUCCEEDED", 1)
        assert msgspec.json.decode(job.engine or b"null") == {"name": "reading", "workers": "2"}
        assert helping.sources == reading.sources == {b"%PDF-1.4"}
    assert reading.together == [f"{first}-{last}".encode() for first, last in PARTS]
    assert await slices.look(installation.db, job.id) == []
    assert [list(folder.iterdir()) for folder in (installation._folder / "owner", installation._folder / "helper")] == [
        [],
        [],
    ]


async def test_pages_are_told_as_they_are_done_by_whomever(installation: Installation) -> None:
    async with installation:
        (owner, reading), (helper, _) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, go = held_up(1)
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        await helper.drain()

        async def told() -> bool:
            [row] = await installation.db.fetch("SELECT pages_done, pages_total FROM job_views")
            return (row["pages_done"], row["pages_total"]) == (PAGES - PARTS[0][1], PAGES)

        await until_true(told)
        go.set()
        await owning


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (outcomes.Rejected("OUT_OF_MEMORY", "Too much.", {"memory_bytes": 7}), "OUT_OF_MEMORY"),
        (outcomes.TimedOut(3), "CONVERSION_TIMEOUT"),
    ],
)
async def test_what_befalls_a_helper_befalls_the_job(
    installation: Installation, ending: outcomes.Rejected | outcomes.TimedOut, code: str
) -> None:
    async def end(_first: int, _last: int) -> outcomes.Rejected | outcomes.TimedOut:
        return ending

    async with installation:
        (owner, reading), (helper, helping) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, go = held_up(1)
        helping.befalls = end
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        await helper.drain()
        go.set()
        await owning
        job = await installation.job()
        assert (job.status, job.error_code) == ("FAILED", code)
        if isinstance(ending, outcomes.TimedOut):
            assert job.error_message == outcomes.timed_out(600)
        else:
            assert (job.error_message, msgspec.json.decode(job.error_details or b"null")) == (
                "Too much.",
                {"memory_bytes": 7},
            )


async def test_pages_that_kill_a_converter_once_are_read_again(installation: Installation) -> None:
    died: list[int] = []

    async def die_once(first: int, _last: int) -> outcomes.Crashed | None:
        if first == PARTS[1][0] and not died:
            died.append(first)
            return outcomes.Crashed(reason="it did")
        return None

    async with installation:
        runner, reading = installation.worker("one")
        reading.befalls = die_once
        await runner.drain()
        assert (await installation.job()).status == "SUCCEEDED"
    assert sorted(reading.read_parts) == PARTS


async def test_pages_that_kill_every_converter_fail_the_job_and_are_named(installation: Installation) -> None:
    async def die(first: int, _last: int) -> outcomes.Crashed | None:
        return outcomes.Crashed(reason="the converter was ended by SIGSEGV") if first == PARTS[1][0] else None

    async with installation:
        runner, reading = installation.worker("one")
        reading.befalls = die
        await runner.drain()
        job = await installation.job()
        assert (job.status, job.error_code) == ("FAILED", "WORKER_CRASHED")
        assert "SIGSEGV" in job.error_message
        assert f"pages {PARTS[1][0]} to {PARTS[1][1]}" in job.error_message


async def test_a_helper_that_falls_silent_is_waited_for_no_longer_than_its_lease(installation: Installation) -> None:
    async with installation:
        frozen = Frozen()
        (owner, reading), (helper, helping) = (
            installation.worker("owner"),
            installation.worker("helper", frozen.watching),
        )
        reading.befalls, there, go = held_up(1)
        helping.befalls, helping_there, helping_go = held_up(1)
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        lost = asyncio.create_task(helper.drain())
        await helping_there.wait()
        await frozen.has_beaten.wait()
        # Its time is up.
        await installation.db.fetch("UPDATE slices SET expires_at = now() WHERE token IS NOT NULL AND first_page > 1")
        assert await slices.expire(installation.db) == 1
        go.set()
        await owning
        job = await installation.job()
        assert (job.status, job.attempt) == ("SUCCEEDED", 1)
        assert sorted(reading.read_parts) == PARTS
        helping_go.set()
        await lost
    assert reading.together == [f"{first}-{last}".encode() for first, last in PARTS]


async def test_the_next_owner_reads_no_page_twice(installation: Installation) -> None:
    async with installation:
        (first, reading), (second, following) = installation.worker("first"), installation.worker("second")
        reading.befalls, there, _ = held_up(PARTS[3][0])
        owning = asyncio.create_task(first.drain())
        await there.wait()
        first.shut_down()
        await owning
        job = await installation.job()
        assert (job.status, job.pages_done, job.pages_total) == ("QUEUED", PARTS[2][1], PAGES)
        following.befalls, there, go = held_up(1)
        owning = asyncio.create_task(second.drain())
        await there.wait()
        job = await installation.job()
        assert (job.status, job.pages_done, job.pages_total) == ("RUNNING", PARTS[2][1], PAGES)
        go.set()
        await owning
        job = await installation.job()
        assert (job.status, job.attempt) == ("SUCCEEDED", 1)
    assert reading.read_parts == PARTS[:3]
    assert following.read_parts == PARTS[3:]
    assert following.together == [f"{begin}-{end}".encode() for begin, end in PARTS]


async def test_a_helper_that_stops_gives_its_pages_back_without_blame(installation: Installation) -> None:
    async with installation:
        (owner, reading), (helper, helping) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, go = held_up(1)
        helping.befalls, helping_there, _ = held_up(1)
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        stopping = asyncio.create_task(helper.drain())
        await helping_there.wait()
        helper.shut_down()
        await stopping
        states = await slices.look(installation.db, (await installation.job()).id)
        assert [(state.leased, state.crashes) for state in states[1:]] == [(False, 0)] * (len(PARTS) - 1)
        go.set()
        await owning
        assert (await installation.job()).status == "SUCCEEDED"


async def test_a_cancel_stops_everybody_who_reads(installation: Installation) -> None:
    async with installation:
        (owner, reading), (helper, helping) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, _ = held_up(1)
        helping.befalls, helping_there, _ = held_up(1)
        both = [asyncio.create_task(owner.drain())]
        await there.wait()
        both.append(asyncio.create_task(helper.drain()))
        await helping_there.wait()
        job = await installation.job()
        await installation.db.fetch("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", job.id)
        async with asyncio.timeout(5):
            await asyncio.gather(*both)
        assert (await installation.job()).status == "CANCELED"
        assert reading.read_parts == helping.read_parts == []


async def test_time_is_up_for_all_pages_together(installation: Installation) -> None:
    await installation.db.fetch("""UPDATE jobs SET options = '{"document_timeout": 0.05}'""")

    async def take_time(_first: int, _last: int) -> None:
        await asyncio.sleep(0.06)

    async with installation:
        runner, reading = installation.worker("one")
        reading.befalls = take_time
        await runner.drain()
        job = await installation.job()
        assert (job.error_code, job.error_message) == ("CONVERSION_TIMEOUT", outcomes.timed_out(0.05))
    assert reading.read_parts == PARTS[:1]


async def test_a_crash_as_pages_are_put_together_is_tried_again_with_what_was_read(installation: Installation) -> None:
    async with installation:
        runner, reading = installation.worker("one")
        reading.ending = outcomes.Crashed(reason="it did")
        await runner.drain()
        job = await installation.job()
        assert (job.status, job.error_code) == ("FAILED", "WORKER_CRASHED")
    assert reading.read_parts == PARTS


async def test_pages_that_the_storage_has_lost_are_read_again(installation: Installation) -> None:
    async with installation:
        (owner, reading), (helper, helping) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, go = held_up(1)
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        await helper.drain()
        job = await installation.job()
        [_, state, *_] = await slices.look(installation.db, job.id)
        assert state.blob_key is not None
        await Blobs(installation.settings.storage).delete(state.blob_key)
        go.set()
        await owning
        assert (await installation.job()).status == "SUCCEEDED"
    assert reading.read_parts == PARTS[:2]
    assert helping.read_parts == PARTS[1:]


async def test_pages_under_a_key_that_was_given_up_are_read_again(installation: Installation) -> None:
    db = installation.db
    installation.settings = msgspec.structs.replace(installation.settings, secret_keys=KEYS[:1])
    await db.fetch("UPDATE tenants SET encrypt = true")
    async with installation:
        (owner, reading), (helper, _) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, go = held_up(1)
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        await helper.drain()
        [tenant] = await db.fetch("SELECT id FROM tenants")
        async with db.transaction():
            assert await tenant_keys.give_up(db, tenant["id"])
            assert await tenant_keys.expire_sealed(db, tenant["id"]) == 0
        go.set()
        await owning
        assert (await installation.job()).status == "SUCCEEDED"
    assert reading.read_parts == PARTS


async def test_a_helper_that_cannot_reach_the_storage_leaves_the_pages_to_others(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with installation:
        (owner, reading), (helper, helping) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, go = held_up(1)
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        with monkeypatch.context() as patched:

            async def away(*_: object) -> None:
                raise StorageError("The storage is away.")

            patched.setattr(helper._vault, "read_to", away)
            await helper.drain()
        states = await slices.look(installation.db, (await installation.job()).id)
        assert not any(state.crashes or state.failure or state.leased for state in states[1:])
        go.set()
        await owning
        assert (await installation.job()).status == "SUCCEEDED"
    assert helping.read_parts == []


async def test_pages_of_an_encrypted_tenant_are_stored_encrypted(
    db: Database, settings: Settings, installation: Installation
) -> None:
    await db.fetch("UPDATE tenants SET encrypt = true")
    installation.settings = msgspec.structs.replace(installation.settings, secret_keys=KEYS[:1])
    async with installation:
        (owner, reading), (helper, _) = installation.worker("owner"), installation.worker("helper")
        reading.befalls, there, go = held_up(1)
        owning = asyncio.create_task(owner.drain())
        await there.wait()
        await helper.drain()
        blobs = {name: blob for name, blob in stored(settings).items() if "/pages/" in name}
        assert len(blobs) == len(PARTS) - 1
        assert not [name for name, blob in blobs.items() if MARKER in blob]
        go.set()
        await owning
        assert (await installation.job()).status == "SUCCEEDED"
    assert reading.together == [f"{first}-{last}".encode() for first, last in PARTS]
