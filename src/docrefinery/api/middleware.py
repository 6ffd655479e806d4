"""What happens around every request: its id, its log line, its count, and its end if it is answered early."""

import random
import re
import time

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

from docrefinery import tracing
from docrefinery.api.early import cutting_off
from docrefinery.api.traced import traced
from docrefinery.logs import trace_ids
from docrefinery.services.audit import request_came
from docrefinery.store.wall import hold_to_nobody

log = structlog.get_logger("docrefinery.api.request")

REQUESTS = Counter("docrefinery_http_requests_total", "HTTP requests answered.", ["method", "route", "status"])
SECONDS = Histogram("docrefinery_http_request_seconds", "Time to answer an HTTP request.", ["method", "route"])
UNKNOWN = "(none)"
_REQUEST_ID = re.compile(rb"[\w.:+/=-]{1,128}", re.ASCII)


def observed(app: ASGIApp) -> ASGIApp:
    """Wrap the application: request ids in and out, one log line, one count and, where there are traces, one span."""
    inner = traced(app) if tracing.on() else app

    async def observe(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _REQUEST_ID.fullmatch(given) else _new_id()
        traceparent = headers.get(b"traceparent", b"").decode("latin-1")
        traced = trace_ids(traceparent)
        scope.setdefault("state", {})
        scope["state"]["request_id"] = request_id
        # As it came: routing strips the trailing slash.
        scope["state"]["path"] = path = scope["path"]
        scope["state"]["traceparent"] = traceparent if traced else ""
        hold_to_nobody()
        request_came(request_id, (scope.get("client") or ("", 0))[0])
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, **traced)
        started, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                more = scope["state"].get("headers", {})
                message["headers"] = [
                    *message["headers"],
                    *((name.lower().encode(), value.encode()) for name, value in more.items()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        try:
            await inner(scope, *cutting_off(headers, receive, sending))
        finally:
            _note(scope, path, status, time.perf_counter() - started)

    return observe


def _new_id() -> str:
    return f"{random.getrandbits(128):032x}"


def _note(scope: HTTPScope, path: str, status: int, seconds: float) -> None:
    # As its handler has it: what a client may write into a path is no label.
    method, route = scope["method"], scope.get("path_template") or UNKNOWN
    REQUESTS.labels(method, route, status).inc()
    # What is held until something happens says nothing of how fast an answer is.
    if not scope["state"].get("held"):
        SECONDS.labels(method, route).observe(seconds)
    # Successful reads are most of the traffic and say nothing; the path goes without its query, which may hold a token.
    level = log.debug if method in ("GET", "HEAD") and 200 <= status < 400 else log.info
    level("request", method=method, path=path, status=status, ms=round(seconds * 1000, 1))
