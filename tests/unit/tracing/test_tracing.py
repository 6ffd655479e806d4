"""Traces: off unless asked for, and no trouble while nobody takes them."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from docrefinery import tracing
from docrefinery.tracing.otel import OpenTelemetry, Quiet

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


class Away(SpanExporter):
    """A collector that takes nothing, until it does; ``hold`` keeps it from answering at all."""

    def __init__(self) -> None:
        self.result = SpanExportResult.FAILURE
        self.taken: list[str] = []
        self.answer = threading.Event()
        self.answer.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Answer."""
        self.answer.wait()
        self.taken += [span.name for span in spans]
        return self.result

    def shutdown(self) -> None:
        """End."""


@pytest.fixture
def away() -> Iterator[Away]:
    exporter = Away()
    tracing.trace_with(OpenTelemetry(exporter, {"service.name": "test"}))
    yield exporter
    exporter.answer.set()
    tracing.stop()
    tracing.trace_with(None)


def test_nothing_is_imported_while_traces_are_off() -> None:
    code = """
import sys
from docrefinery import tracing
from docrefinery.api import middleware
from docrefinery.pipeline import runner
from docrefinery.services.webhooks import courier
tracing.start({"OTEL_SERVICE_NAME": "a", "OTEL_TRACES_SAMPLER": "always_on"}, "api")
with tracing.span("a"), tracing.step("b"):
    tracing.tell({"a": 1})
print(*sorted(name for name in sys.modules if name.startswith("opentelemetry")))
# The client of Redis looks for OpenTelemetry's API by itself, to count with.
from docrefinery.bootstrap import api, worker
print(*{"docrefinery.tracing.otel", "opentelemetry.sdk.trace", "opentelemetry.exporter"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_missing_extra_is_told_in_one_line_and_keeps_nobody_from_starting() -> None:
    code = f"""
import sys
sys.modules["opentelemetry"] = None
from docrefinery import tracing
tracing.start({ENDPOINT!r}, "api")
assert not tracing.on()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    [line] = done.stdout.splitlines()
    assert "pip install 'docrefinery[otel]'" in line


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "the OTLP protocol grpc"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin"),
    ],
)
def test_what_is_asked_for_and_not_there_is_told(more: dict[str, str], reason: str) -> None:
    with capture_logs() as logged:
        tracing.start(ENDPOINT | more, "api")
    assert not tracing.on()
    assert [line["event"] for line in logged] == ["traces_off"]
    assert reason in logged[0]["reason"]


def test_a_variable_that_the_sdk_refuses_is_told_and_keeps_nothing_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")
    with capture_logs() as logged:
        tracing.start(ENDPOINT, "api")
    assert not tracing.on()
    [line] = logged
    assert (line["event"], "OTEL_* variable" in line["reason"]) == ("traces_off", True)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        ENDPOINT | {"OTEL_SDK_DISABLED": "TRUE"},
        ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_traces_are_off_unless_a_collector_is_named(environ: dict[str, str]) -> None:
    with capture_logs() as logged:
        tracing.start(environ, "worker")
    assert not tracing.on()
    assert logged == []


def test_a_collector_that_is_away_is_told_once_until_it_is_back() -> None:
    away = Away()
    quiet = Quiet(away)
    with capture_logs() as logged:
        for result in (SpanExportResult.FAILURE,) * 3 + (SpanExportResult.SUCCESS,) * 2:
            away.result = result
            quiet.export([])
    assert [line["event"] for line in logged] == ["traces_not_exported", "traces_exported_again"]


def test_spans_without_number_neither_block_nor_pile_up_while_nobody_takes_them(
    away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    away.answer.clear()
    with caplog.at_level(logging.DEBUG):
        for number in range(10_000):
            with tracing.span(f"span {number}"):
                pass
    assert [record for record in caplog.records if record.name.startswith("opentelemetry")] == []
    away.answer.set()
    tracing.stop()
    # The queue's default bound, and a batch or two that was on its way.
    assert 2048 <= len(away.taken) <= 2048 + 2 * 512


def test_a_stop_does_not_wait_for_a_collector_that_hangs(away: Away, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "STOP_SECONDS", 0.05)
    away.answer.clear()
    with tracing.span("left"):
        pass
    started = time.monotonic()
    tracing.stop()
    assert time.monotonic() - started < 25, "the SDK's own limit is half a minute"
    assert not tracing.on()


def test_a_span_goes_on_from_a_traceparent_and_hands_its_own_on(away: Away) -> None:
    away.result = SpanExportResult.SUCCESS
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert tracing.traceparent() == ""
    with tracing.span("outer", parent=parent):
        assert tracing.ids()["trace_id"] == parent[3:35]
        outer = tracing.traceparent()
        with tracing.span("inner", parent=outer), tracing.step("step"):
            assert tracing.traceparent()[3:35] == parent[3:35]
            assert tracing.traceparent() != outer
        assert tracing.traceparent() == outer
    with tracing.span("new"):
        assert tracing.ids()["trace_id"] != parent[3:35]


def test_an_exception_is_told_by_its_name_alone() -> None:
    kept: list[ReadableSpan] = []

    class Keeping(Away):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            kept.extend(spans)
            return SpanExportResult.SUCCESS

    tracing.trace_with(OpenTelemetry(Keeping(), {}))
    with pytest.raises(ValueError, match="secret"), tracing.span("outer"), tracing.step("step"):
        raise ValueError("secret")
    tracing.stop()
    assert {span.status.description for span in kept} == {"ValueError"}
    assert "secret" not in "".join(span.to_json() for span in kept)
