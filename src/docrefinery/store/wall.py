"""Whom the statements of the running request or task may reach, whatever they say themselves (docs/decisions/0014).

The tenant comes from the API key and nothing else. A :class:`~docrefinery.store.database.Database` with walls tells it
to PostgreSQL with every statement, where row-level security holds them to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

NOBODY = "0"
"""No tenant has this number."""
EVERYBODY = ""
"""What sweeps, workers and the operator's commands reach; also what a connection reaches that says nothing."""

_reach: ContextVar[str] = ContextVar("reach", default=NOBODY)
_put_up: ContextVar[str | None] = ContextVar("put_up", default=None)
"""What the open transaction reaches to its end, if there is one with walls."""


def reach() -> str:
    """Return the value of the setting ``docrefinery.tenant`` that holds here."""
    return _reach.get()


def hold_to(tenant_id: int) -> None:
    """Hold everything that follows in this request or task to a tenant."""
    _reach.set(str(tenant_id))


def hold_to_nobody() -> None:
    """Take back what was said for the request before."""
    _reach.set(NOBODY)


def put_up() -> Token[str | None]:
    """Note that a transaction is held to what holds here; :func:`taken_down` takes it back."""
    return _put_up.set(_reach.get())


def taken_down(token: Token[str | None]) -> None:
    """Note that the transaction is over."""
    _put_up.reset(token)


@contextmanager
def across_tenants() -> Iterator[None]:
    """Let the statements of the block reach every tenant: for the few things that are not about one.

    :raises RuntimeError: in a transaction that reaches less; its statements would go on to see one tenant.
    """
    if _put_up.get() not in (None, EVERYBODY):
        raise RuntimeError("The open transaction is held to a tenant; look across tenants before it begins.")
    token = _reach.set(EVERYBODY)
    try:
        yield
    finally:
        _reach.reset(token)
