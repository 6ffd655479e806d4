"""Who asks, and whether they may."""

import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from docrefinery import tracing
from docrefinery.api.deps import Services
from docrefinery.errors import InsufficientScope, InternalTokenRequired, Unauthenticated
from docrefinery.model import Scope
from docrefinery.services.audit import key_is_known
from docrefinery.services.keys import Caller
from docrefinery.services.rates import Bucket
from docrefinery.store.wall import hold_to

Connection = ASGIConnection[Any, Any, Any, Any]
SECURITY: list[dict[str, list[str]]] = [{"ApiKey": []}]


async def _authenticate(connection: Connection, bucket: Bucket = "requests") -> Caller:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "api-key" or not key.strip():
        raise Unauthenticated("Send the header `Authorization: Api-Key <key>`.")
    services: Services = connection.app.state.services
    caller = await services.authenticator.authenticate(key.strip())
    hold_to(caller.tenant_id)
    key_is_known(caller.key_id, caller.key_name, caller.tenant_id)
    tracing.tell({"docrefinery.tenant.uuid": caller.tenant_uuid})
    connection.scope["user"] = caller
    standing = await services.rates.count(caller, bucket)
    if standing is not None:
        connection.scope["state"]["headers"] = standing.headers
        standing.check()
    return caller


async def any_key(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: any valid key will do."""
    await _authenticate(connection)


def needs(scope: Scope, bucket: Bucket = "requests") -> Guard:
    """Return a guard that asks for a key with a scope, and counts the request in a bucket of its tenant's."""

    async def guard(connection: Connection, _: BaseRouteHandler) -> None:
        caller = await _authenticate(connection, bucket)
        if scope not in caller.scopes:
            connection.app.state.services.trail.scope_missing(scope)
            raise InsufficientScope(f"This key lacks the scope `{scope}`.", details={"required_scope": scope})

    return guard


def internal(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: the installation's internal token, where one is set."""
    token: str = connection.app.state.services.settings.internal_endpoints_token
    # Header values are bytes that the framework shows as Latin-1.
    sent = connection.headers.get("x-internal-token", "").encode("latin-1")
    given = sent or str(connection.query_params.get("token", "")).encode()
    if token and not hmac.compare_digest(token.encode(), given):
        raise InternalTokenRequired("Send the installation's internal token as `X-Internal-Token`.")
