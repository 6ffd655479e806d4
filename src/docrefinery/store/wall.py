"""Whom the statements of the running request or task may reach, whatever they say themselves (docs/decisions/0014).

The tenant comes from the API key and nothing else. A :class:`~docrefinery.store.database.Database` with walls tells it
to PostgreSQL with every statement, where row-level security holds them to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NOBODY = "0"
"""No tenant has this number."""
EVERYBODY = ""
"""What sweeps, workers and the operator's commands reach; also what a connection reaches that says nothing."""

_reach: ContextVar[str] = ContextVar("reach", default=NOBODY)


def reach() -> str:
    """Return the value of the setting ``docrefinery.tenant`` that holds here."""
    return _reach.get()


def hold_to(tenant_id: int) -> None:
    """Hold everything that follows in this request or task to a tenant."""
    _reach.set(str(tenant_id))


def hold_to_nobody() -> None:
    """Take back what was said for the request before."""
    _reach.set(NOBODY)


@contextmanager
def across_tenants() -> Iterator[None]:
    """Let the statements of the block reach every tenant: for the few things that are not about one."""
    token = _reach.set(EVERYBODY)
    try:
        yield
    finally:
        _reach.reset(token)
