"""``/v1/artifacts/``."""

from typing import Any

from litestar import Controller, Response, get, route
from litestar.enums import HttpMethod

from docrefinery.api import downloads, query
from docrefinery.api.auth import SECURITY, needs
from docrefinery.api.deps import ApiRequest, PathRef
from docrefinery.api.listing import listing
from docrefinery.api.views import ArtifactView, Listing
from docrefinery.model import Scope
from docrefinery.services.audit import Action
from docrefinery.store.artifacts import ArtifactFilters
from docrefinery.store.blobs import BlobMissing

FILTERS = (
    query.ref("job_id", "Number or uuid of the job."),
    query.ref("document_id", "Number or uuid of the document."),
    query.words("kind", "Kind of artifact; several are separated by commas."),
    *query.PAGING,
)


class ArtifactsController(Controller):
    """List and download the results of jobs."""

    path = "/v1/artifacts"
    tags = ("artifacts",)
    security = SECURITY

    @get("/", guards=[needs(Scope.ARTIFACTS_READ)], operation_class=query.documented(FILTERS))
    async def list_artifacts(self, request: ApiRequest) -> Listing[ArtifactView]:
        """List artifacts, newest first."""
        values = query.read(request, FILTERS)
        paging = query.page_request(values)
        page = await request.services.artifacts.page(request.user, ArtifactFilters(**values), paging)
        return listing(request, page, ArtifactView.of)

    @route(
        "/{id:str}/",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        guards=[needs(Scope.ARTIFACTS_READ)],
        media_type="application/octet-stream",
    )
    async def download(self, request: ApiRequest, ref: PathRef) -> Response[Any]:
        """Download an artifact's bytes."""
        query.read(request, ())
        artifact = await request.services.artifacts.get(request.user, ref)
        download = downloads.Download(
            blob=artifact,
            filename=artifact.filename,
            content_type=artifact.content_type,
            sha256=artifact.sha256,
            action=Action.ARTIFACT_DOWNLOADED,
            object=f"artifact {artifact.id}",
        )
        try:
            return await downloads.serve(request, download, request.services.artifacts)
        except BlobMissing:
            # It may have been removed since it was looked up, which this says.
            await request.services.artifacts.get(request.user, ref)
            raise
