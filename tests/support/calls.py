"""Calls of the API that many tests begin with, and what must be left after one that was refused."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.pdfs import born_digital

_numbers = itertools.count(1)


def a_pdf() -> bytes:
    """Return a PDF whose bytes no other call has returned."""
    return born_digital(text=f"Document number {next(_numbers)}.")


async def upload(
    client: httpx.AsyncClient,
    content: bytes | None = None,
    *,
    name: str = "a.pdf",
    headers: dict[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    **more: str,
) -> httpx.Response:
    """Upload a PDF, a new one unless given; ``fields`` and ``more`` are the form's other fields."""
    files = {"file": (name, a_pdf() if content is None else content)}
    return await client.post("/v1/documents/", files=files, data={**(fields or {}), **more}, headers=headers)


async def uploaded(client: httpx.AsyncClient, content: bytes | None = None, **fields: str) -> dict[str, Any]:
    """Upload a PDF and return the document."""
    response = await upload(client, content, fields=fields)
    assert response.status_code == 201, response.text
    document: dict[str, Any] = response.json()
    return document


async def queued(client: httpx.AsyncClient, **fields: str) -> dict[str, Any]:
    """Upload a PDF and return its queued job."""
    document = await uploaded(client, None, ingest="true", **fields)
    return await job_of(client, document["job_id"])


async def job_of(client: httpx.AsyncClient, job_id: int) -> dict[str, Any]:
    """Return a job."""
    response = await client.get(f"/v1/jobs/{job_id}/")
    assert response.status_code == 200, response.text
    job: dict[str, Any] = response.json()
    return job


async def results(client: httpx.AsyncClient, url: str, **params: str | int) -> list[Any]:
    """Return the results of a list's first page."""
    response = await client.get(url, params=params or None)
    assert response.status_code == 200, response.text
    found: list[Any] = response.json()["results"]
    return found


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Fail unless the answer is a problem of this code in the contract's shape; return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["error_code"] == code, body
    assert body["status"] == status
    assert {"type", "title", "detail", "instance", "request_id"} <= body.keys()
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["instance"] == response.request.url.path
    assert "Traceback" not in response.text
    return body


def pointers(problem: dict[str, Any]) -> list[str]:
    """Return the pointers of a problem's errors."""
    return sorted(error["pointer"] for error in problem.get("errors", []))


def stored_files(settings: Settings) -> list[str]:
    """Return the files in the storage folder."""
    folder = Path(unquote(urlsplit(settings.storage).path))
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def assert_nothing_left(db: Database, settings: Settings) -> None:
    """Fail if a refused request left a row or a blob."""
    for table in ("documents", "jobs", "unreferenced_blobs", "idempotency_records"):
        rows = await db.fetch(f"SELECT * FROM {table}")
        assert not rows, f"{table}: {rows}"
    assert stored_files(settings) == []
