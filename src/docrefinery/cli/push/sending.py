"""A file that the service has not is sent; of one that it has, the job that did or does what is asked is found."""

from msgspec import Struct

from docrefinery.cli.push.files import File
from docrefinery.client import AsyncClient, Conflict, Document, DuplicateDocument, FileChanged, Job, Plan
from docrefinery.client.operations import Processing


class Sent(Struct, frozen=True):
    """The document and job of a file; ``anew`` says whether the bytes were sent now, ``job`` is what is known of it."""

    document: Document
    job_id: int
    anew: bool
    job: Job | None = None


class Sending:
    """Sends files under what is asked of all of them."""

    def __init__(self, client: AsyncClient, processing: Processing, plan: Plan) -> None:
        self._client = client
        self._processing = processing
        self._plan = plan

    async def send(self, file: File, document: Document | None) -> Sent:
        """Have a file processed.

        :param document: what the service has of the same bytes.
        :raises FileChanged: if the file is not what it was when it was looked at.
        """
        if document is not None:
            try:
                return await self._processed(document)
            except Conflict:
                # A document whose file has expired may keep its results; this one did not.
                if document.file_expired_at is None:
                    raise
        try:
            document = await self._uploaded(file)
        except DuplicateDocument as duplicate:
            # Somebody else was faster.
            return await self._processed(await self._client.document(duplicate.existing.document_id))
        if document.job_id is None:
            return await self._processed(document)
        return Sent(document, document.job_id, anew=True)

    async def _uploaded(self, file: File) -> Document:
        try:
            document = await self._client.upload(file.input.path, ingest=True, **self._processing)
        except DuplicateDocument as duplicate:
            there = await self._client.document(duplicate.existing.document_id)
            if there.sha256 != file.sha256:
                raise FileChanged("It was changed since it was looked at; push it again.") from duplicate
            raise
        if document.sha256 != file.sha256:
            await self._client.delete_document(document.id)
            raise FileChanged("It was changed while it was being sent; push it again.")
        return document

    async def _processed(self, document: Document) -> Sent:
        job = await self._client.process(document.id, plan=self._plan, **self._processing)
        return Sent(document, job.id, anew=False, job=job)
