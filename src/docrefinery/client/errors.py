"""Everything that a client can meet, as one tree below :class:`ClientError`."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from docrefinery.client.resources import Job


class ClientError(Exception):
    """Base of all errors of the client."""


class ConfigurationError(ClientError):
    """The client was not told where the service is, or has no usable key."""


class Unreachable(ClientError):
    """The service could not be reached, or the connection broke; ``sent`` says whether it may have got the request."""

    def __init__(self, message: str, *, sent: bool, lasting: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.lasting = lasting


class Damaged(ClientError):
    """What arrived is not what was sent: its SHA-256 is another. Nothing was written."""


class FileChanged(ClientError):
    """The file became another while it was being sent."""


class WaitTimeout(ClientError):
    """The job was not finished in time; ``job`` is how far it was. It goes on at the service."""

    def __init__(self, job: Job, seconds: float) -> None:
        super().__init__(f"Job {job.id} is not finished after {seconds:g} s: {job.status}, {job.stage}.")
        self.job = job


class JobFailed(ClientError):
    """The job ended without results; ``job`` says why in ``error_code`` and ``error_message``."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"Job {job.id} ended as {job.status}: {job.error_code} {job.error_message}".rstrip(": "))
        self.job = job


class MissingArtifacts(ClientError):
    """Kinds of artifacts that were asked for do not come of the job.

    :ivar kinds: those that are missing.
    :ivar available: those there are.
    """

    def __init__(self, kinds: Iterable[str], available: Iterable[str]) -> None:
        self.kinds = sorted(kinds)
        self.available = sorted(available)
        there = ", ".join(self.available) or "none"
        super().__init__(f"There are no artifacts of the kind {', '.join(self.kinds)}; there are: {there}.")


class FieldProblem(Struct, frozen=True):
    """One invalid field of a request: a JSON pointer, and what is wrong with it."""

    pointer: str = ""
    detail: str = ""


class Existing(Struct, frozen=True):
    """The document that has the same bytes, and its latest job."""

    document_id: int
    uuid: UUID
    job_id: int | None = None


class Problem(Struct, frozen=True, kw_only=True):
    """The body of an error (RFC 9457)."""

    status: int = 0
    title: str = ""
    detail: str = ""
    error_code: str = ""
    request_id: str = ""
    errors: list[FieldProblem] = []
    existing: Existing | None = None


class ApiError(ClientError):
    """The service refused a request.

    :ivar status: the HTTP status.
    :ivar error_code: the stable code, as in ``docs/errors.md``; empty if something before the service answered.
    :ivar detail: a sentence for people.
    :ivar request_id: what to look for in the service's log.
    :ivar retry_after: seconds after which to ask again, if the service said so.
    :ivar problem: all that was said, the invalid fields included.
    """

    def __init__(self, status: int, problem: Problem, retry_after: float | None = None) -> None:
        told = [problem.detail or problem.title, *(f"{each.pointer}: {each.detail}" for each in problem.errors)]
        super().__init__(f"{status} {problem.error_code}: {'; '.join(told)}")
        self.status = status
        self.problem = problem
        self.error_code = problem.error_code
        self.detail = problem.detail
        self.request_id = problem.request_id
        self.retry_after = retry_after


class InvalidRequest(ApiError):
    """400, 413, 415, 422 and the like: the same request would be refused again."""


class NotAuthorized(ApiError):
    """401 or 403: the key is not accepted, or may not do this."""


class NotFound(ApiError):
    """404: there is no such object, or it is another tenant's."""


class Expired(ApiError):
    """410: it was there, and has been removed after the time that it is kept."""


class Conflict(ApiError):
    """409: the object's state does not allow this."""


class DuplicateDocument(Conflict):
    """409: the same bytes are there already; ``existing`` names the document and its latest job."""

    existing: Existing


class Busy(ApiError):
    """429 or 503: too many requests, a full quota, or a service that has too much to do."""


class ServiceFailed(ApiError):
    """500 and the like: a defect of the service, or of what is before it."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: NotAuthorized,
    403: NotAuthorized,
    404: NotFound,
    409: Conflict,
    410: Expired,
    429: Busy,
    503: Busy,
}


def api_error(status: int, body: bytes, retry_after: float | None, request_id: str = "") -> ApiError:
    """Return the error that an answer means.

    :param request_id: from the answer's headers, for answers whose body is no problem.
    """
    problem = _problem(status, body, request_id)
    if problem.existing is not None and problem.error_code == "DUPLICATE_DOCUMENT":
        duplicate = DuplicateDocument(status, problem, retry_after)
        duplicate.existing = problem.existing
        return duplicate
    kind = _BY_STATUS.get(status) or (ServiceFailed if status >= 500 else InvalidRequest)
    return kind(status, problem, retry_after)


def _problem(status: int, body: bytes, request_id: str) -> Problem:
    try:
        given: Any = msgspec.json.decode(body)
        problem = msgspec.convert(given, Problem)
        if problem.error_code:
            return problem
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    detail = f"The answer is not the service's own but begins with {body[:80]!r}." if body else "The answer is empty."
    return Problem(status=status, detail=detail, request_id=request_id)
