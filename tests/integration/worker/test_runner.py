"""What a worker does when something it needs is away, hangs, or goes wrong in a way nobody thought of."""

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from docrefinery.bootstrap.common import vault_of
from docrefinery.capabilities import NONE, Models
from docrefinery.errors import StorageError
from docrefinery.model import FAST, MODELS, OCR, QUEUE, Stage
from docrefinery.pipeline import outcomes
from docrefinery.pipeline.beating import Watch
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.parting import Readers
from docrefinery.pipeline.publishing import Publisher
from docrefinery.pipeline.runner import Runner, Slot
from docrefinery.pipeline.scanning import Scanning
from docrefinery.plugin import Clean, Scanner, Verdict
from docrefinery.plugin.registry import load
from docrefinery.settings import Settings
from docrefinery.store import claims, documents, jobs, tenant_keys
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.store.encryption.vault import Stored, Vault, VaultWriter
from docrefinery.store.records import ArtifactRecord, JobRecord
from tests.support import hooks
from tests.support.alive import HOLDS
from tests.support.encrypted import MARKER, folder, stored
from tests.support.tenants import make_job, make_tenant


class Scripted:
    """A converter that answers what the test says."""

    def __init__(self) -> None:
        self.scanned: Verdict | outcomes.Outcome = Clean()
        self.converted: outcomes.Outcome = outcomes.Rejected("INVALID_PDF", "Made by hand.")
        self.models = NONE
        self.forgets = 0

    def serve(self, tenant: str) -> None:
        """Serve everybody."""

    async def start(self) -> None:
        """Be warm."""

    async def scan(self, scanner: str, path: Path) -> Verdict | outcomes.Outcome:  # noqa: ARG002
        """Judge a file."""
        return self.scanned

    async def convert_unless_long(
        self,
        task: outcomes.Task,  # noqa: ARG002
        on_progress: Any,
        pages: int,  # noqa: ARG002
    ) -> outcomes.Outcome:
        """Convert a file."""
        on_progress(outcomes.Progress(Stage.EXPORTING, 1, 1))
        return self.converted

    def cancel(self) -> None:
        """Have nothing to kill."""

    async def forget(self) -> None:
        """Count."""
        self.forgets += 1


class Hanging:
    """A scan engine that answers when the test lets it."""

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()

    def scan(self, path: Path) -> Verdict:  # noqa: ARG002
        """Wait."""
        self.asked.set()
        self.answer.wait()
        return Clean()

    def check(self) -> None:
        """Be fine."""


class Quiet:
    """Nobody tells of a cancel: the heartbeat learns of it."""

    async def changed(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(min(seconds, 0.05))


@contextmanager
def quietly(_: int) -> Iterator[Watch]:
    yield Quiet()


async def quiet(_: str) -> None:
    """Wake nobody."""


@pytest.fixture
def converter() -> Scripted:
    return Scripted()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    engine = Hanging()
    yield engine
    engine.answer.set()


def a_runner(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path, scanner: Scanner | None = None
) -> Runner:
    registry, vault, fake = load(()), vault_of(settings, db, Blobs(settings.storage)), cast(Converter, converter)
    scratch = tmp_path / "in-hand"
    scratch.mkdir()
    return Runner(
        Slot(
            worker_id=uuid4(),
            watching=quietly,
            watching_pages=quietly,
            scratch=scratch,
            readers=Readers.of(None),
            ring=quiet,
        ),
        db,
        vault,
        fake,
        Scanning(scanner or registry.scanners["basic"], fake, {}),
        Publisher(db, vault, registry),
        registry,
        settings,
    )


async def a_job(db: Database, settings: Settings) -> JobRecord:
    """Queue a job whose file is in the storage."""
    await make_job(db, await make_tenant(db, "acme"))
    [row] = await db.fetch("SELECT blob_key FROM documents")
    async with Blobs(settings.storage).writing(row["blob_key"]) as writer:
        await writer.write(b"%PDF-1.4")
    return await the_job(db)


async def an_encrypted_job(db: Database, settings: Settings) -> tuple[Settings, Path]:
    """Queue a job on an encrypted document and return the settings with its key, and where its blob is."""
    keyed = msgspec.structs.replace(settings, secret_keys=hooks.KEYS[:1], encrypt=True)
    tenant = await make_tenant(db, "acme")
    job = await make_job(db, tenant)
    document = await documents.get(db, tenant, job.document_id)
    assert document is not None
    vault = vault_of(keyed, db, Blobs(settings.storage))
    async with vault.writing(tenant, document.blob_key, encrypt=True) as writer:
        await writer.write(MARKER)
    await db.fetch(
        "UPDATE documents SET data_key = $2, size_bytes = $3 WHERE id = $1", document.id, writer.data_key, len(MARKER)
    )
    return keyed, folder(settings) / document.blob_key


async def the_job(db: Database) -> JobRecord:
    [row] = await db.fetch("SELECT id, tenant_id FROM jobs ORDER BY id LIMIT 1")
    job = await jobs.get(db, row["tenant_id"], row["id"])
    assert job is not None
    return job


async def document_status(db: Database) -> str:
    [row] = await db.fetch("SELECT status FROM documents ORDER BY id LIMIT 1")
    return str(row["status"])


@pytest.mark.parametrize(
    ("scanned", "code"),
    [
        (outcomes.TimedOut(120), "SCANNER_UNAVAILABLE"),
        (outcomes.Rejected("OUT_OF_MEMORY", "Too much."), "OUT_OF_MEMORY"),
    ],
)
async def test_scan_that_came_to_nothing_lifts_no_quarantine(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path, scanned: outcomes.Outcome, code: str
) -> None:
    await a_job(db, settings)
    await db.fetch("UPDATE documents SET status = 'QUARANTINED'")
    converter.scanned = scanned
    await a_runner(db, settings, converter, tmp_path).drain()
    job = await the_job(db)
    assert (job.status, job.error_code) == ("FAILED", code)
    assert "conversion" not in job.error_message
    assert await document_status(db) == "QUARANTINED"


@asynccontextmanager
async def scanning(runner: Runner, hanging: Hanging) -> AsyncIterator[asyncio.Task[None]]:
    """Run until the engine has been asked and does not answer."""
    draining = asyncio.create_task(runner.drain())
    await asyncio.to_thread(hanging.asked.wait, 10)
    yield draining


def hangs(hanging: Hanging) -> Scanner:
    return Scanner(name="hanging", summary="Does not answer.", create=lambda _: hanging)


async def test_cancel_does_not_wait_for_a_scanner_that_hangs(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path, hanging: Hanging
) -> None:
    job = await a_job(db, settings)
    async with scanning(a_runner(db, settings, converter, tmp_path, hangs(hanging)), hanging) as draining:
        await jobs.cancel(db, job.tenant_id, job.id)
        async with asyncio.timeout(2):
            await draining
    assert (await the_job(db)).status == "CANCELED"


async def test_stop_gives_a_job_back_that_waits_for_its_scanner_and_blames_nobody(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path, hanging: Hanging
) -> None:
    await a_job(db, settings)
    runner = a_runner(db, settings, converter, tmp_path, hangs(hanging))
    async with scanning(runner, hanging) as draining:
        runner.shut_down()
        async with asyncio.timeout(2):
            await draining
    assert (await the_job(db)).status == "QUEUED"
    assert [row["crashes"] for row in await db.fetch("SELECT crashes FROM jobs")] == [0]


async def test_storage_that_is_away_costs_no_job_and_leaves_the_others_in_the_queue(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(self: Vault, blob: Stored, path: Path) -> None:
        raise StorageError("The storage is away.")

    first = await a_job(db, settings)
    await db.fetch(
        "INSERT INTO jobs (tenant_id, document_id, options) "
        "SELECT tenant_id, document_id, options FROM jobs, generate_series(1, 5)"
    )
    monkeypatch.setattr(Vault, "read_to", away)
    await a_runner(db, settings, converter, tmp_path).drain()
    rows = await db.fetch("SELECT id, status, crashes, put_off_since IS NOT NULL AS put_off FROM jobs ORDER BY id")
    assert {(row["status"], row["crashes"]) for row in rows} == {("QUEUED", 0)}
    assert [row["id"] for row in rows if row["put_off"]] == [first.id]


async def test_job_that_was_put_off_for_too_long_says_what_was_away(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(self: Vault, blob: Stored, path: Path) -> None:
        raise StorageError("The storage is away.")

    await a_job(db, settings)
    await db.fetch("UPDATE jobs SET put_off_since = now() - interval '10 s'")
    monkeypatch.setattr(Vault, "read_to", away)
    short = msgspec.structs.replace(settings, scanner_wait_seconds=5)
    await a_runner(db, short, converter, tmp_path).drain()
    assert ((await the_job(db)).status, (await the_job(db)).error_code) == ("FAILED", "STORAGE_ERROR")


async def test_a_stage_is_told_with_the_pages_that_were_done_before_it(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    original = claims.enter_stage

    async def noting(*arguments: Any, **named: Any) -> None:
        told.append((arguments[2], named.get("pages_done"), named.get("pages_total")))
        await original(*arguments, **named)

    await a_job(db, settings)
    monkeypatch.setattr(claims, "enter_stage", noting)
    await a_runner(db, settings, converter, tmp_path).drain()
    assert (Stage.EXPORTING, 1, 1) in told


@pytest.mark.parametrize("step", ["enter_stage", "beat"])
async def test_error_nobody_thought_of_does_not_hold_the_worker_for_ever(
    db: Database,
    settings: Settings,
    converter: Scripted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    told = getattr(claims, step)

    async def fails(db: Database, claim: Any, *arguments: Any, **more: Any) -> Any:
        if step == "enter_stage" and arguments[0] != Stage.EXPORTING:
            return await told(db, claim, *arguments, **more)
        raise asyncpg.DiskFullError("no space left on device")

    await a_job(db, settings)
    monkeypatch.setattr(claims, step, fails)
    async with asyncio.timeout(10):
        await a_runner(db, settings, converter, tmp_path).drain()
    assert (await the_job(db)).error_code == "INVALID_PDF"


async def test_files_of_a_job_are_gone_when_it_is_left(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path
) -> None:
    await a_job(db, settings)
    await a_runner(db, settings, converter, tmp_path).drain()
    assert list((tmp_path / "in-hand").iterdir()) == []
    assert converter.forgets == 1


async def test_jobs_that_want_models_are_taken_once_the_converter_holds_them(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path
) -> None:
    job = await a_job(db, settings)
    await db.fetch("UPDATE jobs SET queue = $2 WHERE id = $1", job.id, MODELS)
    runner = a_runner(db, settings, converter, tmp_path)
    assert runner.queues == (FAST, OCR, QUEUE)
    await runner.drain()
    assert (await the_job(db)).status == "QUEUED"
    converter.models = HOLDS
    await runner.drain()
    assert (await the_job(db)).status == "FAILED"


async def test_a_job_that_waited_for_models_goes_back_if_the_converter_lost_them(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await a_job(db, settings)
    await db.fetch("UPDATE jobs SET queue = $2 WHERE id = $1", job.id, MODELS)
    converter.models = HOLDS

    async def lose_them() -> None:
        converter.models = Models(problem="the weights are gone")

    monkeypatch.setattr(converter, "start", lose_them)
    await a_runner(db, settings, converter, tmp_path).drain()
    [row] = await db.fetch("SELECT status, queue, attempt, crashes FROM jobs")
    assert dict(row) == {"status": "QUEUED", "queue": MODELS, "attempt": 1, "crashes": 0}


@pytest.mark.parametrize(
    ("outcome", "done"),
    [
        (outcomes.Rejected("CONVERSION_FAILED", "Made by hand.", {"failed_pages": [2]}), 2),
        (outcomes.Rejected("EXPORT_FAILED", "Made by hand."), 3),
        (outcomes.TimedOut(7), 3),
    ],
)
async def test_a_failed_job_says_how_many_pages_there_were_and_how_far_it_came(
    db: Database, settings: Settings, tmp_path: Path, outcome: outcomes.Outcome, done: int
) -> None:
    class Counting(Scripted):
        async def convert_unless_long(
            self,
            task: outcomes.Task,  # noqa: ARG002
            on_progress: Any,
            pages: int,  # noqa: ARG002
        ) -> outcomes.Outcome:
            on_progress(outcomes.Progress(Stage.CONVERTING, 3, 3))
            return outcome

    await a_job(db, settings)
    await a_runner(db, settings, Counting(), tmp_path).drain()
    job = await the_job(db)
    assert (job.status, job.pages_done, job.pages_total) == ("FAILED", done, 3)


class Copying(Scripted):
    """A converter whose result is the file it was given."""

    async def convert_unless_long(
        self,
        task: outcomes.Task,
        on_progress: Any,  # noqa: ARG002
        pages: int,  # noqa: ARG002
    ) -> outcomes.Outcome:
        """Copy the file."""
        content = task.source.read_bytes()
        path = task.workdir / "text"
        path.write_bytes(content)
        text = outcomes.Artifact(
            kind="text", path=path, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
        return outcomes.Converted(
            page_count=1, pages_total=1, artifacts=(text,), convert_ms=1, export_ms=1, chunk_ms=None, warnings=(),
            engine={"name": "copying"}, partial=False, failed_pages=(),
        )  # fmt: skip


async def test_converter_gets_the_plain_file_and_what_it_makes_is_stored_encrypted(
    db: Database, settings: Settings, tmp_path: Path
) -> None:
    keyed, _ = await an_encrypted_job(db, settings)
    await a_runner(db, keyed, Copying(), tmp_path).drain()
    assert (await the_job(db)).status == "SUCCEEDED"
    blobs = stored(settings)
    assert len(blobs) == 2
    assert not [name for name, blob in blobs.items() if MARKER in blob]
    [artifact] = [ArtifactRecord.of(row) for row in await db.fetch("SELECT * FROM artifacts")]
    vault = vault_of(keyed, db, Blobs(settings.storage))
    assert b"".join([piece async for piece in vault.stream(artifact)]) == MARKER
    assert (artifact.size_bytes, artifact.sha256) == (len(MARKER), hashlib.sha256(MARKER).hexdigest())
    # The plain file went with the job.
    assert list(tmp_path.joinpath("in-hand").iterdir()) == []


async def test_tenant_that_was_switched_on_during_a_job_has_its_results_encrypted(
    db: Database, settings: Settings, tmp_path: Path
) -> None:
    class Switching(Copying):
        async def convert_unless_long(self, task: outcomes.Task, on_progress: Any, pages: int) -> outcomes.Outcome:
            await db.fetch("UPDATE tenants SET encrypt = true")
            return await super().convert_unless_long(task, on_progress, pages)

    await a_job(db, settings)
    keyed = msgspec.structs.replace(settings, secret_keys=hooks.KEYS[:1])
    await a_runner(db, keyed, Switching(), tmp_path).drain()
    [artifact] = await db.fetch("SELECT data_key FROM artifacts")
    assert artifact["data_key"]


async def shred(db: Database) -> int:
    """Give the tenant's key up, as the operator does."""
    tenant_id = (await the_job(db)).tenant_id
    async with db.transaction():
        await tenant_keys.give_up(db, tenant_id)
        return await tenant_keys.expire_sealed(db, tenant_id)


class Shredding(Copying):
    """A converter under whose hands the key of the file is given up."""

    def __init__(self, db: Database) -> None:
        super().__init__()
        self.db = db
        self.ended = 0

    async def convert_unless_long(self, task: outcomes.Task, on_progress: Any, pages: int) -> outcomes.Outcome:
        """Copy the file all the same: a kill may come too late."""
        self.ended = await shred(self.db)
        return await super().convert_unless_long(task, on_progress, pages)


@pytest.mark.parametrize("then", ["encrypted", "plain"])
async def test_results_of_a_file_whose_key_was_given_up_meanwhile_are_not_published(
    db: Database, settings: Settings, tmp_path: Path, then: str
) -> None:
    keyed, _ = await an_encrypted_job(db, settings)
    await db.fetch("UPDATE tenants SET encrypt = $1", then == "encrypted")
    converter = Shredding(db)
    await a_runner(db, keyed, converter, tmp_path).drain()
    assert converter.ended == 1
    assert (await the_job(db)).status == "CANCELED"
    assert not await db.fetch("SELECT FROM artifacts")
    assert not [name for name in stored(settings) if "/jobs/" in name]


async def test_a_conversion_ends_when_its_files_key_is_given_up(
    db: Database, settings: Settings, tmp_path: Path
) -> None:
    class Killed(Shredding):
        def __init__(self, db: Database) -> None:
            super().__init__(db)
            self.killed = asyncio.Event()

        async def convert_unless_long(
            self,
            task: outcomes.Task,  # noqa: ARG002
            on_progress: Any,  # noqa: ARG002
            pages: int,  # noqa: ARG002
        ) -> outcomes.Outcome:
            self.ended = await shred(self.db)
            await self.killed.wait()
            return outcomes.Canceled()

        def cancel(self) -> None:
            self.killed.set()

    keyed, _ = await an_encrypted_job(db, settings)
    async with asyncio.timeout(20):
        await a_runner(db, keyed, Killed(db), tmp_path).drain()
    assert (await the_job(db)).status == "CANCELED"


async def test_results_under_a_key_that_was_given_up_are_not_published(
    db: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed, _ = await an_encrypted_job(db, settings)
    finishing = VaultWriter.finish

    async def finish(self: VaultWriter) -> None:
        await finishing(self)
        await shred(db)

    monkeypatch.setattr(VaultWriter, "finish", finish)
    await a_runner(db, keyed, Copying(), tmp_path).drain()
    assert (await the_job(db)).status == "CANCELED"
    assert not await db.fetch("SELECT FROM artifacts")


async def test_a_plain_files_job_is_done_again_if_the_key_of_its_results_was_given_up(
    db: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_job(db, settings)
    await db.fetch("UPDATE tenants SET encrypt = true")
    keyed = msgspec.structs.replace(settings, secret_keys=hooks.KEYS[:1])
    finishing = VaultWriter.finish

    async def finish(self: VaultWriter) -> None:
        await finishing(self)
        assert await shred(db) == 0

    with monkeypatch.context() as patch:
        patch.setattr(VaultWriter, "finish", finish)
        await a_runner(db, keyed, Copying(), tmp_path).drain()
    assert (await the_job(db)).status == "QUEUED"
    assert not await db.fetch("SELECT FROM artifacts")


async def test_job_on_a_damaged_file_fails_at_once_and_says_what_to_do(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path
) -> None:
    keyed, path = await an_encrypted_job(db, settings)
    path.write_bytes(path.read_bytes()[:-1])
    await a_runner(db, keyed, converter, tmp_path).drain()
    job = await the_job(db)
    assert (job.status, job.error_code) == ("FAILED", "STORAGE_ERROR")
    assert "upload it again" in job.error_message


async def test_job_on_a_file_whose_key_is_missing_waits_for_the_key(
    db: Database, settings: Settings, converter: Scripted, tmp_path: Path
) -> None:
    keyed, _ = await an_encrypted_job(db, settings)
    wrong = msgspec.structs.replace(keyed, secret_keys=hooks.KEYS[1:])
    await a_runner(db, wrong, converter, tmp_path).drain()
    assert (await the_job(db)).status == "QUEUED"
    [row] = await db.fetch("SELECT put_off_since FROM jobs")
    assert row["put_off_since"]
