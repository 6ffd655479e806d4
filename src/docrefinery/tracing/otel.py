"""Traces through OpenTelemetry's SDK; the one module that imports it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from uuid import uuid4

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import docrefinery
from docrefinery.tracing import Attributes, Kind

log = structlog.get_logger(__name__)

_KINDS = {
    "server": SpanKind.SERVER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
    "internal": SpanKind.INTERNAL,
}
_propagator = TraceContextTextMapPropagator()


class Quiet(SpanExporter):
    """Says once that spans do not arrive, and once that they do again; the SDK would say it for each batch and try."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; those that nobody takes are lost."""
        result = self._exporter.export(spans)
        away = result is not SpanExportResult.SUCCESS
        if away and not self._away:
            log.warning("traces_not_exported", hint="the collector does not take them; the service goes on without")
        elif self._away and not away:
            log.info("traces_exported_again")
        self._away = away
        return result

    def shutdown(self) -> None:
        """End an attempt that waits for its next try."""
        self._exporter.shutdown()


class OpenTelemetry:
    """Makes spans; sampler, limits of queue and batch, and what the exporter needs come from the environment."""

    def __init__(self, exporter: SpanExporter, resource: Mapping[str, str]) -> None:
        # The SDK complains of each span that finds its queue full.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        provider = TracerProvider(resource=Resource.create(dict(resource)), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(Quiet(exporter)))
        self._provider = provider
        self._tracer = provider.get_tracer("docrefinery", docrefinery.__version__)

    @classmethod
    def exporting(cls, environ: Mapping[str, str], process: str) -> "OpenTelemetry":
        """Send spans to the collector that the environment names."""
        resource = {"service.version": docrefinery.__version__, "service.instance.id": str(uuid4())}
        named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
        return cls(OTLPSpanExporter(), resource if named else resource | {"service.name": f"docrefinery-{process}"})

    @contextmanager
    def span(self, name: str, kind: Kind, parent: str, attributes: Attributes) -> Iterator[None]:
        """Trace the block; of what it raises, the name is told and not the text, which may quote a document."""
        context = _propagator.extract({"traceparent": parent}, context=Context())
        with self._tracer.start_as_current_span(
            name, context, _KINDS[kind], attributes, record_exception=False, set_status_on_exception=False
        ):
            try:
                yield
            except Exception as error:
                self.fail(type(error).__name__)
                raise

    def past(self, name: str, start_ns: int, end_ns: int, failure: str) -> None:
        """Add a child that is over."""
        child = self._tracer.start_span(name, start_time=start_ns)
        if failure:
            _fail(child, failure)
        child.end(end_ns)

    def tell(self, attributes: Attributes, name: str) -> None:
        """Add attributes."""
        at_hand = trace.get_current_span()
        at_hand.set_attributes(attributes)
        if name:
            at_hand.update_name(name)

    def fail(self, reason: str) -> None:
        """Mark the span at hand."""
        _fail(trace.get_current_span(), reason)

    def ids(self) -> tuple[str, str, str]:
        """Return the ids of the span at hand."""
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return "", "", ""
        trace_id, span_id = f"{context.trace_id:032x}", f"{context.span_id:016x}"
        return f"00-{trace_id}-{span_id}-{context.trace_flags & 1:02x}", trace_id, span_id

    def stop(self, seconds: float) -> None:
        """Send what is left; a collector that is away holds nobody up for longer."""
        # Its own limit cannot be set, and is half a minute.
        ending = Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(seconds)


def _fail(span: trace.Span, reason: str) -> None:
    span.set_attribute("error.type", reason)
    span.set_status(Status(StatusCode.ERROR, reason))
