"""``/v1/documents/``."""

from dataclasses import dataclass
from typing import Any

from litestar import Controller, Response, delete, get, post, route
from litestar.enums import HttpMethod
from litestar.openapi.spec import OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from docrefinery.api import downloads, query
from docrefinery.api.auth import SECURITY, needs
from docrefinery.api.deps import ApiRequest, PathRef, idempotency_key, origin
from docrefinery.api.filenames import harmless
from docrefinery.api.listing import listing
from docrefinery.api.multipart import OVERHEAD, receive
from docrefinery.api.problems import problem
from docrefinery.api.uploads import wanted
from docrefinery.api.views import DocumentView, Listing
from docrefinery.errors import DuplicateDocument
from docrefinery.model import DocumentStatus, Scope
from docrefinery.services.audit import Action
from docrefinery.services.limits import UploadLimit, upload_limit
from docrefinery.services.submissions import Created, Duplicate
from docrefinery.services.uploads import PDF, Size
from docrefinery.store.blobs import BlobMissing
from docrefinery.store.documents import DocumentFilters

FILTERS = (
    query.choices("status", "Status of the document.", DocumentStatus),
    query.uuid("external_uuid", "Your own id of the document."),
    query.sha256("sha256", "Hash of the file; several are separated by commas."),
    query.time("created_after", "Uploaded at this time or later."),
    query.time("created_before", "Uploaded at this time or earlier."),
    *query.PAGING,
)

_TEXT = Schema(type=OpenAPIType.STRING)


@dataclass  # its generated __init__ is what calls __post_init__
class UploadOperation(Operation):
    """Describes the multipart body, which the handler reads as a stream."""

    def __post_init__(self) -> None:
        fields: dict[str, Reference | Schema] = {
            "file": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY, description="The PDF."),
            "ingest": Schema(type=OpenAPIType.BOOLEAN, description="Start processing at once."),
            "options_json": Schema(type=OpenAPIType.STRING, description="Docling options, a JSON object."),
            "profile": Schema(type=OpenAPIType.STRING, description="Name of an extraction profile."),
            "external_uuid": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.UUID, description="Your own id."),
        }
        body = Schema(type=OpenAPIType.OBJECT, required=["file"], properties=fields)
        self.request_body = RequestBody({"multipart/form-data": OpenAPIMediaType(schema=body)}, required=True)


class DocumentsController(Controller):
    """Upload, list, fetch and delete PDFs."""

    path = "/v1/documents"
    tags = ("documents",)
    security = SECURITY

    @post(
        "/",
        guards=[needs(Scope.DOCUMENTS_WRITE)],
        operation_class=UploadOperation,
        request_max_body_size=None,
    )
    async def upload(self, request: ApiRequest) -> Response[Any]:
        """Upload a PDF, and start processing it if `ingest` is true."""
        key, content_type = idempotency_key(request), request.headers.get("content-type", "")
        size = _size(request, upload_limit(request.services.settings, request.user))
        async with request.services.reception.receiving(request.user, size, key) as upload:
            form = await receive(content_type, request.stream(), upload)
            asked = await wanted(request, form)
        accepted, replayed = await request.services.submissions.accept(
            request.user, upload, harmless(form.filename or ""), asked, key, origin(request)
        )
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        match accepted:
            case Duplicate():
                return problem(request, _duplicate(accepted), headers)
            case Created():
                headers["Location"] = f"/v1/documents/{accepted.document.id}/"
                view = DocumentView.of(accepted.document, accepted.job_id)
                return Response(view, status_code=201, headers=headers)

    @get("/", guards=[needs(Scope.DOCUMENTS_READ)], operation_class=query.documented(FILTERS))
    async def list_documents(self, request: ApiRequest) -> Listing[DocumentView]:
        """List documents, newest first."""
        values = query.read(request, FILTERS)
        paging = query.page_request(values)
        page = await request.services.documents.page(request.user, DocumentFilters(**values), paging)
        return listing(request, page, DocumentView.of)

    @get("/{id:str}/", guards=[needs(Scope.DOCUMENTS_READ)])
    async def retrieve(self, request: ApiRequest, ref: PathRef) -> DocumentView:
        """Return a document."""
        query.read(request, ())
        return DocumentView.of(await request.services.documents.get(request.user, ref))

    @route(
        "/{id:str}/file/",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        guards=[needs(Scope.DOCUMENTS_READ)],
        media_type="application/pdf",
    )
    async def file(self, request: ApiRequest, ref: PathRef) -> Response[Any]:
        """Download the PDF."""
        query.read(request, ())
        document = await request.services.documents.file(request.user, ref)
        download = downloads.Download(
            blob=document,
            filename=document.original_filename,
            content_type=PDF,
            sha256=document.sha256,
            action=Action.DOCUMENT_DOWNLOADED,
            object=f"document {document.id}",
        )
        try:
            return await downloads.serve(request, download, request.services.documents)
        except BlobMissing:
            # It may have been removed since it was looked up, which this says.
            await request.services.documents.file(request.user, ref)
            raise

    @delete("/{id:str}/", guards=[needs(Scope.DOCUMENTS_WRITE)])
    async def remove(self, request: ApiRequest, ref: PathRef) -> None:
        """Delete a document with its artifacts; its jobs stay readable."""
        await request.services.documents.delete(request.user, ref)


def _size(request: ApiRequest, limit: UploadLimit) -> Size:
    """Return what the declared length says of the file.

    :raises FileTooLarge: if it is too large, before a byte of the body is read.
    """
    declared = request.headers.get("content-length", "")
    if not declared.isdigit():
        return Size(1, limit.size_bytes)
    if int(declared) > limit.size_bytes + OVERHEAD:
        raise limit.refusal("upload")
    return Size(max(int(declared) - OVERHEAD, 1), min(int(declared), limit.size_bytes))


def _duplicate(existing: Duplicate) -> DuplicateDocument:
    return DuplicateDocument(
        f"This file is here already, as document {existing.document_id}.",
        details={"existing": {"document_id": existing.document_id, "uuid": existing.uuid, "job_id": existing.job_id}},
    )
