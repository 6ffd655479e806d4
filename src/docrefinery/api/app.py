"""The ASGI application, assembled from what the composition root made."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from litestar import Litestar
from litestar.datastructures import State

from docrefinery.api import openapi
from docrefinery.api.artifacts import ArtifactsController
from docrefinery.api.catalog import list_exporters, list_profiles
from docrefinery.api.console import handlers as console
from docrefinery.api.dashboard import list_workers, summary
from docrefinery.api.deps import DEPENDENCIES, ApiRequest, Services
from docrefinery.api.documents import DocumentsController
from docrefinery.api.health import healthz, metrics, readyz
from docrefinery.api.jobs import JobsController
from docrefinery.api.methods import tell_methods
from docrefinery.api.plan import plan
from docrefinery.api.problems import HANDLERS
from docrefinery.api.webhooks import WebhooksController

App = Litestar
Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]

JSON_BODY_LIMIT = 2 * 1024 * 1024
"""Bytes of a JSON body; uploads are streamed and counted by themselves."""


def create_app(services: Services, lifespan: Lifespan) -> Litestar:
    """Build the application.

    :param lifespan: opens and closes what the services hold.
    """
    app = Litestar(
        route_handlers=[
            DocumentsController,
            JobsController,
            ArtifactsController,
            WebhooksController,
            list_profiles,
            list_exporters,
            plan,
            summary,
            list_workers,
            healthz,
            readyz,
            metrics,
            console.page,
            console.asset,
            console.key,
        ],
        dependencies=DEPENDENCIES,
        before_request=tell_methods,
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        openapi_config=openapi.config(),
        request_max_body_size=JSON_BODY_LIMIT,
        state=State({"services": services}, deep_copy=False),
        request_class=ApiRequest,
        logging_config=None,
    )
    openapi.spell_as_the_guide(app)
    return app
