"""The client for programs that do other things while they wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, Self, TypeVar, Unpack
from uuid import UUID

import httpx

from docrefinery.client import flows, operations, saving
from docrefinery.client.asking import ask, checked, translated
from docrefinery.client.connection import Patience, connection
from docrefinery.client.operations import (
    ArtifactFilters,
    DocumentFilters,
    JobFilters,
    Processing,
    Ref,
    Several,
    WebhookFields,
)
from docrefinery.client.resources import Artifact, Delivery, Document, Exporter, Job, Page, Plan, Profile, Webhook
from docrefinery.client.sources import File, Progress, Source
from docrefinery.client.steps import FAILURES, Call, Flow, Pour, Send, Sleep, Step, advance, built

T = TypeVar("T")


class AsyncClient:
    """:class:`docrefinery.client.Client` for asyncio: methods are awaited, lists gone through with ``async for``.

    >>> async with AsyncClient("https://refinery.example", api_key="dr_…") as client:
    ...     document = await client.upload("report.pdf", profile="structured")
    ...     job = await client.wait(document.job_id)
    ...     async for artifact in client.artifacts(job_id=job.id):
    ...         await client.download(artifact, "results/")

    Functions that are told of progress are called in the event loop, and are no coroutines.

    :param connections: how many may be open at a time; further calls wait for one.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        connections: int = 20,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        to = connection(base_url, api_key)
        self._patience = patience
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.AsyncClient(base_url=to.base_url, headers=to.headers, limits=limits, transport=transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._http.base_url)!r})"

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    # Documents

    async def upload(
        self,
        file: File,
        *,
        name: str | None = None,
        ingest: bool = True,
        progress: Progress | None = None,
        **processing: Unpack[Processing],
    ) -> Document:
        """Upload a PDF and have it processed; the file is streamed."""
        source = Source(file, name, progress)
        return await self._run(flows.uploading(source, processing, self._patience, ingest=ingest))

    def documents(self, **filters: Unpack[DocumentFilters]) -> AsyncIterator[Document]:
        """Go through the documents, newest first; pages are fetched as they are needed."""
        return self._iterate(operations.documents(filters))

    async def document(self, document: Ref) -> Document:
        """Return a document."""
        return await self._ask(operations.document(document))

    async def delete_document(self, document: Ref) -> None:
        """Delete a document with its artifacts; running jobs are canceled."""
        await self._ask(operations.delete_document(document))

    # Jobs

    async def submit(self, document: Ref, **processing: Unpack[Processing]) -> Job:
        """Start a job for a document that is there, also if there are others."""
        return await self._ask(operations.submit(document, processing))

    async def plan(self, **processing: Unpack[Processing]) -> Plan:
        """Return the profile, options and exports that a job would have, and start none."""
        return await self._ask(operations.plan(processing))

    async def process(self, document: Ref, *, plan: Plan | None = None, **processing: Unpack[Processing]) -> Job:
        """Return a job of a document that does what is asked."""
        return await self._run(flows.processing_job(document, processing, self._patience, plan))

    def jobs(self, **filters: Unpack[JobFilters]) -> AsyncIterator[Job]:
        """Go through the jobs, newest first; with ``updated_after``, in the order of change."""
        return self._iterate(operations.jobs(filters))

    async def job(self, job: Ref, *, held: int = 0) -> Job:
        """Return a job as it is now."""
        return await self._ask(operations.job(job, held))

    async def wait(
        self,
        job: Ref,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - the same arguments as the other client
        progress: flows.Watch | None = None,
    ) -> Job:
        """Wait until a job is finished, and return it however it ended."""
        return await self._run(flows.waiting(job, self._patience, timeout, progress))

    async def cancel(self, job: Ref) -> Job:
        """Cancel a job; a running one stops within seconds."""
        return await self._ask(operations.cancel(job))

    async def retry(self, job: Ref) -> Job:
        """Try a failed or quarantined job again."""
        return await self._ask(operations.retry(job))

    # Artifacts

    def artifacts(self, **filters: Unpack[ArtifactFilters]) -> AsyncIterator[Artifact]:
        """Go through the artifacts, newest first."""
        return self._iterate(operations.artifacts(filters))

    async def download(self, artifact: Artifact | Document, path: str | Path) -> Path:
        """Fetch an artifact, or a document's PDF, into a file; return its path."""
        return await self._run(saving.saving(artifact, Path(path), self._patience))

    async def read(self, artifact: Artifact | Document) -> bytes:
        """Return the bytes of an artifact, or of a document's PDF, checked as :meth:`download` does."""
        return await self._run(saving.reading(artifact, self._patience))

    async def stream(self, artifact: Artifact | Document) -> AsyncIterator[bytes]:
        """Go through the bytes of an artifact, or of a document's PDF, as they come; nothing is repeated."""
        check, call = saving.Checked(artifact), operations.contents(artifact, {})
        with translated():
            async with aclosing(await self._open(call)) as answer:
                if not answer.is_success:
                    await answer.aread()
                async for chunk in checked(answer).aiter_bytes():
                    check.add(chunk)
                    yield chunk
        check.finish()

    async def convert(
        self,
        file: File,
        *,
        name: str | None = None,
        kinds: Several | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the same arguments as the other client
        progress: flows.Watch | None = None,
        **processing: Unpack[Processing],
    ) -> dict[str, bytes]:
        """Upload a PDF, wait, and return its artifacts by kind."""
        source = Source(file, name)
        return await self._run(flows.converting(source, processing, kinds, self._patience, timeout, progress))

    # What the installation can do

    def profiles(self) -> AsyncIterator[Profile]:
        """Go through the extraction profiles."""
        return self._iterate(operations.profiles())

    def exporters(self) -> AsyncIterator[Exporter]:
        """Go through the kinds of artifacts."""
        return self._iterate(operations.exporters())

    # Webhooks

    def webhooks(self) -> AsyncIterator[Webhook]:
        """Go through the webhook endpoints."""
        return self._iterate(operations.webhooks())

    async def webhook(self, webhook: Ref) -> Webhook:
        """Return a webhook endpoint."""
        return await self._ask(operations.webhook(webhook))

    async def create_webhook(self, **fields: Unpack[WebhookFields]) -> Webhook:
        """Register a webhook endpoint; ``name`` and ``url`` are needed."""
        return await self._ask(operations.create_webhook(fields))

    async def change_webhook(self, webhook: Ref, **fields: Unpack[WebhookFields]) -> Webhook:
        """Change some fields of a webhook endpoint."""
        return await self._ask(operations.change_webhook(webhook, fields))

    async def delete_webhook(self, webhook: Ref) -> None:
        """Delete a webhook endpoint."""
        await self._ask(operations.delete_webhook(webhook))

    async def ping_webhook(self, webhook: Ref) -> Delivery:
        """Have a ``ping`` sent to a webhook endpoint."""
        return await self._ask(operations.ping_webhook(webhook))

    def deliveries(self, webhook: Ref, *, status: Several | None = None) -> AsyncIterator[Delivery]:
        """Go through what was sent to a webhook endpoint, newest first."""
        return self._iterate(operations.deliveries(webhook, status))

    async def redeliver(self, webhook: Ref, delivery: UUID | str) -> Delivery:
        """Have a delivery sent again."""
        return await self._ask(operations.redeliver(webhook, delivery))

    # How steps are taken

    async def _ask(self, call: Call[T]) -> T:
        return await self._run(ask(call, self._patience))

    async def _iterate(self, call: Call[Page[T]]) -> AsyncIterator[T]:
        following: Call[Page[T]] | None = call
        while following is not None:
            page = await self._ask(following)
            for result in page.results:
                yield result
            following = operations.following(following, page)

    async def _run(self, flow: Flow[T]) -> T:
        answer: httpx.Response | None = None
        failure: BaseException | None = None
        with closing(flow):
            while True:
                try:
                    step = advance(flow, answer, failure)
                except StopIteration as ended:
                    result: T = ended.value
                    return result
                answer = failure = None
                try:
                    answer = await self._take(step)
                except FAILURES as error:
                    failure = error

    async def _take(self, step: Step) -> httpx.Response | None:
        match step:
            case Sleep(seconds=seconds):
                await asyncio.sleep(seconds)
                return None
            case Send(call=call):
                return await self._http.send(built(self._http, call))
            case Pour(call=call, sink=sink):
                async with aclosing(await self._open(call)) as answer:
                    if answer.is_success:
                        sink.begin(answer)
                        async for chunk in answer.aiter_bytes():
                            sink.write(chunk)
                    else:
                        await answer.aread()
                    return answer

    async def _open(self, call: Call[Any]) -> httpx.Response:
        return await self._http.send(built(self._http, call), stream=True, follow_redirects=True)
