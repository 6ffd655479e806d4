"""One outcome for requests that are sent again with the same ``Idempotency-Key``."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from docrefinery.errors import IdempotencyInProgress, IdempotencyKeyReused
from docrefinery.store import idempotency
from docrefinery.store.database import Database

T = TypeVar("T")


class Attempt(Struct, frozen=True):
    """A request that may come again: the client's key, and a digest of what it asks for."""

    key: str
    fingerprint: bytes

    @classmethod
    def of(cls, key: str, *asked: Any) -> "Attempt":
        """Make one from the endpoint and its parsed fields; the order of object members does not matter."""
        return cls(key, hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).digest())


async def once(
    db: Database, tenant_id: int, attempt: Attempt | None, outcome_type: Any, work: Callable[[], Awaitable[T]]
) -> tuple[T, bool]:
    """Do the work and remember its outcome in one transaction, or return what it came to before.

    The key is locked by the transaction, so a process that dies halfway leaves nothing to clean up.

    :param attempt: ``None`` for a request without a key.
    :param outcome_type: type to decode a remembered outcome to.
    :returns: the outcome, and whether it is a remembered one.
    :raises IdempotencyInProgress: if the same key is being worked on.
    :raises IdempotencyKeyReused: if the key came before with another request.
    """
    async with db.transaction():
        if attempt is None:
            return await work(), False
        if not await idempotency.try_lock(db, tenant_id, attempt.key):
            raise IdempotencyInProgress("A request with this Idempotency-Key is still running; ask again in a moment.")
        record = await idempotency.get(db, tenant_id, attempt.key)
        if record is not None:
            if record.fingerprint != attempt.fingerprint:
                raise IdempotencyKeyReused(
                    "This Idempotency-Key came with a different request before; use a new key for a new request."
                )
            return msgspec.json.decode(record.outcome, type=outcome_type), True
        outcome = await work()
        await idempotency.put(
            db,
            tenant_id,
            attempt.key,
            fingerprint=attempt.fingerprint,
            outcome=msgspec.json.encode(outcome).decode(),
        )
        return outcome, False
