"""Downloads: whole or not at all, checked, resumed, and the key stays with the service."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest

from docrefinery.client import Artifact, Conflict, Damaged, NotFound, Patience, Unreachable
from tests.support.clients import KINDS, Handler, Shell

DATA = bytes(range(256)) * 1000
SHA = hashlib.sha256(DATA).hexdigest()
ARTIFACT = Artifact(
    id=5,
    uuid=UUID(int=5),
    job_id=1,
    document_id=1,
    kind="markdown",
    filename="a.md",
    content_type="text/markdown",
    size_bytes=len(DATA),
    sha256=SHA,
    created_at=datetime(2027, 1, 1, tzinfo=UTC),
)
AT_ONCE = Patience(unreachable=0, busy=0)


class Served:
    """Serves the data, with ranges as the service has them, and breaks off after so many bytes of the first answers."""

    def __init__(self, *breaks: int) -> None:
        self.breaks = list(breaks)
        self.ranges: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = request.headers.get("range")
        self.ranges.append(asked)
        fits = request.headers.get("if-range") in (None, f'"{SHA}"')
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and fits else 0
        if start >= len(DATA):
            return httpx.Response(416, json={"error_code": "RANGE_NOT_SATISFIABLE", "detail": "no"})
        headers = {"ETag": f'"{SHA}"', "Content-Range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"}
        status = 206 if start else 200
        if self.breaks:
            broken = Broken(DATA[start : start + self.breaks.pop(0)])
            return httpx.Response(status, headers=headers, stream=broken)
        return httpx.Response(status, headers=headers, content=DATA[start:])


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self):  # type: ignore[no-untyped-def]
        yield self.data
        raise httpx.ReadError("cut")

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        yield self.data
        raise httpx.ReadError("cut")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


Make = Callable[..., Shell]


@pytest.fixture(params=KINDS)
async def make(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    made: list[Shell] = []

    def build(handler: Handler, patience: Patience = AT_ONCE) -> Shell:
        made.append(Shell.of(request.param, "https://r.example", handler=handler, patience=patience))
        return made[-1]

    yield build
    for shell in made:
        await shell.close()


async def test_a_file_gets_the_services_name_in_a_folder_and_nothing_else_is_left(make: Make, tmp_path: Path) -> None:
    assert await make(Served()).do("download", ARTIFACT, tmp_path) == tmp_path / "a.md"
    assert await make(Served()).do("download", ARTIFACT, tmp_path / "b.md") == tmp_path / "b.md"
    assert files(tmp_path) == {"a.md": DATA, "b.md": DATA}
    assert await make(Served()).do("read", ARTIFACT) == DATA
    assert b"".join(await make(Served()).all("stream", ARTIFACT)) == DATA


async def test_what_broke_off_is_gone_on_with_by_the_next_call(make: Make, tmp_path: Path) -> None:
    served = Served(1000)
    with pytest.raises(Unreachable):
        await make(served).do("download", ARTIFACT, tmp_path / "a.md")
    assert not (tmp_path / "a.md").exists()
    await make(served).do("download", ARTIFACT, str(tmp_path / "a.md"))
    assert served.ranges == [None, "bytes=1000-"]
    assert list(files(tmp_path)) == ["a.md"]
    assert (tmp_path / "a.md").read_bytes() == DATA


async def test_a_file_that_was_there_is_replaced_only_by_a_whole_one(make: Make, tmp_path: Path) -> None:
    target = tmp_path / "a.md"
    target.write_text("old")
    with pytest.raises(Unreachable):
        await make(Served(10)).do("download", ARTIFACT, target)
    assert target.read_text() == "old"


async def test_equal_contents_fetched_at_once_into_one_folder_do_not_meet(make: Make, tmp_path: Path) -> None:
    other = msgspec.structs.replace(ARTIFACT, id=6, filename="b.md")
    shell = make(Served())
    await asyncio.gather(*(shell.do("download", artifact, tmp_path) for artifact in (ARTIFACT, other)))
    assert files(tmp_path) == {"a.md": DATA, "b.md": DATA}


async def test_a_job_that_cannot_be_tried_again_is_told_as_the_service_tells_it(make: Make) -> None:
    times = {"created_at": "2027-01-01T00:00:00Z", "modified_at": "2027-01-01T00:00:00Z"}
    job = {"id": 5, "uuid": str(UUID(int=5)), "document_id": 1, "status": "FAILED", "stage": "CONVERTING", **times}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(409, json={"error_code": "INVALID_JOB_STATE", "detail": "Upload it again."})
        return httpx.Response(200, json={"results": [job]} if request.url.path == "/v1/jobs/" else job)

    with pytest.raises(Conflict, match="Upload it again"):
        await make(answer).do("process", 1)


async def test_a_part_that_is_longer_than_the_contents_is_begun_anew(make: Make, tmp_path: Path) -> None:
    (tmp_path / f".{ARTIFACT.id}-{SHA[:32]}.part").write_bytes(DATA + b"more")
    await make(Served()).do("download", ARTIFACT, tmp_path / "a.md")
    assert (tmp_path / "a.md").read_bytes() == DATA


async def test_damaged_contents_are_told_and_kept_nowhere(make: Make, tmp_path: Path) -> None:
    damaged = lambda _: httpx.Response(200, content=DATA[:-1] + b"x")  # noqa: E731
    with pytest.raises(Damaged):
        await make(damaged).do("download", ARTIFACT, tmp_path / "a.md")
    with pytest.raises(Damaged):
        await make(damaged).do("read", ARTIFACT)
    with pytest.raises(Damaged):
        await make(damaged).all("stream", ARTIFACT)
    assert files(tmp_path) == {}


async def test_another_host_gets_the_request_but_not_the_key(make: Make, tmp_path: Path) -> None:
    seen: list[httpx.Request] = []

    def redirecting(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.host == "r.example":
            return httpx.Response(307, headers={"Location": "https://bucket.example/x?signature=s"})
        return httpx.Response(200, content=DATA)

    await make(redirecting).do("download", ARTIFACT, tmp_path / "a.md")
    await make(redirecting).do("read", ARTIFACT)
    await make(redirecting).all("stream", ARTIFACT)
    assert [request.url.host for request in seen] == ["r.example", "bucket.example"] * 3
    assert all(("authorization" in request.headers) is (request.url.host == "r.example") for request in seen)


async def test_a_refusal_is_told_and_a_name_leads_nowhere_else(make: Make, tmp_path: Path) -> None:
    gone = lambda _: httpx.Response(404, json={"error_code": "NOT_FOUND", "detail": "no"})  # noqa: E731
    for name in ("download", "read"):
        with pytest.raises(NotFound):
            await make(gone).do(name, ARTIFACT, *([tmp_path] if name == "download" else []))
    with pytest.raises(NotFound):
        await make(gone).all("stream", ARTIFACT)
    hostile = Artifact(
        **{name: getattr(ARTIFACT, name) for name in ARTIFACT.__struct_fields__} | {"filename": "../../x"}
    )
    assert await make(Served()).do("download", hostile, tmp_path) == tmp_path / "x"
