"""Errors as ``application/problem+json`` (RFC 9457): the one place that gives a code its HTTP status."""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.types import ExceptionHandlersMap

from docrefinery import errors
from docrefinery.errors import FieldError, RefineryError
from docrefinery.store.database import UNREACHABLE
from docrefinery.store.encryption.errors import Undecryptable

log = structlog.get_logger(__name__)

STATUS: dict[type[RefineryError], int] = {
    errors.InvalidRequest: 400,
    errors.InvalidOptions: 400,
    errors.UnknownProfile: 400,
    errors.InvalidFilter: 400,
    errors.InvalidWebhookUrl: 400,
    errors.Unauthenticated: 401,
    errors.InsufficientScope: 403,
    errors.ProfileDisabled: 403,
    errors.InternalTokenRequired: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.DuplicateDocument: 409,
    errors.InvalidJobState: 409,
    errors.DocumentQuarantined: 409,
    errors.IdempotencyInProgress: 409,
    errors.ArtifactExpired: 410,
    errors.DocumentExpired: 410,
    errors.JobExpired: 410,
    errors.FileTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.RangeNotSatisfiable: 416,
    errors.IdempotencyKeyReused: 422,
    errors.RateLimited: 429,
    errors.QuotaExceeded: 429,
    errors.InternalError: 500,
    errors.Unavailable: 503,
}
RETRY_AFTER = {errors.Unavailable: "5", errors.IdempotencyInProgress: "1"}

AnyRequest = Request[Any, Any, Any]


def title(kind: type[RefineryError]) -> str:
    """Return a code in words: ``FILE_TOO_LARGE`` is ``File too large``."""
    return kind.error_code.replace("_", " ").capitalize().replace("pdf", "PDF").replace("url", "URL")


def problem(request: AnyRequest, error: RefineryError, headers: dict[str, str] | None = None) -> Response[object]:
    """Answer with an error."""
    kind = type(error)
    status = STATUS[kind]
    body: dict[str, object] = {
        "type": f"urn:docrefinery:error:{kind.error_code}",
        "title": title(kind),
        "status": status,
        "detail": error.message,
        "instance": request.scope["state"].get("path", ""),
        "error_code": kind.error_code,
        "request_id": request.scope["state"].get("request_id", ""),
        **error.details,
    }
    if error.errors:
        body["errors"] = error.errors
    extra = dict(headers or {})
    if kind is errors.Unauthenticated:
        extra["WWW-Authenticate"] = "Api-Key"
    if isinstance(error, errors.RangeNotSatisfiable):
        extra["Content-Range"] = f"bytes */{error.details['size_bytes']}"
    if error.retry_after is not None:
        extra["Retry-After"] = str(error.retry_after)
    elif kind in RETRY_AFTER:
        extra["Retry-After"] = RETRY_AFTER[kind]
    return Response(body, status_code=status, media_type="application/problem+json", headers=extra)


def _refinery(request: AnyRequest, error: RefineryError) -> Response[object]:
    if isinstance(error, errors.StorageError):
        if not (isinstance(error, Undecryptable) and error.told):
            log.error("storage_failed", exc_info=error)
        if isinstance(error, Undecryptable):
            return problem(
                request, errors.Unavailable("The stored file cannot be decrypted; the service's log says why.")
            )
        return problem(request, errors.Unavailable("The storage cannot be reached at the moment; try again later."))
    if isinstance(error, errors.NotFound) and error.kind:
        request.app.state.services.trail.not_found(error.kind, error.ref)
    return problem(request, error)


def _http(request: AnyRequest, error: HTTPException) -> Response[object]:
    """Give Litestar's own refusals (routing, body decoding) our codes and shape."""
    match error.status_code:
        case 404:
            return problem(request, errors.NotFound(f"There is nothing at {request.scope['state']['path']}."))
        case 405:
            assert isinstance(error, MethodNotAllowedException)
            refused = errors.MethodNotAllowed(f"{request.method} is not possible at {request.scope['state']['path']}.")
            return problem(request, refused, error.headers)
        case 413:
            return problem(request, errors.FileTooLarge("The request's body is too large."))
        case status if status < 500:
            named = error.extra if isinstance(error.extra, list) else []
            fields = [
                FieldError(f"/{e.get('key', '')}", str(e.get("message", ""))) for e in named if isinstance(e, dict)
            ]
            return problem(request, errors.InvalidRequest(error.detail, errors=fields))
        case _ if "disconnected" in error.detail:
            return problem(request, errors.InvalidRequest("The request broke off."))
        case _:
            return _unexpected(request, error)


def _unreachable(request: AnyRequest, error: Exception) -> Response[object]:
    log.warning("database_unreachable", error=str(error))
    return problem(request, errors.Unavailable("The database cannot be reached at the moment; try again later."))


def _unexpected(request: AnyRequest, error: Exception) -> Response[object]:
    log.error("request_failed", exc_info=error)
    return problem(
        request, errors.InternalError("The service failed on this request; its log says why, under the request's id.")
    )


HANDLERS: ExceptionHandlersMap = {
    RefineryError: _refinery,
    HTTPException: _http,
    **dict.fromkeys(UNREACHABLE, _unreachable),
    Exception: _unexpected,
}
