"""What a tenant does with its webhook endpoints and their deliveries."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from docrefinery.errors import FieldError, InvalidRequest, InvalidWebhookUrl, NotFound, RequestError
from docrefinery.model import JOB_UPDATED, PING
from docrefinery.services.audit import Action, note
from docrefinery.services.events import PingEvent
from docrefinery.services.idempotency import Attempt, once
from docrefinery.services.keys import Caller
from docrefinery.services.webhooks.guard import Guard
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.store import deliveries, webhooks
from docrefinery.store.database import Database
from docrefinery.store.paging import Page, PageRequest
from docrefinery.store.records import DeliveryRecord, EndpointRecord, Ref

DISABLED = "The webhook was disabled before this was delivered."


class Wanted(Struct, frozen=True, kw_only=True):
    """An endpoint as its tenant wants it."""

    name: str
    url: str
    secret: str | None = None
    events: Sequence[str] = (JOB_UPDATED,)
    enabled: bool = True


class Change(Struct, frozen=True, kw_only=True):
    """What is to be different about an endpoint; a ``secret`` of ``None`` removes it."""

    name: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    secret: str | UnsetType | None = UNSET
    events: Sequence[str] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET

    @classmethod
    def to(cls, wanted: Wanted) -> "Change":
        """Make the change to exactly this."""
        return cls(name=wanted.name, url=wanted.url, secret=wanted.secret, events=wanted.events, enabled=wanted.enabled)


class Webhooks:
    """Registers, changes, tries out, and shows what was sent. The database wakes who delivers."""

    def __init__(self, db: Database, guard: Guard, secrets: Secrets) -> None:
        self._db = db
        self._guard = guard
        self._secrets = secrets

    async def create(self, caller: Caller, wanted: Wanted, key: str | None) -> tuple[EndpointRecord, bool]:
        """Register an endpoint.

        :param key: the request's idempotency key.
        :returns: the endpoint and whether it is replayed.
        :raises InvalidWebhookUrl: if nothing may be sent to its URL.
        :raises InvalidRequest: if its secret cannot be kept.
        """
        attempt = Attempt.of(key, "POST /v1/webhooks/", *self._asked(wanted)) if key else None
        # The name is looked up outside of the transaction, which would hold a connection meanwhile.
        problems = await self.problems(wanted.url, wanted.secret)

        async def work() -> EndpointRecord:
            _raise(problems)
            values = webhooks.EndpointValues(
                name=wanted.name,
                url=wanted.url,
                secret=self._encrypted(wanted.secret),
                events=_distinct(wanted.events),
                enabled=wanted.enabled,
            )
            endpoint = await webhooks.insert(self._db, caller.tenant_id, values)
            await self._note(Action.WEBHOOK_CREATED, caller, endpoint, has_secret=endpoint.has_secret)
            return endpoint

        return await once(self._db, caller.tenant_id, attempt, EndpointRecord, work)

    def _asked(self, wanted: Wanted) -> tuple[Any, ...]:
        """Return what a request asks for, without its secret."""
        secret = None if wanted.secret is None else self._secrets.digest(wanted.secret)
        return wanted.name, wanted.url, secret, wanted.events, wanted.enabled

    async def page(self, caller: Caller, request: PageRequest) -> Page[EndpointRecord]:
        """Return one page of the tenant's endpoints."""
        return await webhooks.page(caller.tenant_id, request)

    async def get(self, caller: Caller, ref: Ref, *, lock: bool = False) -> EndpointRecord:
        """Return an endpoint; raises :class:`NotFound`."""
        endpoint = await webhooks.get(self._db, caller.tenant_id, ref, lock=lock)
        if endpoint is None:
            raise NotFound(f"There is no webhook {ref}.", kind="webhook", ref=ref)
        return endpoint

    async def change(self, caller: Caller, ref: Ref, change: Change) -> EndpointRecord:
        """Change an endpoint.

        :raises NotFound: if the tenant has none of this name.
        :raises InvalidWebhookUrl: if nothing may be sent to its new URL.
        :raises InvalidRequest: if its new secret cannot be kept.
        """
        await self.get(caller, ref)
        _raise(await self.problems(change.url, change.secret))
        async with self._db.transaction():
            before = await self.get(caller, ref, lock=True)
            after = await webhooks.update(
                self._db, caller.tenant_id, before.id, await self._changed(caller, before, change)
            )
            if before.enabled and not after.enabled:
                await deliveries.fail_pending(self._db, after.id, DISABLED)
            if before.url != after.url:
                await deliveries.release(self._db, after.id)
            await self._note_change(caller, after, change)
        return after

    async def _note_change(self, caller: Caller, endpoint: EndpointRecord, change: Change) -> None:
        """Tell which fields were given; their values may hold secrets."""
        given = [name for name in change.__struct_fields__ if getattr(change, name) is not UNSET]
        if fields := [name for name in given if name != "secret"]:
            await self._note(Action.WEBHOOK_CHANGED, caller, endpoint, fields=fields)
        if "secret" in given:
            await self._note(Action.WEBHOOK_SECRET_CHANGED, caller, endpoint, has_secret=endpoint.has_secret)

    async def _note(self, action: Action, caller: Caller, endpoint: EndpointRecord, **details: Any) -> None:
        await note(self._db, action, caller.tenant_id, f"webhook {endpoint.id}", **details)

    async def _changed(self, caller: Caller, before: EndpointRecord, change: Change) -> webhooks.EndpointValues:
        if change.secret is UNSET:
            secret = await webhooks.secret_of(self._db, caller.tenant_id, before.id)
        else:
            secret = self._encrypted(change.secret)
        return webhooks.EndpointValues(
            name=before.name if change.name is UNSET else change.name,
            url=before.url if change.url is UNSET else change.url,
            secret=secret,
            events=before.events if change.events is UNSET else _distinct(change.events),
            enabled=before.enabled if change.enabled is UNSET else change.enabled,
        )

    async def delete(self, caller: Caller, ref: Ref) -> None:
        """Delete an endpoint with its log; what was on its way may still arrive."""
        async with self._db.transaction():
            endpoint = await self.get(caller, ref, lock=True)
            await webhooks.delete(self._db, caller.tenant_id, endpoint.id)
            await self._note(Action.WEBHOOK_DELETED, caller, endpoint)

    async def ping(self, caller: Caller, ref: Ref, key: str | None) -> tuple[DeliveryRecord, bool]:
        """Send a ping, to a disabled endpoint as well; returns the delivery and whether it is replayed."""
        attempt = Attempt.of(key, "POST /v1/webhooks/{id}/ping/", str(ref)) if key else None

        async def work() -> DeliveryRecord:
            endpoint = await self.get(caller, ref)
            body = PingEvent.of(endpoint, datetime.now(UTC)).encode()
            return await deliveries.insert(self._db, caller.tenant_id, endpoint.id, PING, body)

        return await once(self._db, caller.tenant_id, attempt, DeliveryRecord, work)

    async def log(
        self, caller: Caller, ref: Ref, statuses: tuple[str, ...] | None, request: PageRequest
    ) -> Page[DeliveryRecord]:
        """Return one page of what was sent to an endpoint, or is to be."""
        endpoint = await self.get(caller, ref)
        return await deliveries.page(caller.tenant_id, endpoint.id, statuses, request)

    async def redeliver(self, caller: Caller, ref: Ref, delivery: UUID) -> DeliveryRecord:
        """Send a delivery again, with the same bytes under the same id, to a disabled endpoint as well."""
        endpoint = await self.get(caller, ref)
        found = await deliveries.redeliver(self._db, caller.tenant_id, endpoint.id, delivery)
        if found is None:
            raise NotFound(f"There is no delivery {delivery} of webhook {ref}.", kind="delivery", ref=delivery)
        return found

    async def problems(self, url: str | UnsetType, secret: str | UnsetType | None) -> list[RequestError]:
        """Return what a URL and a secret would be refused for here, each if it is given."""
        found: list[RequestError] = []
        if url is not UNSET:
            try:
                await self._guard.check(url)
            except InvalidWebhookUrl as error:
                found.append(error)
        if isinstance(secret, str) and not self._secrets.available:
            reason = "cannot be kept: the operator of this installation has to set DOCREFINERY_SECRET_KEYS first"
            found.append(InvalidRequest(f"The webhook's `secret` {reason}.", errors=[FieldError("/secret", reason)]))
        return found

    def _encrypted(self, secret: str | None) -> bytes | None:
        return None if secret is None else self._secrets.encrypt(secret)


def _raise(problems: Sequence[RequestError]) -> None:
    """Raise the first, if there are any, with the fields of all."""
    if problems:
        raise problems[0].join(*problems[1:])


def _distinct(events: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(events))
