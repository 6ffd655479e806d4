"""Lists page by page, in both directions."""

import base64
import json
from typing import Any

import httpx
import pytest

from docrefinery.model import JobStatus
from tests.support.calls import assert_problem, pointers, queued, results, uploaded
from tests.support.work import HandWorker

NUMBERS = 5
LISTS = ("/v1/documents/", "/v1/jobs/", "/v1/artifacts/", "/v1/profiles/", "/v1/exporters/")


async def fill(client: httpx.AsyncClient, worker: HandWorker) -> None:
    """Make documents, jobs and artifacts; the jobs change in another order than they were made in."""
    jobs = [await queued(client) for _ in range(NUMBERS)]
    for _ in range(NUMBERS - 1):
        await worker.publish(await worker.claim(), {"docling_json": b"{}"})
    await client.post(f"/v1/jobs/{jobs[-1]['id']}/cancel/")
    await client.post("/v1/jobs/", json={"document_id": jobs[0]["document_id"]})


def name_of(item: dict[str, Any]) -> Any:
    return item.get("id") or item.get("name") or item["kind"]


async def walk(client: httpx.AsyncClient, url: str, direction: str) -> tuple[list[Any], str]:
    """Follow the links from a page to the end; return everything seen, page by page, and the last page's URL."""
    pages = []
    while True:
        response = await client.get(url)
        assert response.status_code == 200, response.text
        pages.append([name_of(item) for item in response.json()["results"]])
        if (following := response.json()[direction]) is None:
            return pages, url
        url = following


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("/v1/documents/", ""),
        ("/v1/documents/", "&status=READY"),
        ("/v1/jobs/", ""),
        ("/v1/jobs/", "&status=SUCCEEDED,CANCELED"),
        ("/v1/jobs/", "&updated_after=2020-01-01T00:00:00%2B02:00"),
        ("/v1/artifacts/", ""),
        ("/v1/artifacts/", "&kind=docling_json"),
        ("/v1/profiles/", ""),
        ("/v1/exporters/", ""),
    ],
)
async def test_no_row_is_lost_or_seen_twice_in_either_direction(
    client: httpx.AsyncClient, worker: HandWorker, url: str, query: str
) -> None:
    await fill(client, worker)
    whole = [name_of(item) for item in await results(client, f"{url}?page_size=200{query}")]
    assert whole
    assert len(set(whole)) == len(whole)
    for size in range(1, len(whole) + 2):
        forwards, last = await walk(client, f"{url}?page_size={size}{query}", "next")
        assert [item for page in forwards for item in page] == whole
        assert all(len(page) == size for page in forwards[:-1])
        backwards, _ = await walk(client, last, "previous")
        assert [item for page in reversed(backwards) for item in page] == whole
        assert list(reversed(backwards)) == forwards


async def test_previous_of_next_is_the_same_page(client: httpx.AsyncClient, worker: HandWorker) -> None:
    await fill(client, worker)
    first = (await client.get("/v1/jobs/?page_size=2")).json()
    second = (await client.get(first["next"])).json()
    again = (await client.get(second["previous"])).json()
    assert again["results"] == first["results"]
    assert again["next"] is not None
    assert again["previous"] is None
    assert (await client.get(again["next"])).json()["results"] == second["results"]


async def test_job_made_while_paging_shifts_nothing(client: httpx.AsyncClient) -> None:
    jobs = [(await queued(client))["id"] for _ in range(4)]
    first = (await client.get("/v1/jobs/?page_size=2")).json()
    newest = await queued(client)
    second = (await client.get(first["next"])).json()
    assert [job["id"] for job in second["results"]] == [jobs[1], jobs[0]]
    newer, _ = await walk(client, (await client.get(second["previous"])).json()["previous"], "previous")
    assert newer == [[newest["id"]]]


async def test_links_keep_the_filters_and_lead_to_the_host_that_was_asked(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        await queued(client)
    page = await client.get("/v1/jobs?page_size=1&status=QUEUED&created_after=2020-01-01T00:00:00+02:00")
    following = httpx.URL(page.json()["next"])
    assert following.copy_with(query=None) == "http://refinery.test/v1/jobs/"
    assert following.params["status"] == JobStatus.QUEUED
    assert following.params["page_size"] == "1"
    assert (await client.get(following)).status_code == 200


async def test_newest_come_first(client: httpx.AsyncClient) -> None:
    made = [(await uploaded(client))["id"] for _ in range(3)]
    assert [document["id"] for document in await results(client, "/v1/documents/")] == made[::-1]


async def test_page_holds_fifty_unless_told(client: httpx.AsyncClient) -> None:
    document = await uploaded(client)
    for _ in range(51):
        await client.post("/v1/jobs/", json={"document_id": document["id"]})
    assert len(await results(client, "/v1/jobs/")) == 50


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "%00",
        "====",
        encoded([]),
        encoded([False]),
        encoded([False, []]),
        encoded([False, [-1]]),
        encoded([False, [2**63]]),
        encoded([False, [10**30]]),
        encoded([False, ["text"]]),
        encoded([False, [1, 2]]),
        encoded([False, ["2026-01-01T00:00:00", 1]]),
        encoded([False, ["2026-01-01T00:00:00Z", 1]]),
        encoded({"back": False, "key": [1]}),
    ],
)
async def test_cursor_that_was_not_given_out_here_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    for url in LISTS:
        assert_problem(await client.get(f"{url}?cursor={cursor}"), 400, "INVALID_FILTER")


async def test_cursor_of_another_list_is_refused(client: httpx.AsyncClient, worker: HandWorker) -> None:
    await fill(client, worker)
    lists = (*LISTS, "/v1/jobs/?updated_after=2020-01-01")
    pages = [(await client.get(url, params={"page_size": "1"})).json()["next"] for url in LISTS]
    cursors = {url: httpx.URL(page).params["cursor"] for url, page in zip(LISTS, pages, strict=True)}
    for own, cursor in cursors.items():
        for url in lists:
            answer = await client.get(httpx.URL(url).copy_merge_params({"cursor": cursor}))
            if url == own:
                assert answer.status_code == 200
            else:
                problem = assert_problem(answer, 400, "INVALID_FILTER")
                assert "`cursor` belongs to another list or filter; start without it." in problem["detail"]
                assert pointers(problem) == ["/cursor"]
    # The release before did not say whose it was.
    assert (await client.get(f"/v1/jobs/?cursor={encoded([False, [10**6]])}")).status_code == 200


@pytest.mark.parametrize("size", ["0", "201", "-1", "1.5", "many", "1e2", "\uff19", "+5", " 5"])
async def test_bad_page_size_is_refused(client: httpx.AsyncClient, size: str) -> None:
    for url in LISTS:
        assert_problem(await client.get(url, params={"page_size": size}), 400, "INVALID_FILTER")


@pytest.mark.parametrize("cursor", ["%00", "WzEsMV0"])
async def test_a_refused_cursor_is_named_once_in_one_sentence(client: httpx.AsyncClient, cursor: str) -> None:
    refused = assert_problem(await client.get(f"/v1/jobs/?cursor={cursor}"), 400, "INVALID_FILTER")["detail"]
    assert refused == ("The query cannot be read: `cursor` is not one that this API gave out; start without it.")
