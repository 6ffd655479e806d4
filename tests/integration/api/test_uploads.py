"""Uploads that are accepted."""

import hashlib
from typing import Any
from uuid import uuid4

import httpx
import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.calls import a_pdf, assert_problem, job_of, queued, stored_files, upload, uploaded

FIELDS = {
    "id", "document_id", "uuid", "external_uuid", "original_filename", "sha256", "size_bytes", "page_count", "status",
    "created_at", "modified_at",
}  # fmt: skip


async def test_upload_answers_with_the_document_and_where_it_is(client: httpx.AsyncClient) -> None:
    content, external = a_pdf(), str(uuid4())
    response = await upload(client, content, name="report.pdf", external_uuid=external)
    document = response.json()
    assert response.status_code == 201
    assert document.keys() == FIELDS
    assert document["document_id"] == document["id"]
    assert document["external_uuid"] == external
    assert document["original_filename"] == "report.pdf"
    assert document["sha256"] == hashlib.sha256(content).hexdigest()
    assert document["size_bytes"] == len(content)
    assert document["status"] == "UPLOADED"
    assert document["created_at"].endswith("Z")
    assert response.headers["location"] == f"/v1/documents/{document['id']}/"
    assert (await client.get(response.headers["location"])).json() == document


async def test_ingest_starts_a_job_that_says_everything(client: httpx.AsyncClient) -> None:
    external = str(uuid4())
    document = await uploaded(client, ingest="true", external_uuid=external)
    assert document["status"] == "PROCESSING"
    job: dict[str, Any] = await job_of(client, document["job_id"])
    moments = {job.pop(name) for name in ("queued_at", "created_at", "modified_at")}
    assert len(moments) == 1
    assert job.pop("uuid")
    assert job == {
        "id": document["job_id"],
        "document_id": document["id"],
        "external_uuid": external,
        "profile": None,
        "options": {
            "max_num_pages": 0,
            "max_file_size": 50 * 1024 * 1024,
            "document_timeout": 600.0,
            "exports": ["markdown", "text", "doctags"],
            "ocr": True,
            "do_ocr": True,
            "do_table_structure": True,
        },
        "exports": ["markdown", "text", "doctags"],
        "ignored_options": {},
        "status": "QUEUED",
        "stage": "SCANNING",
        "pages_total": None,
        "pages_done": 0,
        "attempt": 1,
        "scan_ms": None,
        "convert_ms": None,
        "export_ms": None,
        "chunk_ms": None,
        "error_code": "",
        "error_message": "",
        "error_details_json": None,
        "warnings": [],
        "engine": None,
        "partial": False,
        "failed_pages": [],
        "started_at": None,
        "finished_at": None,
    }


async def test_ingest_is_true_in_many_spellings(client: httpx.AsyncClient) -> None:
    for yes in ("true", "TRUE", "True", "1", "yes", "on", " On "):
        assert "job_id" in await uploaded(client, ingest=yes), yes


async def test_ingest_is_false_in_many_spellings(client: httpx.AsyncClient) -> None:
    for no in ("false", "False", "0", "no", "OFF", ""):
        assert "job_id" not in await uploaded(client, ingest=no), no


async def test_same_bytes_again_name_the_first_document_and_its_latest_job(client: httpx.AsyncClient) -> None:
    content = a_pdf()
    first = await uploaded(client, content, ingest="true")
    latest = (await client.post("/v1/jobs/", json={"document_id": first["id"]})).json()
    problem = assert_problem(await upload(client, content, name="other.pdf"), 409, "DUPLICATE_DOCUMENT")
    assert problem["existing"] == {"document_id": first["id"], "uuid": first["uuid"], "job_id": latest["id"]}


async def test_duplicate_leaves_no_second_blob_and_no_note(
    client: httpx.AsyncClient, db: Database, settings: Settings
) -> None:
    content = a_pdf()
    await uploaded(client, content)
    await upload(client, content)
    assert len(stored_files(settings)) == 1
    assert not await db.fetch("SELECT FROM unreferenced_blobs")


@pytest.mark.parametrize("magic_at", [0, 1, 1019])
async def test_magic_counts_within_the_first_kilobyte(client: httpx.AsyncClient, magic_at: int) -> None:
    assert (await upload(client, b"x" * magic_at + b"%PDF-1.7")).status_code == 201


async def test_file_of_exactly_the_limit_is_taken(client: httpx.AsyncClient, settings: Settings) -> None:
    assert (await upload(client, b"%PDF-".ljust(settings.upload_limit, b"x"))).status_code == 201


@pytest.mark.parametrize(
    "content_type", ["application/pdf", "application/x-pdf", "Application/PDF", "application/pdf; charset=binary", None]
)
async def test_part_is_declared_a_pdf_or_nothing(client: httpx.AsyncClient, content_type: str | None) -> None:
    head = f"Content-Type: {content_type}\r\n" if content_type else ""
    body = f'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n{head}\r\n%PDF-1.7\r\n--b--\r\n'
    response = await client.post(
        "/v1/documents/", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert response.status_code == 201, response.text


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Übergrößenträger 试验.pdf", "Übergrößenträger 试验.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        ("a\x07b\u202egnp.pdf", "abgnp.pdf"),
        ("", "document.pdf"),
        ("..", "document.pdf"),
        ("é" * 200 + ".pdf", "é" * 196 + ".pdf"),
        ('quo"te.pdf', 'quo"te.pdf'),
    ],
)
async def test_file_name_is_made_harmless(client: httpx.AsyncClient, name: str, kept: str) -> None:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    body = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{escaped}"\r\n\r\n%PDF-1.7\r\n--b--\r\n'
    response = await client.post(
        "/v1/documents/", content=body.encode(), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert response.status_code == 201, response.text
    assert response.json()["original_filename"] == kept


async def test_second_job_inherits_the_external_uuid_unless_given_one(client: httpx.AsyncClient) -> None:
    inherited, own = str(uuid4()), str(uuid4())
    first = await queued(client, external_uuid=inherited)
    started = await client.post("/v1/jobs/", json={"document_id": first["document_id"]})
    assert started.json()["external_uuid"] == inherited
    assert started.headers["location"] == f"/v1/jobs/{started.json()['id']}/"
    other = await client.post("/v1/jobs/", json={"document_id": first["document_id"], "external_uuid": own})
    assert other.json()["external_uuid"] == own


async def test_where_a_request_came_from_goes_along_with_the_job(client: httpx.AsyncClient, db: Database) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    document = (await upload(client, ingest="1", headers={"X-Request-ID": "first", "traceparent": trace})).json()
    body = {"document_id": document["id"]}
    await client.post("/v1/jobs/", json=body, headers={"X-Request-ID": "second", "traceparent": "nonsense"})
    rows = await db.fetch("SELECT request_id, traceparent FROM jobs ORDER BY id")
    assert [tuple(row) for row in rows] == [("first", trace), ("second", "")]
