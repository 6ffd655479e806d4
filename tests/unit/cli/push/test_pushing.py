"""A push to a made-up service that has too much to do, and files that change on their way."""

import asyncio
import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from docrefinery.cli.push.folders import Folders
from docrefinery.cli.push.inputs import collect
from docrefinery.cli.push.outcomes import Outcome, Summary
from docrefinery.cli.push.pushing import Pushing, Wanted
from docrefinery.cli.push.showing import Lines
from docrefinery.client import AsyncClient, Patience, Plan
from tests.support.clients import KEY

AT = "2027-01-01T00:00:00Z"
UUID = "00000000-0000-0000-0000-000000000001"


def as_usual(_: tuple[str, str]) -> None:
    """Answer as usual."""


class Service:
    """Takes uploads; refuses each request once with what it is given, by its method and path."""

    def __init__(
        self, *refusals: httpx.Response, before: Callable[[tuple[str, str]], httpx.Response | None] = as_usual
    ) -> None:
        self.refusals = list(refusals)
        self.before = before
        self.documents: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.refused: set[tuple[str, str]] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        route = (request.method, request.url.path)
        if self.refusals and route not in self.refused:
            self.refused.add(route)
            return self.refusals[len(self.refused) % len(self.refusals)]
        return self.before(route) or self.answer(request, *route)

    def answer(self, request: httpx.Request, method: str, path: str) -> httpx.Response:
        match (method, path):
            case ("POST", "/v1/documents/"):
                return self.upload(request.content)
            case ("DELETE", _):
                self.deleted.append(path)
                return httpx.Response(204)
            case ("GET", "/v1/jobs/"):
                jobs = [self.job(each["job_id"]) for each in self.documents]
                return httpx.Response(200, json={"results": jobs, "next": None})
            case ("GET", _) if path.startswith("/v1/jobs/"):
                return httpx.Response(200, json=self.job(int(path.split("/")[3])))
            case _:
                return httpx.Response(200, json={"results": [], "next": None})

    def upload(self, body: bytes) -> httpx.Response:
        content = body.partition(b"application/pdf\r\n\r\n")[2].rpartition(b"\r\n--")[0]
        number = len(self.documents) + 1
        document = {"id": number, "uuid": UUID, "original_filename": "a.pdf", "size_bytes": 1, "status": "READY"}
        document |= {
            "sha256": hashlib.sha256(content).hexdigest(),
            "job_id": number,
            "created_at": AT,
            "modified_at": AT,
        }
        self.documents.append(document)
        return httpx.Response(201, json=document)

    @staticmethod
    def job(number: int) -> dict[str, Any]:
        told = {"id": number, "uuid": UUID, "document_id": number, "status": "SUCCEEDED", "stage": "FINALIZING"}
        return told | {"created_at": AT, "modified_at": AT}


class Kept(Lines):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def outcome(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


def pushed(service: Service, folder: Path, out: Path) -> tuple[Summary, list[Outcome], list[str]]:
    """Push a folder; return the sum, the outcomes, and why it had to wait."""
    waits: list[str] = []
    patience = Patience(busy=math.inf, told=lambda error, _: waits.append(str(getattr(error, "error_code", ""))))
    summary, show = Summary(), Kept()
    inputs, told = collect([str(folder)])

    async def run() -> None:
        transport = httpx.MockTransport(service)
        async with AsyncClient("http://r.example", api_key=KEY, patience=patience, transport=transport) as client:
            pushing = Pushing(client, Wanted(processing={}, plan=Plan()), summary, None, show)
            await pushing.run(inputs, Folders(inputs, out), told)

    asyncio.run(run())
    return summary, show.outcomes, waits


def refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error_code": code, "detail": "Later."}, headers={"Retry-After": "0"})


def test_a_service_that_has_too_much_to_do_is_waited_for_at_every_step(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.pdf").write_bytes(b"%%PDF- %d" % number)
    service = Service(refusal(429, "QUOTA_EXCEEDED"), refusal(503, "UNAVAILABLE"))
    summary, _, waits = pushed(service, source, tmp_path / "out")
    assert summary.sentence == "3 files: 3 done, 3 sent."
    assert set(waits) == {"QUOTA_EXCEEDED", "UNAVAILABLE"}
    assert len(waits) == len(service.refused) >= 4
    assert len(service.documents) == 3


def test_a_job_that_has_expired_meanwhile_fails_its_file_and_no_other(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}.pdf").write_bytes(b"%%PDF- %d" % number)
    gone = httpx.Response(410, json={"error_code": "JOB_EXPIRED", "detail": "Gone."})
    service = Service(before=lambda route: gone if route == ("GET", "/v1/jobs/1/") else None)
    service.job = lambda number: Service.job(number) | {"status": "RUNNING" if number == 1 else "SUCCEEDED"}  # type: ignore[method-assign]
    summary, outcomes, _ = pushed(service, tmp_path, tmp_path / "out")
    assert sorted(outcome.error_code for outcome in outcomes) == ["", "JOB_EXPIRED"]
    assert summary.sentence.startswith("2 files: 1 done, 1 failed")


def test_a_full_quota_that_waiting_does_not_empty_fails_the_file_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    full = httpx.Response(429, json={"error_code": "QUOTA_EXCEEDED", "detail": "Full."})
    service = Service(before=lambda route: full if route == ("POST", "/v1/documents/") else None)
    summary, [outcome], waits = pushed(service, tmp_path, tmp_path / "out")
    assert (outcome.error_code, waits) == ("QUOTA_EXCEEDED", [])
    assert summary.failures == [outcome]


def test_a_file_that_changes_after_it_was_looked_at_is_told_and_its_document_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF- first")

    def change(route: tuple[str, str]) -> None:
        if route == ("GET", "/v1/documents/"):
            path.write_bytes(b"%PDF- other")

    service = Service(before=change)
    _, [outcome], _ = pushed(service, tmp_path, tmp_path / "out")
    assert outcome.error_code == "FILE_CHANGED"
    assert service.deleted == ["/v1/documents/1/"]
