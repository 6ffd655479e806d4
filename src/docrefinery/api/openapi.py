"""The OpenAPI document, with paths as the guide spells them, and a page that people can read."""

from typing import Any

import jinja2
from litestar import Litestar, Request
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

import docrefinery
from docrefinery.api.described import describe

_NO_SLASH = ("/healthz", "/readyz", "/metrics", "/v1/dashboard/")
_PAGE = jinja2.Environment(
    loader=jinja2.PackageLoader("docrefinery.api"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


class ReadablePage(OpenAPIRenderPlugin):
    """One plain HTML page without scripts or anything fetched from elsewhere."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """Render the document."""
        return _PAGE.get_template("schema.html").render(schema=openapi_schema).encode()


def config() -> OpenAPIConfig:
    """Describe the API as a whole."""
    scheme = SecurityScheme(
        type="apiKey", name="Authorization", security_scheme_in="header", description="`Api-Key <key>`"
    )
    return OpenAPIConfig(
        title="DocumentRefinery",
        version=docrefinery.__version__,
        summary="PDFs in, structured artifacts out.",
        path="/schema",
        use_handler_docstrings=True,
        components=Components(security_schemes={"ApiKey": scheme}),
        render_plugins=[ReadablePage(path="/")],
    )


def spell_as_the_guide(app: Litestar) -> None:
    """Put the trailing slashes back that the framework drops, and add what annotations cannot tell."""
    paths = app.openapi_schema.paths or {}
    app.openapi_schema.paths = {
        path if path.startswith(_NO_SLASH) or path.endswith("/") else path + "/": item for path, item in paths.items()
    }
    describe(app.openapi_schema)
