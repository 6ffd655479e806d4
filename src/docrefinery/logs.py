"""Structured logs: readable on a terminal, JSON for machines, one line an event, no secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from docrefinery.settings import Settings

_SECRET = re.compile(
    r"\bdr_[a-z2-7]{10}_[a-z2-7]{39}\b|(?<=token=)[^&\s\"']+|(?<=://)[^/@\s]+(?=@)"
    # Keys that webhook secrets are encrypted under, those secrets in the Standard Webhooks form, and encrypted ones.
    r"|(?<![\w-])[\w-]{43}=(?![\w=])|\bwhsec_[A-Za-z0-9+/]+=*|\bgAAAAA[\w-]{60,}=*"
    # What makes a URL of object storage good for anybody.
    r"|(?<=-Signature=)[0-9a-f]+|(?<=-Security-Token=)[^&\s\"']+|(?<=[?&]sig=)[^&\s\"']+"
)
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-[0-9a-f]{2}")


def configure(settings: Settings, process: str) -> None:
    """Set up logging for this process, the standard library's loggers included.

    :param process: what the process is, on every line: ``api``, ``worker``, ``up``.
    """
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _named(process),
    ]
    last: list[structlog.types.Processor] = (
        [structlog.processors.format_exc_info, _without_secrets, structlog.processors.JSONRenderer()]
        if as_json
        else [
            # Plain, since the pretty one shows local variables.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
            lambda _, __, line: without_secrets(str(line)),
        ]
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "uvicorn.error", "httpx", "asyncio", "dramatiq"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))


def trace_ids(traceparent: str) -> dict[str, str]:
    """Return the ids of a W3C ``traceparent`` header (Trace Context §3.2) for log lines; none if it is invalid."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or not int(match["trace"], 16) or not int(match["span"], 16):
        return {}
    return {"trace_id": match["trace"], "parent_span_id": match["span"]}


def without_secrets(text: str) -> str:
    """Return a text with keys, webhook secrets, tokens in query strings and passwords in URLs blotted out."""
    return _SECRET.sub("***", text)


def _named(process: str) -> structlog.types.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        return event

    return add


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        event[name] = _scrubbed(value)
    return event


def _scrubbed(value: Any) -> Any:
    match value:
        case str():
            return without_secrets(value)
        case dict():
            return {str(name): _scrubbed(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_scrubbed(inner) for inner in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return without_secrets(repr(value))
