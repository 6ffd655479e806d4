"""The client for programs that wait for an answer before they go on."""

import time
from collections.abc import Iterator
from contextlib import closing
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


class Client:
    """A client of one tenant; threads may share it.

    >>> with Client("https://refinery.example", api_key="dr_…") as client:
    ...     document = client.upload("report.pdf", profile="structured")
    ...     job = client.wait(document.job_id)
    ...     for artifact in client.artifacts(job_id=job.id):
    ...         client.download(artifact, "results/")

    Its methods raise :class:`docrefinery.client.ClientError` and what is below it, and :class:`OSError` for files of
    this machine. Calls are repeated where that is safe, as long as ``patience`` allows.

    :param base_url: where the service is; else ``DOCREFINERY_SERVER``.
    :param api_key: else ``DOCREFINERY_API_KEY``.
    :param patience: for how many seconds a call waits for a service that cannot be reached or is busy.
    :param transport: how requests travel, for tests and special networks.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        to = connection(base_url, api_key)
        self._patience = patience
        self._http = httpx.Client(base_url=to.base_url, headers=to.headers, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._http.base_url)!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Documents

    def upload(
        self,
        file: File,
        *,
        name: str | None = None,
        ingest: bool = True,
        progress: Progress | None = None,
        **processing: Unpack[Processing],
    ) -> Document:
        """Upload a PDF and have it processed; the file is streamed.

        >>> client.upload("scan.pdf", profile="ocr_only", options={"ocr_languages": ["de"]}).job_id
        123

        :param file: a path, the bytes, or a binary file, which is read from where it stands.
        :param name: what the service is to call it; else the file's own name.
        :param ingest: whether a job is started at once; without, ``profile`` and ``options`` are only checked.
        :param progress: is called with the bytes sent and the bytes in all, again from 0 if the upload is repeated.
        :raises DuplicateDocument: if the same bytes are there already; its ``existing`` names document and job.
        """
        source = Source(file, name, progress)
        return self._run(flows.uploading(source, processing, self._patience, ingest=ingest))

    def documents(self, **filters: Unpack[DocumentFilters]) -> Iterator[Document]:
        """Go through the documents, newest first; pages are fetched as they are needed."""
        return self._iterate(operations.documents(filters))

    def document(self, document: Ref) -> Document:
        """Return a document."""
        return self._ask(operations.document(document))

    def delete_document(self, document: Ref) -> None:
        """Delete a document with its artifacts; running jobs are canceled."""
        self._ask(operations.delete_document(document))

    # Jobs

    def submit(self, document: Ref, **processing: Unpack[Processing]) -> Job:
        """Start a job for a document that is there, also if there are others."""
        return self._ask(operations.submit(document, processing))

    def plan(self, **processing: Unpack[Processing]) -> Plan:
        """Return the profile, options and exports that a job would have, and start none.

        >>> client.plan(profile="fast_text").exports
        ['text', 'markdown', 'doctags']

        :raises InvalidRequest: if a job could not be asked for like that.
        """
        return self._ask(operations.plan(processing))

    def process(self, document: Ref, *, plan: Plan | None = None, **processing: Unpack[Processing]) -> Job:
        """Return a job of a document that does what is asked.

        That is one of the same profile, options and exports that runs or has succeeded, one that failed and is tried
        again, or else a new one. Of a file that is damaged, encrypted or malware, the failed job is returned as it is.

        :param plan: what :meth:`plan` said of the same request, which spares asking for it again.
        """
        return self._run(flows.processing_job(document, processing, self._patience, plan))

    def jobs(self, **filters: Unpack[JobFilters]) -> Iterator[Job]:
        """Go through the jobs, newest first; with ``updated_after``, in the order of change.

        >>> [job.id for job in client.jobs(status=["FAILED", "CANCELED"], created_after="2027-01-01")]
        [12, 7]
        """
        return self._iterate(operations.jobs(filters))

    def job(self, job: Ref, *, held: int = 0) -> Job:
        """Return a job as it is now.

        :param held: seconds, 30 at the most, for which an unfinished job's answer is held until something changes.
        """
        return self._ask(operations.job(job, held))

    def wait(self, job: Ref, *, timeout: float | None = None, progress: flows.Watch | None = None) -> Job:
        """Wait until a job is finished, and return it however it ended.

        The service holds each answer until something changes, so that this costs it next to nothing.

        >>> client.wait(123, timeout=600, progress=lambda job: print(job.stage, job.pages_done, job.pages_total)).status
        'SUCCEEDED'

        :param timeout: seconds; ``None`` waits for as long as it takes.
        :param progress: is called with the job whenever something of it changed.
        :raises WaitTimeout: if it is not finished by then.
        """
        return self._run(flows.waiting(job, self._patience, timeout, progress))

    def cancel(self, job: Ref) -> Job:
        """Cancel a job; a running one stops within seconds.

        :raises Conflict: if it is finished.
        """
        return self._ask(operations.cancel(job))

    def retry(self, job: Ref) -> Job:
        """Try a failed or quarantined job again.

        :raises Conflict: if it is neither.
        """
        return self._ask(operations.retry(job))

    # Artifacts

    def artifacts(self, **filters: Unpack[ArtifactFilters]) -> Iterator[Artifact]:
        """Go through the artifacts, newest first."""
        return self._iterate(operations.artifacts(filters))

    def download(self, artifact: Artifact | Document, path: str | Path) -> Path:
        """Fetch an artifact, or a document's PDF, into a file; return its path.

        The file is there as a whole or not at all, and its SHA-256 is the service's. What was fetched before a failure
        is kept beside it and not fetched again.

        :param path: the file, or a folder that is there and gets it under the service's name for it.
        :raises Damaged: if what arrived has another SHA-256.
        """
        return self._run(saving.saving(artifact, Path(path), self._patience))

    def read(self, artifact: Artifact | Document) -> bytes:
        """Return the bytes of an artifact, or of a document's PDF, checked as :meth:`download` does."""
        return self._run(saving.reading(artifact, self._patience))

    def stream(self, artifact: Artifact | Document) -> Iterator[bytes]:
        """Go through the bytes of an artifact, or of a document's PDF, as they come; nothing is repeated.

        :raises Damaged: at the end, if what arrived has another SHA-256.
        """
        check, call = saving.Checked(artifact), operations.contents(artifact, {})
        with translated(), closing(self._open(call)) as answer:
            if not answer.is_success:
                answer.read()
            for chunk in checked(answer).iter_bytes():
                check.add(chunk)
                yield chunk
        check.finish()

    def convert(
        self,
        file: File,
        *,
        name: str | None = None,
        kinds: Several | None = None,
        timeout: float | None = None,
        progress: flows.Watch | None = None,
        **processing: Unpack[Processing],
    ) -> dict[str, bytes]:
        """Upload a PDF, wait, and return its artifacts by kind.

        What the service has of the same bytes already is neither sent nor done again.

        >>> client.convert("report.pdf", profile="fast_text")["markdown"].decode()
        '# Report…'

        :param kinds: only these kinds of artifacts are fetched, and all of them are needed.
        :param timeout: seconds to wait for the job.
        :param progress: as in :meth:`wait`.
        :raises MissingArtifacts: if some of ``kinds`` do not come of such a job; then nothing is sent.
        :raises JobFailed: if the job did not succeed.
        :raises WaitTimeout: if it is not finished in time.
        """
        source = Source(file, name)
        return self._run(flows.converting(source, processing, kinds, self._patience, timeout, progress))

    # What the installation can do

    def profiles(self) -> Iterator[Profile]:
        """Go through the extraction profiles."""
        return self._iterate(operations.profiles())

    def exporters(self) -> Iterator[Exporter]:
        """Go through the kinds of artifacts."""
        return self._iterate(operations.exporters())

    # Webhooks

    def webhooks(self) -> Iterator[Webhook]:
        """Go through the webhook endpoints."""
        return self._iterate(operations.webhooks())

    def webhook(self, webhook: Ref) -> Webhook:
        """Return a webhook endpoint."""
        return self._ask(operations.webhook(webhook))

    def create_webhook(self, **fields: Unpack[WebhookFields]) -> Webhook:
        """Register a webhook endpoint; ``name`` and ``url`` are needed.

        >>> client.create_webhook(name="My App", url="https://example.com/hooks", secret="whsec_…").id
        7
        """
        return self._ask(operations.create_webhook(fields))

    def change_webhook(self, webhook: Ref, **fields: Unpack[WebhookFields]) -> Webhook:
        """Change some fields of a webhook endpoint."""
        return self._ask(operations.change_webhook(webhook, fields))

    def delete_webhook(self, webhook: Ref) -> None:
        """Delete a webhook endpoint."""
        self._ask(operations.delete_webhook(webhook))

    def ping_webhook(self, webhook: Ref) -> Delivery:
        """Have a ``ping`` sent to a webhook endpoint."""
        return self._ask(operations.ping_webhook(webhook))

    def deliveries(self, webhook: Ref, *, status: Several | None = None) -> Iterator[Delivery]:
        """Go through what was sent to a webhook endpoint, newest first."""
        return self._iterate(operations.deliveries(webhook, status))

    def redeliver(self, webhook: Ref, delivery: UUID | str) -> Delivery:
        """Have a delivery sent again."""
        return self._ask(operations.redeliver(webhook, delivery))

    # How steps are taken

    def _ask(self, call: Call[T]) -> T:
        return self._run(ask(call, self._patience))

    def _iterate(self, call: Call[Page[T]]) -> Iterator[T]:
        following: Call[Page[T]] | None = call
        while following is not None:
            page = self._ask(following)
            yield from page.results
            following = operations.following(following, page)

    def _run(self, flow: Flow[T]) -> T:
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
                    answer = self._take(step)
                except FAILURES as error:
                    failure = error

    def _take(self, step: Step) -> httpx.Response | None:
        match step:
            case Sleep(seconds=seconds):
                time.sleep(seconds)
                return None
            case Send(call=call):
                return self._http.send(built(self._http, call))
            case Pour(call=call, sink=sink):
                with closing(self._open(call)) as answer:
                    if answer.is_success:
                        sink.begin(answer)
                        for chunk in answer.iter_bytes():
                            sink.write(chunk)
                    else:
                        answer.read()
                    return answer

    def _open(self, call: Call[Any]) -> httpx.Response:
        return self._http.send(built(self._http, call), stream=True, follow_redirects=True)
