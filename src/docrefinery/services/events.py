"""What is told of a job's changes: the same bytes to event streams and to webhooks."""

from datetime import datetime
from typing import Self
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from docrefinery.model import JOB_UPDATED, PING
from docrefinery.store.records import EndpointRecord, EventRecord, JobRecord

_encode = msgspec.json.Encoder().encode


class JobEvent(Struct, frozen=True, kw_only=True):
    """A change of a job's status or stage, in the guide's order, then what comes in addition."""

    event: str
    job_id: int
    job_uuid: UUID
    document_id: int
    external_uuid: UUID | None
    status: str
    stage: str
    previous_status: str
    previous_stage: str
    error_code: str
    error_message: str
    error_details: Raw | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    modified_at: datetime
    sequence: int
    attempt: int

    @classmethod
    def of(cls, job: JobRecord, event: EventRecord) -> Self:
        """Tell an event of a job."""
        return cls(
            event=JOB_UPDATED,
            job_id=job.id,
            job_uuid=job.uuid,
            document_id=job.document_id,
            external_uuid=job.external_uuid,
            created_at=job.created_at,
            **{name: getattr(event, name) for name in EventRecord.__struct_fields__},
        )

    def encode(self) -> bytes:
        """Return the event as JSON."""
        return _encode(self)


class PingEvent(Struct, frozen=True, kw_only=True):
    """A sign of life that somebody asked for."""

    event: str
    webhook_id: int
    webhook_uuid: UUID
    created_at: datetime

    @classmethod
    def of(cls, endpoint: EndpointRecord, now: datetime) -> Self:
        """Make a ping for an endpoint."""
        return cls(event=PING, webhook_id=endpoint.id, webhook_uuid=endpoint.uuid, created_at=now)

    def encode(self) -> bytes:
        """Return the event as JSON."""
        return _encode(self)
