"""Who did what: entries of the audit log, and who is acting in the running request or command.

What changes something notes it in its own transaction (:func:`note`). What changes nothing (downloads, refusals) is
noted by :class:`~docrefinery.services.trail.Trail` a moment later.
"""

import os
import pwd
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

from msgspec import Struct

from docrefinery.store import audit
from docrefinery.store.audit import ActorKind, NewEntry, Outcome
from docrefinery.store.database import Database


class Action(StrEnum):
    """What the log tells of."""

    TENANT_CREATED = "tenant.created"
    TENANT_CHANGED = "tenant.changed"
    TENANT_SHREDDED = "tenant.shredded"
    KEY_CREATED = "key.created"
    KEY_CHANGED = "key.changed"
    KEY_REVOKED = "key.revoked"
    PROFILE_ENABLED = "profile.enabled"
    PROFILE_DISABLED = "profile.disabled"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_SECRET_CHANGED = "webhook.secret_changed"  # noqa: S105 - the name of an action
    WEBHOOK_DELETED = "webhook.deleted"
    DOCUMENT_DOWNLOADED = "document.downloaded"
    DOCUMENT_DELETED = "document.deleted"
    ARTIFACT_DOWNLOADED = "artifact.downloaded"
    JOB_CANCELED = "job.canceled"
    JOB_RETRIED = "job.retried"
    ACCESS_DENIED = "access.denied"
    SCOPE_MISSING = "scope.missing"
    KEY_REFUSED = "key.refused"
    AUDIT_PRUNED = "audit.pruned"
    STORAGE_REPAIRED = "storage.repaired"
    STORAGE_ENCRYPTED = "storage.encrypted"
    STORAGE_REWRAPPED = "storage.rewrapped"


class Acting(Struct):
    """Who acts: a request's key once it is known, an account of this machine, or the system by itself."""

    kind: ActorKind = "system"
    name: str = ""
    key_id: int | None = None
    tenant_id: int | None = None
    request_id: str = ""
    client: str = ""

    def entry(
        self,
        action: Action,
        *,
        tenant_id: int | None = None,
        object: str = "",  # noqa: A002 - what the log calls it
        outcome: Outcome = "done",
        **details: Any,
    ) -> NewEntry:
        """Make an entry about this actor; without a tenant it is about the actor's own."""
        return NewEntry(
            action=action,
            actor_kind=self.kind,
            actor=self.name,
            key_id=self.key_id,
            tenant_id=self.tenant_id if tenant_id is None else tenant_id,
            object=object,
            outcome=outcome,
            request_id=self.request_id,
            client=self.client,
            details=details,
        )


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


def acting() -> Acting:
    """Return who acts here."""
    return _acting.get() or Acting()


def request_came(request_id: str, client: str) -> None:
    """Note a request of which nobody knows yet whose it is."""
    _acting.set(Acting(request_id=request_id, client=client))


def key_is_known(key_id: int, name: str, tenant_id: int) -> None:
    """Note whose request it is."""
    actor = acting()
    actor.kind, actor.name, actor.key_id, actor.tenant_id = "key", name, key_id, tenant_id


def operator_acts() -> None:
    """Note that the account of this process acts: whoever runs a command."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"uid {uid}"
    _acting.set(Acting(kind="operator", name=name))


async def note(
    db: Database,
    action: Action,
    tenant_id: int | None,
    object: str,  # noqa: A002 - what the log calls it
    **details: Any,
) -> None:
    """Add an entry, in the transaction of the change it tells of."""
    await audit.insert(db, [acting().entry(action, tenant_id=tenant_id, object=object, **details)])
