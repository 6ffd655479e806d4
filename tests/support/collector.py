"""A collector of traces: takes OTLP over HTTP, as a real one does, and keeps what it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.support.receivers import Server, receiving

Value = str | int | float | bool


class Span(Struct, frozen=True):
    """A span as it came."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Value]
    failure: str | None
    start: int
    end: int


class Collector:
    """What was sent to it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def url(self) -> str:
        """What ``OTEL_EXPORTER_OTLP_ENDPOINT`` says."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def spans(self) -> list[Span]:
        """Every span so far, in the order of their beginnings."""
        found = []
        for received in list(self.server.received):
            assert received.path == "/v1/traces"
            for batch in ExportTraceServiceRequest.FromString(received.body).resource_spans:
                resource = {attribute.key: _value(attribute.value) for attribute in batch.resource.attributes}
                spans = [span for scope in batch.scope_spans for span in scope.spans]
                found += [_span(str(resource["service.name"]), span) for span in spans]
        return sorted(found, key=lambda span: span.start)

    def of_trace(self, trace: str) -> list[Span]:
        """Return the spans of one trace."""
        return [span for span in self.spans if span.trace == trace]


def _span(service: str, span: trace_pb2.Span) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        attributes={attribute.key: _value(attribute.value) for attribute in span.attributes},
        failure=span.status.message if span.status.code == trace_pb2.Status.STATUS_CODE_ERROR else None,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
    )


def _value(value: AnyValue) -> Value:
    found: Value = getattr(value, str(value.WhichOneof("value")))
    return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector."""
    with receiving() as server:
        yield Collector(server)
