"""Traces, where the operator has them sent somewhere; nothing is loaded and next to nothing done where not.

The usual ``OTEL_*`` variables switch them on and steer them (docs/tracing.md). What a trace must not tell: file names,
texts, keys, and addresses of webhooks.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal, Protocol

import structlog

log = structlog.get_logger(__name__)

STOP_SECONDS = 2.0
"""How long a process that ends waits for what is not sent yet."""
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"

Kind = Literal["server", "consumer", "client", "internal"]
Attributes = Mapping[str, str | int | float | bool]


class Tracer(Protocol):
    """What makes spans."""

    def span(self, name: str, kind: Kind, parent: str, attributes: Attributes) -> AbstractContextManager[None]:
        """Make a span the one at hand for the block; ``parent`` is a ``traceparent``, or empty for a new trace."""

    def past(self, name: str, start_ns: int, end_ns: int, failure: str) -> None:
        """Add a child to the span at hand that is over; ``failure`` is empty where all went well."""

    def tell(self, attributes: Attributes, name: str) -> None:
        """Add attributes to the span at hand, and call it by another name if one is given."""

    def fail(self, reason: str) -> None:
        """Mark the span at hand as failed; the reason is a code or the name of an exception."""

    def ids(self) -> tuple[str, str, str]:
        """Return the ``traceparent`` of the span at hand, and the trace's and the span's ids in it."""

    def stop(self, seconds: float) -> None:
        """Send what is left, for so long at the most."""


_tracer: Tracer | None = None


def start(environ: Mapping[str, str], process: str) -> None:
    """Begin to trace if the environment asks for it; what keeps it from that is logged in one line.

    :param process: what the process is: ``api`` or ``worker``.
    """
    if not _wanted(environ):
        return
    if problem := _problem(environ):
        log.warning("traces_off", reason=problem)
        return
    try:
        from docrefinery.tracing.otel import OpenTelemetry  # noqa: PLC0415 - loaded where it is asked for alone
    except ImportError:
        log.warning("traces_off", reason="the extra is missing: pip install 'docrefinery[otel]'")
        return
    try:
        trace_with(OpenTelemetry.exporting(environ, process))
    except ValueError as error:
        log.warning("traces_off", reason=f"an OTEL_* variable cannot be used: {error}")


def trace_with(tracer: Tracer | None) -> None:
    """Trace with this from now on, or with nothing."""
    global _tracer  # noqa: PLW0603 - as with logging, one for the process: what is traced need not be handed it
    _tracer = tracer


def stop() -> None:
    """Send what is left and trace no more."""
    if _tracer is not None:
        _tracer.stop(STOP_SECONDS)
        trace_with(None)


def on() -> bool:
    """Return whether this process traces."""
    return _tracer is not None


def span(
    name: str, *, kind: Kind = "internal", parent: str = "", attributes: Attributes | None = None
) -> AbstractContextManager[None]:
    """Trace the block as a span, a child of ``parent``: a W3C ``traceparent``, or empty for a new trace."""
    return nullcontext() if _tracer is None else _tracer.span(name, kind, parent, attributes or {})


@contextmanager
def step(name: str) -> Iterator[None]:
    """Trace the block as a child of the span at hand, which stays at hand."""
    if _tracer is None:
        yield
        return
    start_ns, failure = now_ns(), ""
    try:
        yield
    except Exception as error:
        failure = type(error).__name__
        raise
    finally:
        _tracer.past(name, start_ns, now_ns(), failure)


def now_ns() -> int:
    """Return the time as spans have it, in nanoseconds since 1970."""
    return time.time_ns()


def past(name: str, start_ns: int, end_ns: int, failure: str = "") -> None:
    """Add a step that is over, with times in nanoseconds since 1970."""
    if _tracer is not None:
        _tracer.past(name, start_ns, end_ns, failure)


def tell(attributes: Attributes, *, name: str = "") -> None:
    """Add attributes to the span at hand."""
    if _tracer is not None:
        _tracer.tell(attributes, name)


def fail(reason: str) -> None:
    """Mark the span at hand as failed."""
    if _tracer is not None:
        _tracer.fail(reason)


def traceparent() -> str:
    """Return the W3C ``traceparent`` of the span at hand; empty where there is none."""
    return "" if _tracer is None else _tracer.ids()[0]


def ids() -> dict[str, str]:
    """Return what log lines say of the span at hand."""
    if _tracer is None:
        return {}
    _, trace_id, span_id = _tracer.ids()
    return {"trace_id": trace_id, "span_id": span_id} if trace_id else {}


def _wanted(environ: Mapping[str, str]) -> bool:
    switched_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    none = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    return any(environ.get(name, "").strip() for name in ENDPOINTS) and not switched_off and not none


def _problem(environ: Mapping[str, str]) -> str:
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if exporter != "otlp":
        return f"OTEL_TRACES_EXPORTER={exporter}: otlp is the one that there is"
    protocol = next((found for name in _PROTOCOLS if (found := environ.get(name, "").strip())), _HTTP)
    return "" if protocol == _HTTP else f"the OTLP protocol {protocol} is asked for: {_HTTP} is the one that there is"
