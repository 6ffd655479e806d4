"""One trace leads from an upload through worker and converter to the webhook, retries included."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docrefinery.cli.sample import sample_pdf
from tests.support.collector import Collector, Span, collecting
from tests.support.processes import wait_until
from tests.support.receivers import Server, receiving
from tests.support.refinery import Refinery, fresh

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
BROKEN_TRACE = "5bf92f3577b34da6a3ce929d0e0e4736"
NOT_SAMPLED = "6bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def receiver() -> Iterator[Server]:
    with receiving() as server:
        yield server


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, collector: Collector, receiver: Server) -> Iterator[Refinery]:
    """An installation that sends its traces, and has a webhook."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "DOCREFINERY_WEBHOOK_ALLOW_NETS": "127.0.0.0/8",
    }
    refinery = Refinery(Path(tmp_path_factory.mktemp("traced")) / "home", settings=settings)
    try:
        refinery.start()
        asked = {"name": "traces", "url": f"{receiver.url}?token=not-to-be-told", "secret": "not-to-be-told"}
        assert refinery.client.post("/v1/webhooks/", json=asked).status_code == 201
        yield refinery
    finally:
        refinery.close()


def submitted(refinery: Refinery, content: bytes, trace: str, flags: str = "01") -> int:
    answer = refinery.client.post(
        "/v1/documents/",
        files={"file": ("secret-name.pdf", content, "application/pdf")},
        data={"ingest": "true"},
        headers={"traceparent": f"00-{trace}-{CALLER}-{flags}"},
    )
    job: int = answer.raise_for_status().json()["job_id"]
    return job


def only(spans: list[Span], name: str) -> Span:
    [found] = [span for span in spans if span.name == name]
    return found


def processes(name: str) -> bool:
    """Whether a span of this name is an attempt at a job; the rest of the name is the queue."""
    return name.startswith("process ")


def test_an_upload_is_one_trace_from_the_request_to_the_webhook(
    traced: Refinery, collector: Collector, receiver: Server
) -> None:
    job = submitted(traced, fresh(sample_pdf()), TRACE)
    assert traced.client.finished(job)["status"] == "SUCCEEDED"

    def told() -> bool:
        names = [span.name for span in collector.of_trace(TRACE)]
        ended = [received for received in receiver.received if received.event["status"] == "SUCCEEDED"]
        return bool(ended) and any(map(processes, names)) and names.count("POST") == len(receiver.received)

    wait_until(told, 20, "every span has arrived")
    spans = collector.of_trace(TRACE)
    request, [attempt] = only(spans, "POST /v1/documents"), [span for span in spans if processes(span.name)]
    assert (request.kind, request.parent, request.service) == ("SERVER", CALLER, "docrefinery-api")
    assert (attempt.kind, attempt.parent, attempt.service) == ("CONSUMER", request.id, "docrefinery-worker")
    stages = [only(spans, name) for name in ("scan", "convert", "export", "finalize")]
    assert {stage.parent for stage in stages} == {attempt.id}
    assert [stage.start for stage in stages] == sorted(stage.start for stage in stages)
    assert all(attempt.start <= stage.start <= stage.end <= attempt.end for stage in stages)
    posts = [span for span in spans if span.name == "POST"]
    assert {(post.kind, post.parent) for post in posts} == {("CLIENT", request.id)}
    assert {post.attributes["http.response.status_code"] for post in posts} == {200}
    sent_on = {received.headers["traceparent"] for received in receiver.received}
    assert sent_on == {f"00-{TRACE}-{post.id}-01" for post in posts}
    assert request.attributes["http.response.status_code"] == 201
    assert request.attributes["http.route"] == "/v1/documents"
    assert attempt.attributes["docrefinery.job.id"] == job
    assert attempt.attributes["docrefinery.job.status"] == "SUCCEEDED"
    assert attempt.attributes["docrefinery.job.pages"] == 1
    assert attempt.attributes["docrefinery.tenant.uuid"] == request.attributes["docrefinery.tenant.uuid"]
    assert 0 <= float(attempt.attributes["docrefinery.job.queued_seconds"]) < 30
    assert [span.name for span in spans if span.failure is not None] == []


def test_a_retry_is_another_span_of_the_same_trace_and_failures_say_why(traced: Refinery, collector: Collector) -> None:
    job = submitted(traced, fresh(b"%PDF-1.7\nnothing that could be read\n"), BROKEN_TRACE)
    failed = traced.client.finished(job)
    assert failed["status"] == "FAILED"
    assert traced.client.post(f"/v1/jobs/{job}/retry/").status_code == 202
    assert traced.client.finished(job)["attempt"] == 2

    def attempts() -> list[Span]:
        return [span for span in collector.of_trace(BROKEN_TRACE) if processes(span.name)]

    wait_until(lambda: len(attempts()) == 2, 20, "both attempts have arrived")
    assert [span.attributes["docrefinery.job.attempt"] for span in attempts()] == [1, 2]
    assert {span.failure for span in attempts()} == {failed["error_code"]}
    assert len({span.parent for span in attempts()}) == 1


def test_what_the_caller_does_not_sample_is_not_traced_and_no_probe_ever(
    traced: Refinery, collector: Collector
) -> None:
    job = submitted(traced, fresh(sample_pdf()), NOT_SAMPLED, flags="00")
    traced.client.finished(job)
    for probe in ("healthz", "readyz", "metrics"):
        traced.client.get(f"/{probe}").raise_for_status()
    traced.client.get("/v1/profiles/").raise_for_status()
    wait_until(lambda: "GET /v1/profiles" in [span.name for span in collector.spans], 20, "a later span has arrived")
    assert collector.of_trace(NOT_SAMPLED) == []
    assert [
        span for span in collector.spans if "z" in str(span.attributes.get("url.path", "")).rpartition("/")[2]
    ] == []


def test_nothing_that_a_trace_must_not_tell_was_sent(traced: Refinery, collector: Collector) -> None:
    sent = b"".join(received.body for received in collector.server.received)
    for secret in (b"secret-name", b"not-to-be-told", traced.key.encode(), b"/hook"):
        assert secret not in sent


def test_what_is_left_is_sent_when_the_processes_stop(traced: Refinery, collector: Collector) -> None:
    traced.client.get("/v1/exporters/").raise_for_status()
    traced.stop()
    assert "GET /v1/exporters" in [span.name for span in collector.spans]
