"""``options_json`` that is refused, in an upload and in a job."""

import json

import httpx
import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.calls import assert_nothing_left, assert_problem, job_of, pointers, upload, uploaded

WRONG = [
    ("{", [""]),
    ("{'a': 1}", [""]),
    ("[]", [""]),
    ('"text"', [""]),
    ("12", [""]),
    ("[" * 100_000, [""]),
    ('{"a": ' * 50 + "1" + "}" * 50, [""]),
    ('{"a": "\\u0000"}', [""]),
    ('{"a\\u0000": 1}', [""]),
    ('{"a": 1e999}', [""]),
    ('{"a": ' + "9" * 6000 + "}", [""]),
    ('{"a": "\\ud800"}', [""]),
    ('{"a": "%s"}' % ("x" * 65_536), [""]),
    ('{"a": "%s"}' % ("ü" * 40_000), [""]),
    ('{"max_num_pages": -1}', ["/max_num_pages"]),
    ('{"max_num_pages": "5", "max_file_size": 1.5}', ["/max_file_size", "/max_num_pages"]),
    ('{"max_num_pages": true}', ["/max_num_pages"]),
    ('{"exports": "text"}', ["/exports"]),
    ('{"exports": ["text", 1, "nope", null]}', ["/exports/1", "/exports/2", "/exports/3"]),
    ('{"exports": ["nope"], "ocr": "yes", "page_range": [0, 1]}', ["/exports/0", "/ocr", "/page_range/0"]),
    ('{"ocr_languages": ["de", "", 3]}', ["/ocr_languages/1", "/ocr_languages/2"]),
    ('{"page_range": [1]}', ["/page_range"]),
    ('{"page_range": [0, "x"]}', ["/page_range/0", "/page_range/1"]),
    ('{"page_range": [3, 2]}', ["/page_range"]),
    ('{"page_range": {"first": 1}}', ["/page_range"]),
    ('{"images_scale": 0.4, "document_timeout": 0}', ["/document_timeout", "/images_scale"]),
    ('{"images_scale": 4.1, "do_table_structure": 1, "fail_on_partial": 0}',
     ["/do_table_structure", "/fail_on_partial", "/images_scale"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wrong"), WRONG, ids=[text[:40] for text, _ in WRONG])
async def test_upload_names_every_wrong_option(
    client: httpx.AsyncClient, db: Database, settings: Settings, text: str, wrong: list[str]
) -> None:
    problem = assert_problem(await upload(client, options_json=text, ingest="true"), 400, "INVALID_OPTIONS")
    assert pointers(problem) == [f"/options_json{pointer}" for pointer in wrong]
    await assert_nothing_left(db, settings)


async def test_options_that_are_not_utf8_are_refused(client: httpx.AsyncClient) -> None:
    files = {"file": ("a.pdf", b"%PDF-1.7"), "options_json": (None, b'{"a": "\xff"}')}
    response = await client.post("/v1/documents/", files=files)
    assert pointers(assert_problem(response, 400, "INVALID_REQUEST")) == ["/options_json"]


async def test_job_names_every_wrong_option(client: httpx.AsyncClient) -> None:
    document = await uploaded(client)
    for text, wrong in WRONG[-10:]:
        for options in (text, json.loads(text)):
            response = await client.post("/v1/jobs/", json={"document_id": document["id"], "options_json": options})
            problem = assert_problem(response, 400, "INVALID_OPTIONS")
            assert pointers(problem) == [f"/options_json{pointer}" for pointer in wrong]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("{}", ["/document_id"]),
        ('{"document_id": null}', ["/document_id"]),
        ('{"document_id": "x"}', ["/document_id"]),
        ('{"document_id": 1, "color": 1, "size": 2}', ["/color", "/size"]),
        ('{"profile": 1, "external_uuid": "x"}', ["/document_id", "/external_uuid", "/profile"]),
        ('{"document_id": "x", "profile": 1, "color": 2}', ["/color", "/document_id", "/profile"]),
        ("[]", []),
        ("", []),
        ("{", []),
        ("[" * 100_000, []),
        (b'{"document_id": "\xff"}', []),
    ],
)  # fmt: skip
async def test_job_names_every_wrong_field(client: httpx.AsyncClient, body: str | bytes, wrong: list[str]) -> None:
    response = await client.post("/v1/jobs/", content=body, headers={"Content-Type": "application/json"})
    assert pointers(assert_problem(response, 400, "INVALID_REQUEST")) == wrong


@pytest.mark.parametrize("options", [[1], [], 0, 1.5, False, "[]", "0"])
async def test_options_of_a_job_that_are_no_object_are_invalid_options(
    client: httpx.AsyncClient, options: object
) -> None:
    document = await uploaded(client)
    response = await client.post("/v1/jobs/", json={"document_id": document["id"], "options_json": options})
    assert_problem(response, 400, "INVALID_OPTIONS")


async def test_options_of_a_job_are_bounded_too(client: httpx.AsyncClient) -> None:
    document = await uploaded(client)
    for options in ({"a": "x" * 65_536}, '{"a": "%s"}' % ("x" * 65_536)):
        response = await client.post("/v1/jobs/", json={"document_id": document["id"], "options_json": options})
        problem = assert_problem(response, 400, "INVALID_OPTIONS")
        assert "longer than 65536 bytes" in problem["detail"]


async def test_body_of_megabytes_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/jobs/", content=b'"' + b"x" * 3_000_000 + b'"')
    assert_problem(response, 413, "FILE_TOO_LARGE")


async def test_job_on_a_document_that_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    for ref in (0, -1, 2**70, "00000000-0000-4000-8000-000000000000"):
        response = await client.post("/v1/jobs/", json={"document_id": ref})
        assert response.json()["error_code"] in ("NOT_FOUND", "INVALID_REQUEST"), ref
        assert response.status_code in (404, 400)


async def test_unknown_options_come_back_as_ignored(client: httpx.AsyncClient) -> None:
    unknown = {"zoom": 2, "deep": {"a": [1, None]}, "back\\u0000slash": "\\u0000", "big": 10**30}
    document = await uploaded(client, ingest="true", options_json=json.dumps({"max_num_pages": 3, **unknown}))
    job = await job_of(client, document["job_id"])
    assert job["ignored_options"] == unknown
    assert job["options"]["max_num_pages"] == 3
    assert not unknown.keys() & job["options"].keys()


async def test_empty_options_are_none(client: httpx.AsyncClient) -> None:
    for text in ("", "  ", "{}"):
        document = await uploaded(client, ingest="true", options_json=text)
        assert (await job_of(client, document["job_id"]))["ignored_options"] == {}
