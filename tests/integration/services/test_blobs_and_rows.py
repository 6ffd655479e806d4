"""No row without its bytes, and no bytes that nobody refers to."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from docrefinery.errors import StorageError
from docrefinery.services import idempotency, submissions
from docrefinery.settings import Settings
from docrefinery.store import garbage
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import Database
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.maintenance import Maintenance
from tests.support.api import running
from tests.support.calls import a_pdf, assert_nothing_left, assert_problem, results, stored_files, upload, uploaded

PAST, LATER = timedelta(seconds=-1), timedelta(hours=1)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client with every scope."""
    async with running(settings) as api, await api.client() as client:
        yield client


@pytest.fixture
def maintenance(db: Database, settings: Settings) -> Maintenance:
    """The sweep, without its rhythm."""
    return Maintenance(db, Blobs(settings.storage), RedisDoorbell(build_broker(settings.redis_url)), settings)


async def test_commit_whose_answer_got_lost_keeps_the_bytes(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed = idempotency.once

    async def lost(*arguments: Any) -> Any:
        await committed(*arguments)
        raise ConnectionResetError

    content = a_pdf()
    with monkeypatch.context() as patch:
        patch.setattr(submissions, "once", lost)
        assert_problem(await upload(client, content), 503, "UNAVAILABLE")
    assert_problem(await upload(client, content), 409, "DUPLICATE_DOCUMENT")
    [document] = await results(client, "/v1/documents/")
    assert (await client.get(f"/v1/documents/{document['id']}/file/")).content == content


async def test_failed_commit_takes_the_bytes_along(
    client: httpx.AsyncClient, db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: Any) -> Any:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(submissions, "once", failing)
        assert_problem(await upload(client), 503, "UNAVAILABLE")
    await assert_nothing_left(db, settings)


async def test_storage_that_takes_nothing_leaves_no_row(
    client: httpx.AsyncClient, db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: Any) -> Any:
        raise StorageError("The storage did not take it.")

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "writing", refusing)
        assert_problem(await upload(client), 503, "UNAVAILABLE")
    assert not await db.fetch("SELECT FROM documents")
    await uploaded(client)


async def put(db: Database, settings: Settings, key: str, removable_in: timedelta) -> None:
    await garbage.note(db, key, removable_in=removable_in)
    async with Blobs(settings.storage).writing(key) as writer:
        await writer.write(b"left over")


async def test_sweep_removes_what_nobody_refers_to(db: Database, settings: Settings, maintenance: Maintenance) -> None:
    await put(db, settings, "t/documents/a.pdf", PAST)
    await put(db, settings, "t/jobs/1/2/text.txt", PAST)
    await put(db, settings, "t/documents/young.pdf", LATER)
    await maintenance.sweep()
    assert stored_files(settings) == ["t/documents/young.pdf"]
    [note] = await db.fetch("SELECT prefix FROM unreferenced_blobs")
    assert note["prefix"] == "t/documents/young.pdf"


async def test_sweep_removes_everything_under_a_prefix_and_no_neighbour(
    db: Database, settings: Settings, maintenance: Maintenance
) -> None:
    await put(db, settings, "t/jobs/1/22/text.txt", LATER)
    await put(db, settings, "t/jobs/1/2/a.txt", LATER)
    await put(db, settings, "t/jobs/1/2/b.txt", LATER)
    await db.fetch("DELETE FROM unreferenced_blobs")
    await garbage.note(db, "t/jobs/1/2", removable_in=PAST)
    await maintenance.sweep()
    assert stored_files(settings) == ["t/jobs/1/22/text.txt"]


async def test_sweep_leaves_what_is_being_published(db: Database, settings: Settings, maintenance: Maintenance) -> None:
    """A transaction takes the note back while the sweep is at it: the sweep passes it over."""
    await put(db, settings, "t/documents/a.pdf", PAST)
    other = Database(settings.database_url, pool_size=1)
    await other.start()
    async with other.transaction():
        assert await garbage.forget(other, "t/documents/a.pdf")
        await maintenance.sweep()
    await maintenance.sweep()
    await other.close()
    assert stored_files(settings) == ["t/documents/a.pdf"]


async def test_blob_that_cannot_be_removed_is_tried_later_and_keeps_no_other(
    db: Database, settings: Settings, maintenance: Maintenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(db, settings, "t/documents/a.pdf", PAST)
    await put(db, settings, "t/documents/b.pdf", PAST)
    removing = Blobs.delete

    async def failing(blobs: Blobs, prefix: str) -> None:
        if prefix == "t/documents/a.pdf":
            raise StorageError("not now")
        await removing(blobs, prefix)

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "delete", failing)
        await maintenance.sweep()
    assert stored_files(settings) == ["t/documents/a.pdf"]
    [note] = await db.fetch("SELECT removable_at > now() AS later FROM unreferenced_blobs")
    assert note["later"]
