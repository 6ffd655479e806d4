"""Blobs in object storage, on a real server that checks signatures."""

import asyncio
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from hypothesis import example, given, settings as hypothesis_settings, strategies as st

from docrefinery.store.blobs import BlobMissing, Blobs
from docrefinery.store.opening import Access
from docrefinery.store.presentation import presentation
from docrefinery.store.refusals import StorageRefused
from docrefinery.store.writing import PIECE
from tests.support.dripping import in_front_of
from tests.support.processes import wait_until
from tests.support.s3 import BUCKET, ObjectStorage, read, set_all, write

PLAIN = Access(allow_http=True)
IMPATIENT = Access(allow_http=True, timeout_seconds=1)
PATTERN = bytes(range(251)) * (3 * PIECE // 251)


@pytest.fixture
def prefix() -> str:
    """A part of the bucket that is this test's."""
    return uuid4().hex


@pytest.fixture
def blobs(object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, prefix: str) -> Blobs:
    """The storage in that part."""
    set_all(monkeypatch, object_storage.environ())
    return Blobs(f"s3://{BUCKET}/{prefix}", PLAIN)


AROUND_A_PIECE = st.sampled_from([0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 7]) | st.integers(0, 70_000)


@hypothesis_settings(max_examples=12, deadline=None)
@given(
    size=AROUND_A_PIECE, cuts=st.lists(st.integers(0, 2 * PIECE), max_size=3), part=st.tuples(*[st.floats(0, 1)] * 2)
)
@example(size=2 * PIECE + 7, cuts=[3, PIECE + 5], part=(0.3, 0.9))
def test_what_is_written_is_read_and_any_part_of_it(
    object_storage: ObjectStorage, size: int, cuts: list[int], part: tuple[float, float]
) -> None:
    content, edges = PATTERN[:size], [0, *sorted(cuts), size]
    start, end = sorted(int(place * size) for place in part)

    async def there_and_back() -> None:
        blobs = Blobs(f"s3://{BUCKET}/{uuid4().hex}", PLAIN)
        await write(blobs, "t/documents/a.pdf", *(content[a:b] for a, b in pairwise(edges)))
        assert await read(blobs, "t/documents/a.pdf") == content
        if start < end:
            assert await read(blobs, "t/documents/a.pdf", start, end) == content[start:end]
        await blobs.delete("t/documents/a.pdf")
        assert not await blobs.exists("t/documents/a.pdf")

    with pytest.MonkeyPatch.context() as monkeypatch:
        set_all(monkeypatch, object_storage.environ())
        asyncio.run(there_and_back())


async def test_a_file_is_written_whole_and_over_what_was_there(blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "result"
    for content in (PATTERN, b"", b"short"):
        file.write_bytes(content)
        await blobs.write_file("t/jobs/1/text", file, presentation("a.txt", "text/plain"))
        assert await read(blobs, "t/jobs/1/text") == content


async def test_a_write_that_breaks_off_leaves_nothing(blobs: Blobs, object_storage: ObjectStorage, prefix: str) -> None:
    before, begun = object_storage.unfinished(), 0

    async def broken_off() -> None:
        nonlocal begun
        async with blobs.writing("t/documents/a.pdf") as writer:
            await writer.write(PATTERN)
            begun = object_storage.unfinished() - before
            raise RuntimeError("broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        await broken_off()
    assert begun == 1
    assert object_storage.keys(prefix) == []
    wait_until(lambda: object_storage.unfinished() == before, 10, "the parts are given up")


async def test_lists_have_many_pages_and_deletions_few_requests(
    object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    set_all(monkeypatch, object_storage.environ())
    direct, turns = Blobs(f"s3://{BUCKET}/{prefix}", PLAIN), asyncio.Semaphore(32)

    async def one(number: int) -> None:
        async with turns:
            await write(direct, f"t/jobs/1/{number}", b"x")

    await asyncio.gather(*map(one, range(1150)), write(direct, "t/jobs/10/kept", b"x"))
    with in_front_of(object_storage.url) as proxy:
        set_all(monkeypatch, object_storage.environ(url=proxy.url))
        blobs = Blobs(f"s3://{BUCKET}/{prefix}", PLAIN)
        listed = [blob.key async for page in blobs.list() for blob in page]
        assert len(listed) == len(set(listed)) == 1151
        assert proxy.seen.count(b"list-type=2") == 2
        await blobs.delete("t/jobs/1")
        assert proxy.seen.count(b"?delete") == 2
        assert b"\r\nDELETE " not in proxy.seen
    assert object_storage.keys(prefix) == ["t/jobs/10/kept"]


async def test_what_is_absent_is_missing_but_not_in_an_absent_bucket(
    blobs: Blobs, object_storage: ObjectStorage
) -> None:
    with pytest.raises(BlobMissing):
        await read(blobs, "t/documents/none.pdf")
    assert not await blobs.exists("t/documents/none.pdf")
    await blobs.delete("t/documents/none.pdf")
    elsewhere = Blobs("s3://nowhere/x", PLAIN)
    for attempt in (read(elsewhere, "a"), write(elsewhere, "a", b"x"), elsewhere.delete("a"), elsewhere.check()):
        with pytest.raises(StorageRefused, match="there is no bucket"):
            await attempt


async def test_a_slow_server_is_waited_for_as_long_as_something_comes(
    monkeypatch: pytest.MonkeyPatch, object_storage: ObjectStorage, prefix: str, blobs: Blobs
) -> None:
    await write(blobs, "a", PATTERN[:400_000])
    # More than a second in all, and never so long between two drops.
    with in_front_of(object_storage.url, drop=10_000, pause=0.04) as proxy:
        set_all(monkeypatch, object_storage.environ(url=proxy.url))
        slow = Blobs(f"s3://{BUCKET}/{prefix}", IMPATIENT)
        assert await read(slow, "a") == PATTERN[:400_000]


async def test_a_presigned_url_is_for_one_blob_with_its_headers_and_a_time(
    blobs: Blobs, object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    headers = presentation('Bericht "Ä".md', "text/markdown; charset=utf-8")
    async with blobs.writing("t/jobs/1/markdown") as writer:
        writer.describe(headers)
        await writer.write(b"# Bericht\n")
    url = await blobs.presigned("t/jobs/1/markdown", 10, headers, 60)
    assert url
    assert "X-Amz-Expires=60" in url
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(url, headers={"Range": "bytes=2-"})
        assert (answer.status_code, answer.content) == (206, b"Bericht\n")
        assert {name: answer.headers[name] for name in headers} == headers
        for other in (
            url.replace("markdown", "other"),
            url.replace("Expires=60", "Expires=600"),
            url.partition("?")[0],
        ):
            assert (await client.get(other)).status_code in (403, 404)
    assert await blobs.presigned("t/jobs/1/markdown", 11, headers, 60) is None
    assert await blobs.presigned("t/jobs/1/markdown", 10, headers | {"Content-Type": "text/html"}, 60) is None
    assert await blobs.presigned("t/jobs/1/none", 10, headers, 60) is None
    public = Blobs(f"s3://{BUCKET}/{prefix}", Access(allow_http=True, signing_endpoint="https://files.example/"))
    assert (await public.presigned("t/jobs/1/markdown", 10, headers, 60) or "").startswith("https://files.example/")


async def test_a_name_too_long_for_the_storage_is_left_out(blobs: Blobs) -> None:
    headers = presentation("😀" * 200 + ".pdf", "application/pdf")
    async with blobs.writing("t/documents/a.pdf") as writer:
        writer.describe(headers)
        await writer.write(b"x")
    assert await read(blobs, "t/documents/a.pdf") == b"x"
    assert await blobs.presigned("t/documents/a.pdf", 1, headers, 60) is None
