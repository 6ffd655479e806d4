"""Uploads that are refused, and leave nothing."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.calls import a_pdf, assert_nothing_left, assert_problem, pointers, upload, uploaded


@pytest.fixture(autouse=True)
async def nothing_is_left(client: httpx.AsyncClient, db: Database, settings: Settings) -> AsyncIterator[None]:
    """After each test: no row, no blob, and the service goes on."""
    yield
    await assert_nothing_left(db, settings)
    await uploaded(client)


@pytest.mark.parametrize(
    "content", [b"Just some text.", b"", b"%PD", b"x" * 1020 + b"%PDF-1.7", b"PK\x03\x04" + b"x" * 5000], ids=len
)
async def test_what_is_no_pdf_by_content_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    assert_problem(await upload(client, content), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("declared", ["text/plain", "application/octet-stream", "application/pdfx", "image/pdf"])
async def test_what_is_declared_as_something_else_is_refused(client: httpx.AsyncClient, declared: str) -> None:
    response = await client.post("/v1/documents/", files={"file": ("a.pdf", a_pdf(), declared)})
    assert declared in assert_problem(response, 415, "UNSUPPORTED_MEDIA_TYPE")["detail"]


async def test_file_over_the_limit_is_refused(client: httpx.AsyncClient, settings: Settings) -> None:
    content = b"%PDF-".ljust(settings.upload_limit + 1, b"x")
    problem = assert_problem(await upload(client, content), 413, "FILE_TOO_LARGE")
    assert problem["limit_bytes"] == settings.upload_limit


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"ingest": "maybe"}, ["/ingest"]),
        ({"external_uuid": "12"}, ["/external_uuid"]),
        ({"external_uuid": "12", "ingest": "2"}, ["/external_uuid", "/ingest"]),
        ({"colour": "red"}, ["/colour"]),
        ({"ingest": "t" * 17}, ["/ingest"]),
    ],
)
async def test_every_wrong_field_is_named(client: httpx.AsyncClient, fields: dict[str, str], wrong: list[str]) -> None:
    assert pointers(assert_problem(await upload(client, fields=fields), 400, "INVALID_REQUEST")) == wrong


async def test_missing_file_is_named(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/documents/", files={"ingest": (None, "true")})
    assert pointers(assert_problem(response, 400, "INVALID_REQUEST")) == ["/file"]


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"file": "a"}},
        {"content": b"%PDF-1.7", "headers": {"Content-Type": "application/pdf"}},
        {"content": b"", "headers": {"Content-Type": "multipart/mixed; boundary=b"}},
    ],
)
async def test_other_kinds_of_bodies_are_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert_problem(await client.post("/v1/documents/", **body), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("body", [{}, {"data": {"ingest": "true"}}])
async def test_body_that_is_no_form_with_a_file_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert_problem(await client.post("/v1/documents/", **body), 400, "INVALID_REQUEST")


@pytest.mark.parametrize("ingest", ["true", "false"])
async def test_unknown_profile_is_refused(client: httpx.AsyncClient, ingest: str) -> None:
    response = await upload(client, ingest=ingest, profile="nope\x00")
    assert "fast_text" in assert_problem(response, 400, "UNKNOWN_PROFILE")["detail"]


@pytest.mark.parametrize("key", ["", "x" * 256, "täst"])
async def test_unusable_idempotency_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    response = await upload(client, headers={"Idempotency-Key": key.encode()})  # type: ignore[dict-item]
    assert_problem(response, 400, "INVALID_REQUEST")
