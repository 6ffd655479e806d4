"""Statuses, stages, allowed transitions and value types: pure data, shared by every layer."""

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct


class JobStatus(StrEnum):
    """Where a job is in its life."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    QUARANTINED = "QUARANTINED"

    @property
    def terminal(self) -> bool:
        """Whether nothing more happens to the job unless somebody retries it."""
        return self not in ACTIVE


class Stage(StrEnum):
    """What is being done to a job."""

    SCANNING = "SCANNING"
    CONVERTING = "CONVERTING"
    EXPORTING = "EXPORTING"
    CHUNKING = "CHUNKING"
    FINALIZING = "FINALIZING"


class DocumentStatus(StrEnum):
    """What is known of a document from its jobs."""

    UPLOADED = "UPLOADED"
    PROCESSING = "PROCESSING"
    READY = "READY"
    FAILED = "FAILED"
    QUARANTINED = "QUARANTINED"


class Scope(StrEnum):
    """What an API key may do."""

    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    ARTIFACTS_READ = "artifacts:read"
    JOBS_READ = "jobs:read"
    DASHBOARD_READ = "dashboard:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


ACTIVE = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})
RETRYABLE = frozenset({JobStatus.FAILED, JobStatus.QUARANTINED})

# The database holds every change to these.
TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.CANCELED}),
    JobStatus.RUNNING: frozenset(
        {JobStatus.QUEUED, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED, JobStatus.QUARANTINED}
    ),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED}),
    JobStatus.QUARANTINED: frozenset({JobStatus.QUEUED}),
    JobStatus.SUCCEEDED: frozenset(),
    JobStatus.CANCELED: frozenset(),
}

FAST: Final = "fast"
"""Jobs whose text is in the file: tens of milliseconds a page."""
OCR: Final = "ocr"
"""Jobs whose pages may have to be recognised: seconds a page."""
MODEL: Final = "model"
"""Jobs that want Docling's models: only workers that hold them look here."""
WEBHOOKS: Final = "webhooks"
"""Deliveries of webhooks."""
MAINTENANCE: Final = "maintenance"
"""What somebody has to look after; nobody rings for it."""
QUEUE: Final = "convert"
"""Where the version before puts jobs that any worker takes."""
MODELS: Final = "models"
"""Where the version before puts jobs that want Docling's models."""
CLASS_OF = {FAST: FAST, OCR: OCR, MODEL: MODEL, QUEUE: OCR, MODELS: MODEL}
"""What a worker has to take that is to take the jobs of a queue: what they cost at the most."""
JOB_QUEUES = tuple(CLASS_OF)


def takes(classes: Collection[str], queue: str) -> bool:
    """Return whether a worker takes the jobs of a queue, or one of the version before, which names it."""
    return CLASS_OF[queue] in classes or queue in classes


DEFAULT_EXPORTS = ("markdown", "text", "doctags")
ALWAYS_EXPORTED = "docling_json"

PAGES_TOGETHER: Final = 8
"""Pages that are never parted when a document is read in several places: what is learned of one helps with the next."""

MAGIC: Final = b"%PDF-"
"""What a PDF begins with."""
MAGIC_WITHIN: Final = 1024
"""Bytes within which it stands."""
LONGEST_LANGUAGE = 64
MOST_PICTURES = 1000
"""Pictures that are described in one document; what comes after is not."""
Count = Annotated[int, Meta(ge=0, le=2**53)]
PageNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class JobWarning(Struct, frozen=True):
    """Something the user should know about a job that did not fail because of it."""

    code: str
    message: str


class ConversionOptions(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What may be asked of a conversion, in the guide's and Docling's names; ``None`` is "not said".

    ``max_num_pages`` and ``max_file_size`` (bytes): 0 is no limit. ``page_range`` is first and last page, 1-based and
    inclusive. ``images_scale`` is pixels per PDF point (1 is 72 dpi). ``document_timeout`` is in seconds.
    """

    max_num_pages: Count | None = None
    max_file_size: Count | None = None
    exports: list[str] | None = None
    ocr: bool | None = None
    ocr_languages: list[Annotated[str, Meta(min_length=1, max_length=LONGEST_LANGUAGE)]] | None = None
    page_range: tuple[PageNumber, PageNumber] | None = None
    do_table_structure: bool | None = None
    images_scale: Annotated[float, Meta(ge=0.5, le=4)] | None = None
    document_timeout: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    fail_on_partial: bool | None = None


class DeliveryStatus(StrEnum):
    """Where a webhook delivery is in its life."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


JOB_UPDATED: Final = "job.updated"
"""The event that is told of every change of a job's status or stage."""
PING = "ping"
"""The event that is sent when somebody asks for it."""
