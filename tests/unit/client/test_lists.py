"""Lists are gone through lazily, over all their pages."""

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest
from hypothesis import given, strategies as st

from docrefinery.client import Client, ClientError
from tests.support.clients import KEY, KINDS, Shell

AT = datetime(2027, 1, 2, 3, 4, tzinfo=UTC)


def exporter(number: int) -> dict[str, str]:
    return {"kind": f"k{number}", "summary": "s", "content_type": "text/plain", "plugin": "p", "version": "1"}


class Pages:
    """A list of so many things, in pages of so many, whose links lead to another host."""

    def __init__(self, things: int, size: int) -> None:
        self.things, self.size = things, size
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        cursor = request.url.params.get("cursor")
        start = int(base64.b64decode(cursor)) if cursor else 0
        end = start + self.size
        link = f"http://elsewhere.example/v1/x/?page_size=9&cursor={base64.b64encode(b'%d' % end).decode()}"
        results = [exporter(number) for number in range(start, min(end, self.things))]
        return httpx.Response(
            200, json={"next": link if end < self.things else None, "previous": None, "results": results}
        )


@given(things=st.integers(0, 40), size=st.integers(1, 12), wanted=st.integers(0, 41))
def test_everything_comes_once_in_order_and_no_page_before_it_is_needed(things: int, size: int, wanted: int) -> None:
    pages = Pages(things, size)
    with Client("https://r.example/prefix", api_key=KEY, transport=httpx.MockTransport(pages)) as client:
        listed = client.exporters()
        assert not pages.asked
        taken = [each.kind for each, _ in zip(listed, range(wanted), strict=False)]
        assert taken == [f"k{number}" for number in range(min(things, wanted))]
        # zip looks one further ahead than it yields.
        assert len(pages.asked) <= (min(wanted, things) // size) + 1
        rest = [each.kind for each in listed]
        skipped = 1 if wanted < things else 0
        assert len(taken) + skipped + len(rest) == things
    assert {request.url.host for request in pages.asked} == {"r.example"}
    assert {request.url.path for request in pages.asked} == {"/prefix/v1/exporters/"}


@pytest.mark.parametrize("kind", KINDS)
async def test_both_clients_go_through_all_pages(kind: str) -> None:
    pages = Pages(7, 3)
    shell = Shell.of(kind, "https://r.example", handler=pages)
    assert [each.kind for each in await shell.all("exporters")] == [f"k{number}" for number in range(7)]
    assert len(pages.asked) == 3
    await shell.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_filters_are_written_as_the_service_reads_them(kind: str) -> None:
    pages = Pages(0, 1)
    shell = Shell.of(kind, "https://r.example", handler=pages)
    uuid = UUID(int=7)
    await shell.all(
        "jobs", status=["FAILED", "CANCELED"], document_id=uuid, updated_after=AT, page_size=200, profile="x"
    )
    await shell.all(
        "documents", created_after=AT.replace(tzinfo=None), created_before="2027-02-01", sha256=iter(["a", "b"])
    )
    jobs, documents = (parse_qs(request.url.query.decode()) for request in pages.asked)
    assert jobs == {
        "status": ["FAILED,CANCELED"],
        "document_id": [str(uuid)],
        "updated_after": ["2027-01-02T03:04:00+00:00"],
        "page_size": ["200"],
        "profile": ["x"],
    }
    assert documents == {
        "created_after": ["2027-01-02T03:04:00+00:00"],
        "created_before": ["2027-02-01"],
        "sha256": ["a,b"],
    }
    await shell.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_newer_service_adds_is_passed_over_and_what_is_no_answer_of_it_is_told(kind: str) -> None:
    newer = {"next": None, "results": [exporter(1) | {"new": {"a": 1}}], "total": 3}
    shell = Shell.of(kind, "https://r.example", handler=lambda _: httpx.Response(200, json=newer))
    assert [each.kind for each in await shell.all("exporters")] == ["k1"]
    await shell.close()
    shell = Shell.of(kind, "https://r.example", handler=lambda _: httpx.Response(200, text="<html>"))
    with pytest.raises(ClientError, match="not the service's own"):
        await shell.all("exporters")
    await shell.close()
