"""Multipart bodies as no well-behaved client sends them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.calls import assert_nothing_left, assert_problem

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
FILE = HEAD + b"%PDF-1.7\r\n"
END = b"--b--\r\n"
FORM = "multipart/form-data; boundary=b"


def text(name: bytes, value: bytes) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value + b"\r\n"


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def send(client: httpx.AsyncClient, body: bytes, content_type: str = FORM) -> httpx.Response:
    headers = {"Content-Type": content_type.encode("latin-1")}
    return await client.post("/v1/documents/", content=pieces(body, 65_536), headers=headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(FILE + END, "multipart/form-data", id="no boundary"),
        pytest.param(FILE + END, "multipart/form-data; boundary=", id="empty boundary"),
        pytest.param(FILE + END, "multipart/form-data; boundary=c", id="wrong boundary"),
        pytest.param(FILE + END, "multipart/form-data; boundary=\xe9", id="boundary that is not ASCII"),
        pytest.param(FILE + END, f"multipart/form-data; boundary={'b' * 5000}", id="long boundary"),
        pytest.param(b"", FORM, id="empty body"),
        pytest.param(b"\r\n", FORM, id="line break alone"),
        pytest.param(END, FORM, id="no part"),
        pytest.param(FILE, FORM, id="no final boundary"),
        pytest.param(FILE[:-6], FORM, id="cut in the file"),
        pytest.param(HEAD[:20], FORM, id="cut in the headers"),
        pytest.param(FILE + b"--b", FORM, id="cut in the boundary"),
        pytest.param(FILE + b"--bx--\r\n", FORM, id="garbage after the boundary"),
        pytest.param(b"junk" + FILE + END, FORM, id="junk in front of the boundary"),
        pytest.param(FILE.replace(b"\r\n", b"\n") + b"--b--\n", FORM, id="bare line feeds"),
        pytest.param(b"--b\r\n\r\n%PDF-1.7\r\n" + END, FORM, id="part without headers"),
        pytest.param(FILE.replace(b' name="file";', b"") + END, FORM, id="part without name"),
        pytest.param(FILE.replace(b"form-data", b"attachment") + END, FORM, id="part of another disposition"),
        pytest.param(FILE.replace(b"a.pdf", b"\xff.pdf") + END, FORM, id="file name that is not UTF-8"),
        pytest.param(FILE + FILE + END, FORM, id="two files"),
        pytest.param(FILE + text(b"ingest", b"1") * 2 + END, FORM, id="field twice"),
        pytest.param(FILE + text(b"", b"1") + END, FORM, id="field of an empty name"),
        pytest.param(FILE + text(b"x" * 3000, b"1") + END, FORM, id="field of a long name"),
        pytest.param(FILE + text(b"ingest", b"\xff") + END, FORM, id="field that is not UTF-8"),
        pytest.param(FILE + text(b"nope", b"1") * 40 + END, FORM, id="many parts"),
        pytest.param(FILE.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 90_000 + b"\r\n\r\n") + END, FORM, id="long header"),
        pytest.param(FILE.replace(b"\r\n\r\n", b"\r\nX: y" * 5000 + b"\r\n\r\n") + END, FORM, id="many headers"),
        pytest.param(b"x" * 200_000 + b"\r\n" + FILE + END, FORM, id="long preamble"),
        pytest.param(FILE + END + b"x" * 3_000_000, FORM, id="long epilogue"),
        pytest.param(FILE + text(b"options_json", b"x" * 90_000_000) + END, FORM, id="field of 90 MB"),
        pytest.param(FILE + text(b"profile", b"x" * 257) + END, FORM, id="long profile"),
    ],
)
async def test_malformed_body_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, db: Database, settings: Settings, body: bytes, content_type: str
) -> None:
    response = await send(client, body, content_type)
    assert_problem(response, 400, "INVALID_REQUEST")
    await assert_nothing_left(db, settings)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_body_is_understood_however_it_is_cut(client: httpx.AsyncClient, size: int) -> None:
    content = b"%PDF-1.7\r\n--c\r\n--\r\n\r" + bytes(range(256))
    body = text(b"ingest", b"true") + HEAD + content + b"\r\n" + END
    response = await client.post("/v1/documents/", content=pieces(body, size), headers={"Content-Type": FORM})
    assert response.status_code == 201, response.text
    assert response.json()["size_bytes"] == len(content)
    assert "job_id" in response.json()
    served = await client.get(f"/v1/documents/{response.json()['id']}/file/")
    assert served.content == content


@pytest.mark.parametrize("around", [(b"", b""), (b"\r\n", b""), (b"preamble\r\n", b"epilogue"), (b"", b"\r\n" * 9)])
async def test_preamble_and_epilogue_are_passed_over(client: httpx.AsyncClient, around: tuple[bytes, bytes]) -> None:
    assert (await send(client, around[0] + FILE + END + around[1])).status_code == 201


async def test_fields_may_come_before_and_after_the_file(client: httpx.AsyncClient) -> None:
    body = text(b"ingest", b"1") + FILE + text(b"profile", b"fast_text") + END
    assert "job_id" in (await send(client, body)).json()


async def test_quoted_boundary_is_understood(client: httpx.AsyncClient) -> None:
    assert (await send(client, FILE + END, 'Multipart/Form-Data; charset=utf-8; Boundary="b"')).status_code == 201
