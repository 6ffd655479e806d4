"""``/v1/plan/``: what a request for a job comes to, without starting one."""

import httpx
import pytest

from docrefinery.store.database import Database
from tests.support.calls import assert_problem, pointers, uploaded


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"profile": "structured", "options_json": {"exports": ["text"], "max_num_pages": 3, "future": [1]}},
        {"options_json": '{"exports": ["figures_zip", "figures_zip"], "ocr": false}'},
    ],
)
async def test_a_plan_is_what_the_job_has_then(
    client: httpx.AsyncClient, db: Database, asked: dict[str, object]
) -> None:
    document = await uploaded(client, ingest="false")
    planned = await client.post("/v1/plan/", json=asked)
    assert planned.status_code == 200
    assert not await db.fetch("SELECT FROM jobs")
    job = (await client.post("/v1/jobs/", json={"document_id": document["id"], **asked})).json()
    assert planned.json() == {name: job[name] for name in ("profile", "options", "exports", "ignored_options")}


async def test_what_a_job_would_be_refused_for_is_refused(client: httpx.AsyncClient) -> None:
    problem = assert_problem(
        await client.post("/v1/plan/", json={"options_json": {"max_num_pages": -1, "exports": ["nope"]}}),
        400,
        "INVALID_OPTIONS",
    )
    assert pointers(problem) == ["/options_json/exports/0", "/options_json/max_num_pages"]
    assert_problem(await client.post("/v1/plan/", json={"profile": "nope"}), 400, "UNKNOWN_PROFILE")
    problem = assert_problem(await client.post("/v1/plan/", json={"document_id": 1}), 400, "INVALID_REQUEST")
    assert pointers(problem) == ["/document_id"]
