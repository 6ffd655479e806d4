"""Every failure that a caller, an operator or a job can meet, as one tree.

A class is one stable ``error_code``. Its docstring is what ``docs/errors.md`` says about it. What HTTP status a code
has is the API's business (``api/problems.py``); the worker stores the same codes in the job.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import ClassVar, Self
from uuid import UUID

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One invalid field of a request.

    ``pointer`` is a JSON pointer (RFC 6901) into the request, ``detail`` says what is wrong with it.
    """

    pointer: str
    detail: str


class RefineryError(Exception):
    """Base of every error that has a code; ``retry_after`` is the seconds after which to ask again, if that helps.

    ``pointer`` is the field that an error without ``errors`` is about, for where it is named beside others.
    """

    error_code: ClassVar[str] = ""
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        details: Mapping[str, object] | None = None,
        errors: Sequence[FieldError] = (),
        pointer: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.retry_after = retry_after
        self.message = message
        self.details = dict(details or {})
        self.errors = tuple(errors)

    def join(self, *others: "RefineryError") -> Self:
        """Take on the fields that other errors name, each once; code and message stay, as they do without others."""
        if others:
            named: dict[str, FieldError] = {}
            for field in chain(self._fields(), *(error._fields() for error in others)):
                named.setdefault(field.pointer, field)
            self.errors = tuple(named.values())
        return self

    def _fields(self) -> Sequence[FieldError]:
        return self.errors or ([FieldError(self.pointer, self.message)] if self.pointer else ())


class BrokenOff(Exception):
    """An answer that had begun is cut off, since its rest cannot be read; the log has why."""


class RequestError(RefineryError):
    """Base of what is answered to an HTTP caller."""


class JobError(RefineryError):
    """Base of what ends a job."""


class InvalidRequest(RequestError):
    """The request is malformed: a missing or unknown field, a wrong type, broken multipart or JSON."""

    error_code = "INVALID_REQUEST"


class InvalidOptions(RequestError):
    """`options_json` is not a JSON object, or a known key in it has a wrong value; `errors` names each."""

    error_code = "INVALID_OPTIONS"


class UnknownProfile(RequestError):
    """No profile has this name; `GET /v1/profiles/` lists those that exist."""

    error_code = "UNKNOWN_PROFILE"


class InvalidFilter(RequestError):
    """A query parameter is unknown or its value cannot be read."""

    error_code = "INVALID_FILTER"


class InvalidWebhookUrl(RequestError):
    """The webhook's `url` is malformed, cannot be resolved, or leads to an address that is not public."""

    error_code = "INVALID_WEBHOOK_URL"


class Unauthenticated(RequestError):
    """The API key is missing, malformed, unknown, expired or revoked."""

    error_code = "UNAUTHENTICATED"


class InsufficientScope(RequestError):
    """The API key is valid but lacks the scope that the endpoint needs."""

    error_code = "INSUFFICIENT_SCOPE"


class ProfileDisabled(RequestError):
    """The operator has switched this profile off for the tenant; `GET /v1/profiles/` says which are `enabled`."""

    error_code = "PROFILE_DISABLED"


class InternalTokenRequired(RequestError):
    """A health or metrics endpoint was asked without the installation's internal token."""

    error_code = "INTERNAL_TOKEN_REQUIRED"


class NotFound(RequestError):
    """The object does not exist, or belongs to another tenant."""

    error_code = "NOT_FOUND"

    def __init__(self, message: str, *, kind: str = "", ref: int | UUID = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.ref = ref


class MethodNotAllowed(RequestError):
    """The path exists but does not answer this HTTP method."""

    error_code = "METHOD_NOT_ALLOWED"


class DuplicateDocument(RequestError):
    """The tenant already has a document of exactly these bytes; `existing` names it and its latest job."""

    error_code = "DUPLICATE_DOCUMENT"


class InvalidJobState(RequestError):
    """The job's status does not allow this (only a failed job is retried, say), or its document's file has expired."""

    error_code = "INVALID_JOB_STATE"


class DocumentQuarantined(RequestError):
    """The document was found to be malware: its file is not served and it is not converted."""

    error_code = "DOCUMENT_QUARANTINED"


class ArtifactExpired(RequestError):
    """The artifact, or the document's file, was here and has been removed after the time that it is kept."""

    error_code = "ARTIFACT_EXPIRED"


class DocumentExpired(RequestError):
    """The document was here; its file and all its jobs have been removed after the times that they are kept."""

    error_code = "DOCUMENT_EXPIRED"


class JobExpired(RequestError):
    """The job was here and has been removed, with its artifacts, after the time that it is kept."""

    error_code = "JOB_EXPIRED"


class IdempotencyInProgress(RequestError):
    """A request with the same `Idempotency-Key` is still being worked on."""

    error_code = "IDEMPOTENCY_IN_PROGRESS"
    retryable = True


class IdempotencyKeyReused(RequestError):
    """The `Idempotency-Key` was used before for a different request."""

    error_code = "IDEMPOTENCY_KEY_REUSED"


class UnsupportedMediaType(RequestError):
    """The upload is not a PDF, by its content or by its declared type."""

    error_code = "UNSUPPORTED_MEDIA_TYPE"


class RangeNotSatisfiable(RequestError):
    """The `Range` of a download lies outside the file; `Content-Range` tells its size."""

    error_code = "RANGE_NOT_SATISFIABLE"


class RateLimited(RequestError):
    """The tenant has sent more requests within a minute than it may; `Retry-After` says when to go on."""

    error_code = "RATE_LIMITED"
    retryable = True


class QuotaExceeded(RequestError):
    """The tenant would have more jobs queued, pages in flight or bytes stored than it may; `quota` says which."""

    error_code = "QUOTA_EXCEEDED"
    retryable = True


class Unavailable(RequestError):
    """The database or the storage cannot be reached at the moment, or the service has too much to do already."""

    error_code = "UNAVAILABLE"
    retryable = True


class FileTooLarge(RequestError, JobError):
    """The file is larger than the installation or the tenant (upload) or `max_file_size` (job) allows."""

    error_code = "FILE_TOO_LARGE"


class InternalError(RequestError, JobError):
    """A defect of the service; the log has the details under the request's or job's id."""

    error_code = "INTERNAL_ERROR"


class MalwareDetected(JobError):
    """The scanner recognised malware; the job and its document are quarantined."""

    error_code = "MALWARE_DETECTED"


class ScannerUnavailable(JobError):
    """The scanner could not be reached for the whole waiting time, or does not judge this file."""

    error_code = "SCANNER_UNAVAILABLE"
    retryable = True


class EncryptedPdf(JobError):
    """The PDF needs a password to be opened."""

    error_code = "ENCRYPTED_PDF"


class InvalidPdf(JobError):
    """The file cannot be read as a PDF, or has no pages."""

    error_code = "INVALID_PDF"


class PageLimitExceeded(JobError):
    """The document, or the page range asked for, has more pages than `max_num_pages` or the operator allows."""

    error_code = "PAGE_LIMIT_EXCEEDED"


class ConversionFailed(JobError):
    """Docling could not convert the document."""

    error_code = "CONVERSION_FAILED"


class ConversionTimeout(JobError):
    """The conversion took longer than `document_timeout` and was stopped."""

    error_code = "CONVERSION_TIMEOUT"
    retryable = True


class OutOfMemory(JobError):
    """The conversion needed more memory than a converter may use."""

    error_code = "OUT_OF_MEMORY"


class WorkerCrashed(JobError):
    """The converter or its worker died several times on this job."""

    error_code = "WORKER_CRASHED"
    retryable = True


class ExportFailed(JobError):
    """An exporter raised; the message names it."""

    error_code = "EXPORT_FAILED"


class ModelsUnavailable(JobError):
    """The job would want Docling's models, which are not installed, and `DOCREFINERY_ENGINE` allows nothing else."""

    error_code = "MODELS_UNAVAILABLE"


class OcrLanguageUnavailable(JobError):
    """The worker that took the job lacks an OCR language that another one promised."""

    error_code = "OCR_LANGUAGE_UNAVAILABLE"
    retryable = True


class StorageError(JobError):
    """The storage could not be read or written."""

    error_code = "STORAGE_ERROR"
    retryable = True
