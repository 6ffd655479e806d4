"""``/v1/jobs/``."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from litestar import Controller, MediaType, Response, get, post
from litestar.response import ServerSentEvent, ServerSentEventMessage

from docrefinery.api import asking, bodies, query
from docrefinery.api.auth import SECURITY, needs
from docrefinery.api.deps import ApiRequest, PathRef, idempotency_key, origin
from docrefinery.api.downloads import matches
from docrefinery.api.listing import listing
from docrefinery.api.views import JobRequest, JobView, Listing, encode
from docrefinery.errors import InvalidRequest
from docrefinery.model import JOB_UPDATED, JobStatus, Scope, Stage
from docrefinery.services.events import JobEvent
from docrefinery.services.planning import Wanted
from docrefinery.store.jobs import JobFilters
from docrefinery.store.records import JobRecord, ref_of

FILTERS = (
    query.choices("status", "Status of the job.", JobStatus),
    query.choices("stage", "Stage of the job.", Stage),
    query.words("profile", "Name of the profile; several are separated by commas."),
    query.ref("document_id", "Number or uuid of the document."),
    query.uuid("external_uuid", "Your own id of the document or job."),
    query.time("created_after", "Created at this time or later."),
    query.time("created_before", "Created at this time or earlier."),
    query.time("updated_after", "Changed at this time or later; the list is then in the order of change."),
    *query.PAGING,
)
WAIT = (query.whole("wait", "Seconds to hold the answer until something changes.", 1, 30),)
RETRY_AFTER = "1"
PING_COMMENT = "waiting"


class JobsController(Controller):
    """Start, follow, cancel and retry processing."""

    path = "/v1/jobs"
    tags = ("jobs",)
    security = SECURITY

    @post("/", guards=[needs(Scope.DOCUMENTS_WRITE)], operation_class=bodies.documented(JobRequest))
    async def create(self, request: ApiRequest) -> Response[JobView]:
        """Process an uploaded document, or process it again with another profile."""
        later = asking.later(request)
        data = await bodies.read(await request.body(), JobRequest, {"document_id": ref_of}, later)
        wanted = Wanted(
            ingest=True,
            profile=data.profile or None,
            options=await asking.decoded(request, data.profile, data.options_json),
            external_uuid=data.external_uuid,
        )
        job, replayed = await request.services.submissions.start_job(
            request.user, ref_of(str(data.document_id)), wanted, idempotency_key(request), origin(request)
        )
        headers = {"Location": f"/v1/jobs/{job.id}/"} | ({"Idempotency-Replayed": "true"} if replayed else {})
        return Response(JobView.of(job), status_code=201, headers=headers)

    @get("/", guards=[needs(Scope.JOBS_READ)], operation_class=query.documented(FILTERS))
    async def list_jobs(self, request: ApiRequest) -> Listing[JobView]:
        """List jobs: newest first, or in the order of change with `updated_after`."""
        values = query.read(request, FILTERS)
        paging = query.page_request(values)
        page = await request.services.jobs.page(request.user.tenant_id, JobFilters(**values), paging)
        return listing(request, page, JobView.of)

    @get("/{id:str}/", guards=[needs(Scope.JOBS_READ, "polls")], operation_class=query.documented(WAIT))
    async def retrieve(self, request: ApiRequest, ref: PathRef) -> Response[Any]:
        """Return a job; with `wait`, as soon as anything of it changes."""
        wait = query.read(request, WAIT).get("wait")
        job = await request.services.jobs.get(request.user.tenant_id, ref)
        body, known = encode(JobView.of(job)), request.headers.get("if-none-match")
        if wait and (known is None or matches(known, _etag(body))):
            request.scope["state"]["held"] = True
            job = await request.services.jobs.wait(request.user, job, wait)
            body = encode(JobView.of(job))
        headers = {"ETag": _etag(body), "Cache-Control": "private, no-cache"}
        if not JobStatus(job.status).terminal:
            headers["Retry-After"] = RETRY_AFTER
        if known is not None and matches(known, headers["ETag"]):
            return Response(b"", status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=MediaType.JSON)

    @get("/{id:str}/events/", guards=[needs(Scope.JOBS_READ, "polls")], media_type="text/event-stream")
    async def events(self, request: ApiRequest, ref: PathRef) -> Response[Any]:
        """Stream a job's events from its first, or from after `Last-Event-ID`, to its last.

        204 says that there is nothing left, which keeps browsers from asking again for ever.
        """
        query.read(request, ())
        after = request.headers.get("last-event-id", "0")
        if not (after.isascii() and after.isdigit() and len(after) < 10):
            raise InvalidRequest("`Last-Event-ID` is not the id of an event of this stream.")
        job = await request.services.jobs.get(request.user.tenant_id, ref)
        if JobStatus(job.status).terminal and int(after) >= max(job.event_sequence, 1):
            return Response(b"", status_code=204)
        request.scope["state"]["held"] = True
        return ServerSentEvent(_stream(request, job, int(after)), headers={"Cache-Control": "no-cache"})

    @post("/{id:str}/cancel/", guards=[needs(Scope.DOCUMENTS_WRITE)], status_code=202)
    async def cancel(self, request: ApiRequest, ref: PathRef) -> Response[JobView]:
        """Cancel a queued or running job."""
        outcome = await request.services.jobs.cancel(request.user.tenant_id, ref)
        return Response(JobView.of(outcome.job), status_code=202 if outcome.stopping else 200)

    @post("/{id:str}/retry/", guards=[needs(Scope.DOCUMENTS_WRITE)], status_code=202)
    async def retry(self, request: ApiRequest, ref: PathRef) -> JobView:
        """Try a failed or quarantined job again."""
        return JobView.of(await request.services.jobs.retry(request.user.tenant_id, ref, request.user))


def _etag(body: bytes) -> str:
    """Return a weak tag over all that is shown, page progress included."""
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


async def _stream(request: ApiRequest, job: JobRecord, after: int) -> AsyncIterator[ServerSentEventMessage]:
    async for event in request.services.jobs.follow(request.user, job, after):
        if event is None:
            yield ServerSentEventMessage(data=None, comment=PING_COMMENT)
        else:
            payload = JobEvent.of(job, event).encode().decode()
            yield ServerSentEventMessage(data=payload, event=JOB_UPDATED, id=event.sequence)
