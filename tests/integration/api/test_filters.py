"""What lists are narrowed to."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from docrefinery.store.database import Database
from tests.support.calls import assert_problem, pointers, queued, results, uploaded
from tests.support.work import HandWorker


async def ids(client: httpx.AsyncClient, url: str, **params: str) -> list[int]:
    return sorted(item["id"] for item in await results(client, url, **params))


async def test_documents_by_status_hash_and_external_uuid(client: httpx.AsyncClient, worker: HandWorker) -> None:
    external = str(uuid4())
    ready = await uploaded(client, ingest="1", external_uuid=external)
    await worker.publish(await worker.claim())
    plain = await uploaded(client)
    url = "/v1/documents/"
    assert await ids(client, url, status="READY") == [ready["id"]]
    assert await ids(client, url, status="READY, UPLOADED") == [ready["id"], plain["id"]]
    assert await ids(client, url, status="FAILED") == []
    assert await ids(client, url, sha256=plain["sha256"].upper()) == [plain["id"]]
    assert await ids(client, url, sha256=f"{plain['sha256']},{ready['sha256']},{'0' * 64}") == [
        ready["id"],
        plain["id"],
    ]
    assert await ids(client, url, external_uuid=external.upper()) == [ready["id"]]
    assert await ids(client, url, external_uuid=str(uuid4())) == []
    assert await ids(client, url, external_uuid=external, status="UPLOADED") == []


async def test_jobs_by_everything(client: httpx.AsyncClient, worker: HandWorker) -> None:
    external = str(uuid4())
    failed = await queued(client, profile="fast_text")
    await worker.fail(await worker.claim())
    running = await queued(client, external_uuid=external)
    await worker.to("RUNNING")
    waiting = await queued(client)
    url, everything = "/v1/jobs/", [failed["id"], running["id"], waiting["id"]]
    assert await ids(client, url) == everything
    assert await ids(client, url, status="FAILED") == [failed["id"]]
    assert await ids(client, url, status="FAILED,QUEUED") == [failed["id"], waiting["id"]]
    assert await ids(client, url, stage="CONVERTING") == [running["id"]]
    assert await ids(client, url, stage="CONVERTING,SCANNING") == everything
    assert await ids(client, url, profile="fast_text") == [failed["id"]]
    assert await ids(client, url, profile="fast_text,other") == [failed["id"]]
    assert await ids(client, url, profile="other") == []
    assert await ids(client, url, external_uuid=external) == [running["id"]]
    assert await ids(client, url, document_id=str(waiting["document_id"])) == [waiting["id"]]
    assert await ids(client, url, document_id="987654321") == []
    assert await ids(client, url, document_id="9" * 40) == []
    assert await ids(client, url, status="QUEUED", profile="fast_text") == []


async def test_artifacts_by_job_document_and_kind(client: httpx.AsyncClient, worker: HandWorker) -> None:
    jobs = []
    for _ in range(2):
        jobs.append(await queued(client))
        await worker.publish(await worker.claim())
    [document] = await results(client, "/v1/documents/", sha256=(await results(client, "/v1/documents/"))[0]["sha256"])
    url = "/v1/artifacts/"
    everything = await results(client, url)
    assert len(everything) == 4
    own = sorted(item["id"] for item in everything if item["job_id"] == jobs[1]["id"])
    assert await ids(client, url, job_id=str(jobs[1]["id"])) == own
    assert await ids(client, url, job_id=jobs[1]["uuid"]) == own
    assert await ids(client, url, document_id=str(document["id"])) == own
    assert await ids(client, url, document_id=document["uuid"]) == own
    assert len(await ids(client, url, kind="markdown")) == 2
    assert len(await ids(client, url, kind="markdown,docling_json", job_id=str(jobs[0]["id"]))) == 2
    assert await ids(client, url, kind="nope") == []
    assert await ids(client, url, job_id=str(uuid4())) == []


def shift(moment: str, **delta: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(**delta)).isoformat()


@pytest.mark.parametrize("url", ["/v1/documents/", "/v1/jobs/"])
async def test_time_bounds_are_inclusive(client: httpx.AsyncClient, url: str) -> None:
    await queued(client)
    [item] = await results(client, url)
    created = item["created_at"]
    assert len(await ids(client, url, created_after=created, created_before=created)) == 1
    assert len(await ids(client, url, created_after=shift(created, microseconds=-1))) == 1
    assert await ids(client, url, created_after=shift(created, microseconds=1)) == []
    assert await ids(client, url, created_before=shift(created, microseconds=-1)) == []


async def test_times_of_documents_rise_with_their_numbers_though_a_clock_was_set_back(
    client: httpx.AsyncClient, db: Database
) -> None:
    first = await uploaded(client)
    await db.fetch("UPDATE documents SET created_at = created_at + interval '1 hour'")
    second = await uploaded(client)
    [later, earlier] = await results(client, "/v1/documents/")
    assert [later["id"], earlier["id"]] == [second["id"], first["id"]]
    assert later["created_at"] == earlier["created_at"]
    half_an_hour = shift(earlier["created_at"], minutes=-30)
    assert await ids(client, "/v1/documents/", created_after=half_an_hour) == [first["id"], second["id"]]
    assert await ids(client, "/v1/documents/", created_before=half_an_hour) == []


async def test_updated_after_is_inclusive_and_in_the_order_of_change(
    client: httpx.AsyncClient, worker: HandWorker
) -> None:
    first, second = await queued(client), await queued(client)
    await worker.fail(await worker.claim())
    changed = await results(client, "/v1/jobs/", updated_after=second["modified_at"])
    assert [job["id"] for job in changed] == [second["id"], first["id"]]
    later = shift(second["modified_at"], microseconds=1)
    assert await ids(client, "/v1/jobs/", updated_after=later) == [first["id"]]


async def test_jobs_that_changed_since_are_held_to_when_they_were_created(
    client: httpx.AsyncClient, worker: HandWorker
) -> None:
    jobs = [await queued(client) for _ in range(4)]
    await worker.fail(await worker.claim())
    moments = [job["created_at"] for job in jobs]
    everything = await results(client, "/v1/jobs/")
    for since in (*moments, shift(moments[-1], microseconds=1)):
        for created in moments:
            changed = {job["id"]: job["created_at"] for job in everything if job["modified_at"] >= since}
            later = sorted(number for number, moment in changed.items() if moment >= created)
            earlier = sorted(number for number, moment in changed.items() if moment <= created)
            assert await ids(client, "/v1/jobs/", updated_after=since, created_after=created) == later
            assert await ids(client, "/v1/jobs/", updated_after=since, created_before=created) == earlier
            one = await ids(client, "/v1/jobs/", updated_after=since, created_after=created, created_before=created)
            assert one == sorted({*later} & {*earlier})


SPELLINGS = (
    "2026-01-23",
    "2026-01-23T00:00:00",
    "2026-01-23T00:00:00Z",
    "2026-01-23 00:00",
    "2026-01-23 00:00:00",
    "2026-01-23T01:00:00+01:00",
    "2026-01-23T01:00:00 01:00",
    "2026-01-23T01:00:00.000000 0100",
    "2026-01-23 01:00:00 01:00",
    "2026-01-22T19:00:00-05:00",
    "20260123T000000Z",
)


async def test_times_are_understood_in_many_spellings(client: httpx.AsyncClient) -> None:
    job = await queued(client)
    for spelling in SPELLINGS:
        assert await ids(client, "/v1/jobs/", created_after=spelling) == [job["id"]], spelling


BAD: list[tuple[str, dict[str, str]]] = [
    *(("/v1/jobs/", {"created_after": text}) for text in ("now", "2026-13-01", "12:00", "1700000000")),
    ("/v1/jobs/", {"created_after": "0001-01-01T00:00+01:00"}),
    ("/v1/jobs/", {"updated_after": "9999-12-31T23:59:59-01:00"}),
    ("/v1/jobs/", {"status": "DONE"}),
    ("/v1/jobs/", {"status": "FAILED,"}),
    ("/v1/jobs/", {"status": "failed"}),
    ("/v1/jobs/", {"stage": "QUEUED"}),
    ("/v1/jobs/", {"profile": "a b"}),
    ("/v1/jobs/", {"profile": "\x00"}),
    ("/v1/jobs/", {"document_id": "x"}),
    ("/v1/jobs/", {"external_uuid": "12"}),
    ("/v1/jobs/", {"colour": "red"}),
    ("/v1/jobs/", {"job_id": "1"}),
    ("/v1/documents/", {"status": "SUCCEEDED"}),
    ("/v1/documents/", {"sha256": "abc"}),
    ("/v1/documents/", {"updated_after": "2026-01-01"}),
    ("/v1/artifacts/", {"job_id": "-1"}),
    ("/v1/artifacts/", {"kind": ","}),
    ("/v1/profiles/", {"name": "x"}),
    ("/v1/exporters/", {"kind": "text"}),
    *(("/v1/jobs/1/", {"wait": text}) for text in ("0", "31", "1.5", "true", "-1")),
    ("/v1/jobs/1/", {"waiting": "1"}),
]  # fmt: skip


async def test_bad_filter_is_named(client: httpx.AsyncClient) -> None:
    for url, params in BAD:
        problem = assert_problem(await client.get(url, params=params), 400, "INVALID_FILTER")
        assert pointers(problem) == [f"/{name}" for name in params]


@pytest.mark.parametrize("name", ["status", "created_after", "page_size", "cursor", "document_id"])
async def test_empty_parameter_is_a_bad_one(client: httpx.AsyncClient, name: str) -> None:
    problem = assert_problem(await client.get("/v1/jobs/", params={name: ""}), 400, "INVALID_FILTER")
    assert pointers(problem) == [f"/{name}"]


async def test_every_bad_parameter_is_named_and_a_repeated_one_too(client: httpx.AsyncClient) -> None:
    query = "status=x&stage=y&page_size=0&profile=a&profile=b"
    problem = assert_problem(await client.get(f"/v1/jobs/?{query}"), 400, "INVALID_FILTER")
    assert pointers(problem) == ["/page_size", "/profile", "/stage", "/status"]


async def test_naive_time_is_utc(client: httpx.AsyncClient) -> None:
    job = await queued(client)
    created = datetime.fromisoformat(job["created_at"]).astimezone(UTC).replace(tzinfo=None)
    url = "/v1/jobs/"
    assert await ids(client, url, created_after=created.isoformat(), created_before=created.isoformat()) == [job["id"]]
    assert await ids(client, url, created_after=created.date().isoformat()) == [job["id"]]
    assert await ids(client, url, created_before=created.date().isoformat()) == []
