"""What the OpenAPI document says of answers and headers that handlers' annotations cannot tell."""

from copy import copy
from http import HTTPStatus

from litestar.openapi.spec import (
    OpenAPI,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Parameter,
    Reference,
    Schema,
)
from litestar.openapi.spec.enums import OpenAPIType

_TEXT, _NUMBER = Schema(type=OpenAPIType.STRING), Schema(type=OpenAPIType.INTEGER)
PROBLEM = Schema(
    type=OpenAPIType.OBJECT,
    description="An error (RFC 9457); `errors` names every wrong field.",
    properties={
        "type": _TEXT,
        "title": _TEXT,
        "status": _NUMBER,
        "detail": _TEXT,
        "instance": _TEXT,
        "error_code": _TEXT,
        "request_id": _TEXT,
        "errors": Schema(
            type=OpenAPIType.ARRAY,
            items=Schema(type=OpenAPIType.OBJECT, properties={"pointer": _TEXT, "detail": _TEXT}),
        ),
    },
    required=["type", "title", "status", "detail", "error_code", "request_id"],
)
ALWAYS = (400, 401, 403, 429, 503)
REFUSALS: dict[tuple[str, str], tuple[int, ...]] = {
    ("post", "/v1/documents/"): (409, 413, 415, 422),
    ("get", "/v1/documents/{id}/"): (410,),
    ("delete", "/v1/documents/{id}/"): (410,),
    ("post", "/v1/jobs/"): (404, 409, 410, 422),
    ("get", "/v1/jobs/{id}/"): (410,),
    ("get", "/v1/jobs/{id}/events/"): (410,),
    ("post", "/v1/jobs/{id}/cancel/"): (409, 410),
    ("post", "/v1/jobs/{id}/retry/"): (409, 410),
    ("post", "/v1/webhooks/"): (409, 422),
    ("post", "/v1/webhooks/{id}/ping/"): (409, 422),
    ("get", "/v1/documents/{id}/file/"): (409, 410, 416),
    ("get", "/v1/artifacts/{id}/"): (410, 416),
}
# Statuses that answer like the one documented: the same content, or none.
SUCCESSES: dict[tuple[str, str], dict[int, bool]] = {
    ("post", "/v1/jobs/{id}/cancel/"): {200: True},
    ("get", "/v1/jobs/{id}/"): {304: False},
    ("get", "/v1/jobs/{id}/events/"): {204: False},
    ("get", "/v1/documents/{id}/file/"): {206: True, 304: False, 307: False},
    ("get", "/v1/artifacts/{id}/"): {206: True, 304: False, 307: False},
    ("get", "/readyz"): {503: True},
}
_RETRY_AFTER = {"Retry-After": "Seconds after which to ask again; not there where waiting does not help."}
TOLD: dict[int, dict[str, str]] = {
    429: {
        **_RETRY_AFTER,
        "RateLimit-Policy": "Requests that the tenant may send in a window of seconds, where it has a limit.",
        "RateLimit": "How many of them remain, and the seconds until there are more.",
    },
    503: _RETRY_AFTER,
}
HEADERS: dict[tuple[str, str], dict[str, str]] = {
    ("post", "/v1/documents/"): {"Idempotency-Key": "The same key and request within 24 h gives the same answer."},
    ("post", "/v1/jobs/"): {"Idempotency-Key": "The same key and request within 24 h gives the same answer."},
    ("post", "/v1/webhooks/"): {"Idempotency-Key": "The same key and request within 24 h gives the same answer."},
    ("post", "/v1/webhooks/{id}/ping/"): {
        "Idempotency-Key": "The same key and request within 24 h gives the same answer."
    },
    ("get", "/v1/jobs/{id}/"): {"If-None-Match": "A known `ETag`."},
    ("get", "/v1/jobs/{id}/events/"): {"Last-Event-ID": "Begin after this event."},
    ("get", "/v1/documents/{id}/file/"): {
        "If-None-Match": "The `ETag` of what is known already.",
        "Range": "One range.",
    },
    ("get", "/v1/artifacts/{id}/"): {"If-None-Match": "The `ETag` of what is known already.", "Range": "One range."},
    **{
        ("get", path): {"X-Internal-Token": "The installation's internal token."}
        for path in ("/healthz", "/readyz", "/metrics")
    },
}
# What a header's value looks like, where not anything will do.
PATTERNS = {"Idempotency-Key": "^[ -~]{1,255}$", "Last-Event-ID": "^[0-9]{1,9}$"}
METHODS = ("get", "head", "post", "put", "patch", "delete")


def describe(document: OpenAPI) -> None:
    """Complete a document whose paths are spelled as the guide does."""
    schemas = document.components.schemas = dict(document.components.schemas or {})
    schemas["Problem"] = PROBLEM
    for path, item in (document.paths or {}).items():
        for method in METHODS:
            operation: Operation | None = getattr(item, method)
            if operation is not None:
                _answers(operation, method, path)
                _headers(operation, method, path)
    uploaded = document.paths["/v1/documents/"].post if document.paths else None
    if uploaded is not None and uploaded.responses:
        view = OpenAPIMediaType(schema=Reference("#/components/schemas/DocumentView"))
        uploaded.responses["201"] = OpenAPIResponse("The document.", content={"application/json": view})


def _answers(operation: Operation, method: str, path: str) -> None:
    if method == "head":
        # It is answered as GET is, without the body.
        method = "get"
    responses = {status: answer for status, answer in (operation.responses or {}).items() if status != "400"}
    documented = next(answer for status, answer in responses.items() if status.startswith("2"))
    for status, alike in SUCCESSES.get((method, path), {}).items():
        answer = copy(documented) if alike and isinstance(documented, OpenAPIResponse) else OpenAPIResponse("")
        answer.description = HTTPStatus(status).phrase
        responses[str(status)] = answer
    if path == "/v1/artifacts/{id}/":
        # An artifact has the type that its exporter gave it.
        for shown in responses.values():
            if isinstance(shown, OpenAPIResponse) and shown.content:
                shown.content = {"*/*": next(iter(shown.content.values()))}
    refusals = {*ALWAYS, *REFUSALS.get((method, path), ()), *((404,) if "{id}" in path else ())}
    if not path.startswith("/v1/"):
        refusals = {403}
    problem = {"application/problem+json": OpenAPIMediaType(schema=Reference("#/components/schemas/Problem"))}
    for status in sorted(refusals):
        headers: dict[str, OpenAPIHeader | Reference] = {
            name: OpenAPIHeader(description=text, schema=_TEXT) for name, text in TOLD.get(status, {}).items()
        }
        responses[str(status)] = OpenAPIResponse(HTTPStatus(status).phrase, headers=headers or None, content=problem)
    operation.responses = dict(sorted(responses.items()))


def _headers(operation: Operation, method: str, path: str) -> None:
    known = HEADERS.get(("get" if method == "head" else method, path), {})
    operation.parameters = [
        *(operation.parameters or []),
        *(
            Parameter(name, "header", description=text, schema=Schema(type=_TEXT.type, pattern=PATTERNS.get(name)))
            for name, text in known.items()
        ),
    ]
