"""A span for each request, where there are traces: OpenTelemetry's conventions for HTTP servers."""

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from docrefinery import tracing

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked again and again by machinery; traces of them say nothing."""


def traced(app: ASGIApp) -> ASGIApp:
    """Wrap what answers requests; it finds the span to go on from in the request's state."""

    async def trace(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == ScopeType.HTTP
        path, method, state = scope["state"]["path"], scope["method"], scope["state"]
        if path.rstrip("/") in PROBES:
            await app(scope, receive, send)
            return
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        attributes = {
            "http.request.method": method,
            "url.path": path,
            "url.scheme": scope["scheme"],
            "docrefinery.request_id": state["request_id"],
        }
        with tracing.span(method, kind="server", parent=state["traceparent"], attributes=attributes):
            state["traceparent"] = tracing.traceparent()
            structlog.contextvars.bind_contextvars(**tracing.ids())
            await app(scope, receive, sending)
            tracing.tell({"http.response.status_code": status})
            if route := scope.get("path_template"):
                tracing.tell({"http.route": route}, name=f"{method} {route}")
            if status >= 500:
                tracing.fail(str(status))

    return trace
