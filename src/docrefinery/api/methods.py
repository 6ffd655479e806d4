"""``OPTIONS``: which methods a path has."""

from litestar import Response
from litestar.routes import HTTPRoute

from docrefinery.api.problems import AnyRequest


async def tell_methods(request: AnyRequest) -> Response[None] | None:
    """Answer ``OPTIONS`` before the framework does, which names the methods of one of a path's handlers alone."""
    if request.method != "OPTIONS":
        return None
    template = request.scope["path_template"]
    routes = [route for route in request.app.routes if isinstance(route, HTTPRoute) and route.path_format == template]
    methods = sorted({method for route in routes for method in route.methods})
    return Response(None, status_code=204, headers={"Allow": ", ".join(methods)})
