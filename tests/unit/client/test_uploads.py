"""A file on its way: streamed, told of, sent again as a whole, and never another one than it was."""

import hashlib
import io
from pathlib import Path

import httpx
import pytest

from docrefinery.client import ClientError, Damaged, DuplicateDocument, FileChanged, Patience
from tests.support.clients import KINDS, Shell

PDF = b"%PDF-1.7\n" + b"x" * 200_000
AT_ONCE = Patience(unreachable=5, busy=5)


class Receiving:
    """Takes uploads; the first answers are those that it is given."""

    def __init__(self, *first: httpx.Response | Exception) -> None:
        self.first = list(first)
        self.bodies: list[bytes] = []
        self.keys: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        self.keys.append(request.headers["idempotency-key"])
        if self.first:
            answer = self.first.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        content = self.bodies[-1].partition(b"application/pdf\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        return httpx.Response(201, json=document(content))


def document(content: bytes) -> dict[str, object]:
    at = "2027-01-01T00:00:00Z"
    return {
        "id": 1,
        "uuid": "00000000-0000-0000-0000-000000000001",
        "original_filename": "a.pdf",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "status": "PROCESSING",
        "created_at": at,
        "modified_at": at,
        "job_id": 2,
    }


def busy() -> httpx.Response:
    return httpx.Response(503, json={"error_code": "UNAVAILABLE"}, headers={"Retry-After": "0"})


def shell_of(kind: str, handler: Receiving) -> Shell:
    return Shell.of(kind, "https://r.example", handler=handler, patience=AT_ONCE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["path", "str", "bytes", "file", "middle"])
async def test_all_that_a_file_can_be_arrives_as_it_is(kind: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / "é.pdf"
    path.write_bytes(PDF)
    middle = io.BytesIO(b"before" + PDF)
    middle.seek(6)
    handler = Receiving()
    shell, told = shell_of(kind, handler), list[tuple[int, int | None]]()
    with path.open("rb") as opened:
        file = {"path": path, "str": str(path), "bytes": PDF, "file": opened, "middle": middle}[form]
        sent = await shell.do(
            "upload", file, progress=lambda *now: told.append(now), profile="fast_text", options={"a": 1}
        )
    assert (sent.job_id, sent.sha256) == (2, hashlib.sha256(PDF).hexdigest())
    name = "é.pdf" if form in ("path", "str", "file") else "document.pdf"
    assert f'filename="{name}"'.encode() in handler.bodies[0]
    for field in (
        b'name="ingest"\r\n\r\ntrue\r\n',
        b'name="options_json"\r\n\r\n{"a":1}\r\n',
        b'"profile"\r\n\r\nfast_text\r\n',
    ):
        assert field in handler.bodies[0]
    assert told[-1] == (len(PDF), len(PDF))
    assert [count for count, _ in told] == sorted(count for count, _ in told)
    assert len(told) > 2
    await shell.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_an_upload_is_repeated_as_a_whole_under_one_key(kind: str) -> None:
    handler = Receiving(httpx.ConnectError("refused"), busy())
    shell = shell_of(kind, handler)
    await shell.do("upload", io.BytesIO(PDF))
    assert len(handler.bodies) == 3
    assert len(set(handler.keys)) == 1
    assert all(PDF in body for body in handler.bodies)
    await shell.close()


class Pipe(io.RawIOBase):
    """What can be read once, and not be gone back in."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._content.read(size)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_can_be_read_once_is_sent_once(kind: str) -> None:
    shell = shell_of(kind, Receiving())
    assert (await shell.do("upload", Pipe(PDF), name="p.pdf")).size_bytes == len(PDF)
    await shell.close()
    handler = Receiving(busy())
    shell = shell_of(kind, handler)
    with pytest.raises(ClientError, match="503"):
        await shell.do("upload", Pipe(PDF))
    assert len(handler.bodies) == 1
    await shell.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_that_is_cut_or_grows_meanwhile_is_never_sent_as_a_mixture(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(PDF)

    def cut(sent: int, _: int | None) -> None:
        if sent < 100_000:
            path.write_bytes(PDF[:100_000])

    shell = shell_of(kind, Receiving())
    with pytest.raises(FileChanged):
        await shell.do("upload", path, progress=cut)
    path.write_bytes(PDF)

    def grow(*_: object) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    assert (await shell.do("upload", path, progress=grow)).size_bytes == len(PDF)
    with pytest.raises(FileNotFoundError):
        await shell.do("upload", tmp_path / "none.pdf")
    await shell.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_duplicate_names_the_document_and_its_job(kind: str) -> None:
    existing = {"document_id": 7, "uuid": "00000000-0000-0000-0000-000000000007", "job_id": None}
    problem = {"error_code": "DUPLICATE_DOCUMENT", "status": 409, "detail": "It is here.", "existing": existing}
    shell = shell_of(kind, Receiving(httpx.Response(409, json=problem)))
    with pytest.raises(DuplicateDocument) as caught:
        await shell.do("upload", PDF)
    assert (caught.value.existing.document_id, caught.value.existing.job_id) == (7, None)
    await shell.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_other_bytes_at_the_service_are_told(kind: str) -> None:
    shell = shell_of(kind, Receiving(httpx.Response(201, json=document(b"other"))))
    with pytest.raises(Damaged, match="document 1"):
        await shell.do("upload", PDF)
    await shell.close()
