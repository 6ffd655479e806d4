"""Every request that the API answers, and how its answer is read: no input or output is done here."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypedDict, TypeVar
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID, uuid4

import httpx
import msgspec

from docrefinery.client.errors import ClientError
from docrefinery.client.resources import (
    Artifact,
    Delivery,
    Document,
    Exporter,
    Job,
    Page,
    Plan,
    Profile,
    Webhook,
)
from docrefinery.client.sources import Source
from docrefinery.client.steps import ANSWER_SECONDS, Call

T = TypeVar("T")

Ref = int | str | UUID
"""An id: a number or a uuid."""
Several = str | Iterable[str]
"""One value, or several of which any fits."""

_json = msgspec.json.Encoder().encode


class DocumentFilters(TypedDict, total=False):
    """What a list of documents is narrowed to; times are ISO 8601 or aware datetimes, naive ones are UTC."""

    status: Several
    external_uuid: UUID | str
    sha256: Several
    created_after: datetime | str
    created_before: datetime | str
    page_size: int


class JobFilters(TypedDict, total=False):
    """What a list of jobs is narrowed to; ``updated_after`` also puts it in the order of change."""

    status: Several
    stage: Several
    profile: Several
    document_id: Ref
    external_uuid: UUID | str
    created_after: datetime | str
    created_before: datetime | str
    updated_after: datetime | str
    page_size: int


class ArtifactFilters(TypedDict, total=False):
    """What a list of artifacts is narrowed to."""

    job_id: Ref
    document_id: Ref
    kind: Several
    page_size: int


class Processing(TypedDict, total=False):
    """How a document is to be processed: an extraction profile, options as in ``docs/profiles.md``, an id of yours."""

    profile: str | None
    options: Mapping[str, Any] | None
    external_uuid: UUID | str | None


class WebhookFields(TypedDict, total=False):
    """What an endpoint is, or is to be; a ``secret`` of ``None`` removes it."""

    name: str
    url: str
    secret: str | None
    events: list[str]
    enabled: bool


def reader(kind: type[T]) -> Callable[[httpx.Response], T]:
    """Return what decodes an answer's JSON."""
    decoder = msgspec.json.Decoder(kind)

    def read(answer: httpx.Response) -> T:
        try:
            return decoder.decode(answer.content)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ClientError(f"The answer of {answer.request.url.path} is not the service's own: {error}.") from None

    return read


_document, _job, _webhook, _delivery = reader(Document), reader(Job), reader(Webhook), reader(Delivery)
_documents, _jobs, _artifacts = reader(Page[Document]), reader(Page[Job]), reader(Page[Artifact])
_webhooks, _deliveries = reader(Page[Webhook]), reader(Page[Delivery])
_profiles, _exporters, _plan = reader(Page[Profile]), reader(Page[Exporter]), reader(Plan)


def upload(source: Source, processing: Processing, *, ingest: bool) -> Call[Document]:
    """Upload a file; its idempotency key makes it safe to send it again."""
    fields = {"ingest": "true" if ingest else "false"}
    if options := processing.get("options"):
        fields["options_json"] = _json(options).decode()
    for name in ("profile", "external_uuid"):
        if value := processing.get(name):
            fields[name] = str(value)
    return Call(
        method="POST",
        path="/v1/documents/",
        read=_document,
        source=source,
        fields=fields,
        headers=_new_key(),
        seconds=120,
    )


def documents(filters: DocumentFilters) -> Call[Page[Document]]:
    """List documents."""
    return _get("/v1/documents/", _documents, _params(filters))


def document(ref: Ref) -> Call[Document]:
    """Return a document."""
    return _get(f"/v1/documents/{_id(ref)}/", _document)


def delete_document(ref: Ref) -> Call[None]:
    """Delete a document."""
    return _delete(f"/v1/documents/{_id(ref)}/")


def plan(processing: Processing) -> Call[Plan]:
    """Return what a job would have, and start none."""
    body = {"profile": processing.get("profile"), "options_json": processing.get("options")}
    given = {name: value for name, value in body.items() if value is not None}
    return Call(method="POST", path="/v1/plan/", read=_plan, content=_json(given))


def submit(document_id: Ref, processing: Processing) -> Call[Job]:
    """Start a job."""
    body = {"document_id": document_id, "profile": processing.get("profile"), "options_json": processing.get("options")}
    body["external_uuid"] = processing.get("external_uuid")
    given = {name: value for name, value in body.items() if value is not None}
    return Call(method="POST", path="/v1/jobs/", read=_job, content=_json(given), headers=_new_key())


def jobs(filters: JobFilters) -> Call[Page[Job]]:
    """List jobs."""
    return _get("/v1/jobs/", _jobs, _params(filters))


def job(ref: Ref, held_seconds: int = 0) -> Call[Job]:
    """Return a job, as soon as anything of it changes or after the time that the answer is held."""
    return _held(ref, _job, held_seconds, {})


def changed_job(ref: Ref, tag: str, held_seconds: int) -> Call[tuple[Job | None, str]]:
    """Return a job and its tag as soon as the tag is another, or no job after the time that the answer is held."""

    def read(answer: httpx.Response) -> tuple[Job | None, str]:
        same = answer.status_code == httpx.codes.NOT_MODIFIED
        return None if same else _job(answer), answer.headers.get("etag", "")

    return _held(ref, read, held_seconds, {"If-None-Match": tag} if tag else {})


def cancel(ref: Ref) -> Call[Job]:
    """Cancel a job; a second time does no harm."""
    return Call(method="POST", path=f"/v1/jobs/{_id(ref)}/cancel/", read=_job)


def retry(ref: Ref) -> Call[Job]:
    """Queue a failed job again; a second time is refused."""
    return Call(method="POST", path=f"/v1/jobs/{_id(ref)}/retry/", read=_job, repeatable=False)


def artifacts(filters: ArtifactFilters) -> Call[Page[Artifact]]:
    """List artifacts."""
    return _get("/v1/artifacts/", _artifacts, _params(filters))


def contents(of: Artifact | Document, headers: Mapping[str, str]) -> Call[int]:
    """Return the bytes of an artifact, or of a document's file; what is read is the status."""
    path = f"/v1/documents/{of.id}/file/" if isinstance(of, Document) else f"/v1/artifacts/{of.id}/"
    # What was packed on its way could not be resumed, and would have another length.
    return Call(
        method="GET",
        path=path,
        read=lambda answer: answer.status_code,
        headers={"Accept-Encoding": "identity", **headers},
    )


def profiles() -> Call[Page[Profile]]:
    """List profiles."""
    return _get("/v1/profiles/", _profiles)


def exporters() -> Call[Page[Exporter]]:
    """List kinds of artifacts."""
    return _get("/v1/exporters/", _exporters)


def webhooks() -> Call[Page[Webhook]]:
    """List endpoints."""
    return _get("/v1/webhooks/", _webhooks)


def webhook(ref: Ref) -> Call[Webhook]:
    """Return an endpoint."""
    return _get(f"/v1/webhooks/{_id(ref)}/", _webhook)


def create_webhook(fields: WebhookFields) -> Call[Webhook]:
    """Register an endpoint."""
    return Call(method="POST", path="/v1/webhooks/", read=_webhook, content=_json(fields), headers=_new_key())


def change_webhook(ref: Ref, fields: WebhookFields) -> Call[Webhook]:
    """Change an endpoint."""
    return Call(method="PATCH", path=f"/v1/webhooks/{_id(ref)}/", read=_webhook, content=_json(fields))


def delete_webhook(ref: Ref) -> Call[None]:
    """Delete an endpoint."""
    return _delete(f"/v1/webhooks/{_id(ref)}/")


def ping_webhook(ref: Ref) -> Call[Delivery]:
    """Send an endpoint a ping."""
    return Call(method="POST", path=f"/v1/webhooks/{_id(ref)}/ping/", read=_delivery, headers=_new_key())


def deliveries(ref: Ref, status: Several | None) -> Call[Page[Delivery]]:
    """List what was sent to an endpoint."""
    return _get(f"/v1/webhooks/{_id(ref)}/deliveries/", _deliveries, _params({"status": status} if status else {}))


def redeliver(ref: Ref, delivery: UUID | str) -> Call[Delivery]:
    """Send a delivery again."""
    path = f"/v1/webhooks/{_id(ref)}/deliveries/{_id(delivery)}/redeliver/"
    return Call(method="POST", path=path, read=_delivery, repeatable=False)


def following(call: Call[Page[T]], page: Page[T]) -> Call[Page[T]] | None:
    """Return the call for the page after this one.

    Only the cursor is taken from the link: whatever host it names, the key stays with the one that was chosen.
    """
    cursors = parse_qs(urlsplit(page.next).query).get("cursor") if page.next else None
    return msgspec.structs.replace(call, params={**call.params, "cursor": cursors[0]}) if cursors else None


def _get(path: str, read: Callable[[httpx.Response], T], params: Mapping[str, str] | None = None) -> Call[T]:
    return Call(method="GET", path=path, read=read, params=params or {})


def _held(ref: Ref, read: Callable[[httpx.Response], T], seconds: int, headers: Mapping[str, str]) -> Call[T]:
    return Call(
        method="GET",
        path=f"/v1/jobs/{_id(ref)}/",
        read=read,
        params={"wait": str(seconds)} if seconds else {},
        headers=headers,
        seconds=seconds + ANSWER_SECONDS,
    )


def _delete(path: str) -> Call[None]:
    return Call(method="DELETE", path=path, read=lambda _: None)


def _new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def _id(ref: Ref) -> str:
    return quote(str(ref), safe="")


def _params(filters: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(value) for name, value in filters.items() if value is not None}


def _text(value: Any) -> str:
    match value:
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
        case Enum():
            return str(value.value)
        case str() | int() | UUID():
            return str(value)
        case _:
            return ",".join(_text(each) for each in value)
