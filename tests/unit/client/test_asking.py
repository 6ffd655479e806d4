"""One call with its retries, step by step: no test here waits, since a flow only says that it would."""

import ssl
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from docrefinery.client import (
    ApiError,
    Busy,
    Conflict,
    NotAuthorized,
    NotFound,
    Patience,
    ServiceFailed,
    Unreachable,
    operations,
)
from docrefinery.client.asking import ask
from docrefinery.client.sources import Source
from docrefinery.client.steps import Call, Send, Sleep, built

PATIENCE = Patience(unreachable=60, busy=60)


def answer(status: int, code: str = "", **headers: str) -> httpx.Response:
    body = {"error_code": code, "status": status, "detail": "Made up.", "request_id": "r1"} if code else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers=named, request=httpx.Request("GET", "http://x/"))


OK = httpx.Response(200, json={"results": [], "next": None}, request=httpx.Request("GET", "http://x/"))


def taken(
    call: Call[Any], outcomes: Sequence[httpx.Response | Exception], patience: Patience = PATIENCE
) -> list[float]:
    """Give a call these outcomes one by one and return the pauses; fail unless all of them were asked for."""
    flow, pauses, left = ask(call, patience), [], list(outcomes)
    step = next(flow)
    try:
        while True:
            if isinstance(step, Sleep):
                pauses.append(step.seconds)
                step = flow.send(None)
            else:
                assert isinstance(step, Send)
                outcome = left.pop(0)
                step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
    except StopIteration:
        return pauses
    finally:
        assert not left, f"asked only {len(outcomes) - len(left)} times"


BUSY = answer(503, "UNAVAILABLE", retry_after="7")


@pytest.mark.parametrize(
    "refusal",
    [
        BUSY,
        answer(429, "RATE_LIMITED", retry_after="7"),
        answer(429, "QUOTA_EXCEEDED", retry_after="7"),
        answer(409, "IDEMPOTENCY_IN_PROGRESS", retry_after="7"),
    ],
)
def test_the_time_that_the_service_names_is_waited_and_hardly_longer(refusal: httpx.Response) -> None:
    pauses = taken(operations.jobs({}), [refusal, refusal, OK])
    assert all(7 <= pause <= 7 * 1.25 for pause in pauses)
    assert len(pauses) == 2


@pytest.mark.parametrize("outcome", [httpx.ConnectError("refused"), httpx.ReadError("cut"), answer(502), answer(503)])
def test_what_is_safe_is_sent_again_after_a_growing_pause(outcome: httpx.Response | Exception) -> None:
    pauses = taken(operations.jobs({}), [outcome] * 4 + [OK])
    assert len(pauses) == 4
    assert all(0 <= pause <= 15 for pause in pauses)


def test_an_upload_is_sent_again_under_the_same_key() -> None:
    call = operations.upload(Source(b"%PDF-"), {}, ingest=True)
    http = httpx.Client(base_url="http://x")
    first, second = (built(http, call).headers["idempotency-key"] for _ in range(2))
    assert first == second
    assert operations.upload(Source(b"%PDF-"), {}, ingest=True).headers["Idempotency-Key"] != first
    http.close()


@pytest.mark.parametrize("call", [operations.retry(1), operations.redeliver(1, "u")])
def test_what_is_not_safe_is_sent_again_only_if_it_has_done_nothing(call: Call[Any]) -> None:
    with pytest.raises(Unreachable):
        taken(call, [httpx.ReadError("cut")])
    with pytest.raises(ServiceFailed):
        taken(call, [answer(502)])
    with pytest.raises(Conflict):
        taken(call, [httpx.ConnectError("refused"), BUSY, answer(409, "INVALID_JOB_STATE")])


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (answer(401, "UNAUTHENTICATED"), NotAuthorized),
        (answer(409, "INVALID_JOB_STATE"), Conflict),
        (answer(429, "QUOTA_EXCEEDED"), Busy),
        (answer(500, "INTERNAL_ERROR"), ServiceFailed),
        (answer(302, location="http://elsewhere/"), ApiError),
    ],
)
def test_what_waiting_does_not_help_is_told_at_once(refusal: httpx.Response, kind: type[ApiError]) -> None:
    with pytest.raises(kind) as caught:
        taken(operations.jobs({}), [refusal])
    assert caught.value.status == refusal.status_code


def test_a_certificate_that_is_not_trusted_is_told_at_once() -> None:
    error = httpx.ConnectError("no")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    with pytest.raises(Unreachable):
        taken(operations.jobs({}), [error])


def test_patience_ends_and_the_last_refusal_is_told() -> None:
    with pytest.raises(Busy) as caught:
        taken(operations.jobs({}), [BUSY, BUSY, BUSY], Patience(busy=18))
    assert (caught.value.error_code, caught.value.retry_after, caught.value.request_id) == ("UNAVAILABLE", 7, "r1")
    with pytest.raises(Busy):
        taken(operations.jobs({}), [answer(503, "UNAVAILABLE", retry_after="3600")])


def test_whoever_waits_is_told_why_and_for_how_long() -> None:
    told: list[tuple[str, float]] = []
    patience = Patience(told=lambda error, seconds: told.append((type(error).__name__, seconds)))
    pauses = taken(operations.jobs({}), [BUSY, httpx.ConnectError("refused"), OK], patience)
    assert told == list(zip(["Busy", "Unreachable"], pauses, strict=True))


def test_a_date_after_which_to_come_back_is_understood() -> None:
    past = answer(503, "UNAVAILABLE", retry_after="Wed, 21 Oct 2015 07:28:00 GMT")
    assert taken(operations.jobs({}), [past, OK]) == []


def test_an_answer_that_is_not_the_services_own_says_so() -> None:
    page = httpx.Response(403, text="<html>proxy</html>", request=httpx.Request("GET", "http://x/"))
    with pytest.raises(NotAuthorized, match="<html>proxy") as caught:
        taken(operations.jobs({}), [page])
    assert caught.value.error_code == ""


def test_a_deletion_whose_answer_was_lost_has_been_done() -> None:
    gone = answer(404, "NOT_FOUND")
    assert len(taken(operations.delete_document(1), [httpx.ReadError("cut"), gone])) == 1
    for before in ([], [BUSY], [httpx.ConnectError("refused")]):
        with pytest.raises(NotFound):
            taken(operations.delete_document(1), [*before, gone])
