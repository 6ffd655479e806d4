"""What is added to the audit log a moment after the answer: downloads, and what was refused.

Kept in memory for a second at the most, so that the answer does not wait, and so that its time does not tell whether
an object that was refused exists. A process that is killed loses that second.
"""

import asyncio
from collections import Counter
from time import monotonic
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from docrefinery.services.audit import Acting, Action, acting
from docrefinery.store import audit
from docrefinery.store.audit import Named, NewEntry
from docrefinery.store.database import REFUSED, UNREACHABLE, Database
from docrefinery.store.records import KeyRecord, Ref
from docrefinery.store.wall import across_tenants

log = structlog.get_logger(__name__)

DELAY_SECONDS = 1.0
PARTING_SECONDS = 2.0
AT_ONCE = 500
LATE_SECONDS = 5
"""An entry is told to be of an earlier time than it is written at if that is longer ago."""
KEPT = 20_000
"""Entries that wait for a database that is away; more are dropped, and the log of the process says how many."""


class _Refused(Struct, frozen=True):
    """An object that was not found for its asker, and when: seconds of the monotonic clock."""

    actor: Acting
    named: Named
    at: float


class _Kept(Struct, frozen=True):
    """An entry that waits to be written, and since when."""

    entry: NewEntry
    at: float

    def late(self, now: float) -> NewEntry:
        """Return the entry as it is written now: one that had to wait for the database says how long."""
        waited = round(now - self.at)
        if waited <= LATE_SECONDS:
            return self.entry
        return msgspec.structs.replace(self.entry, details=self.entry.details | {"waited_seconds": waited})


class Trail:
    """Collects entries and writes them in the background."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._entries: list[_Kept] = []
        self._refused: list[_Refused] = []
        self._dropped = 0
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    async def start(self) -> None:
        """Write in the background from now on."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Write what is left, as far as the database is there."""
        if self._task is not None:
            # Not in the middle of writing: what was written would be written again.
            async with self._writing:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with asyncio.timeout(PARTING_SECONDS):
                await self.write()
        except (TimeoutError, *UNREACHABLE) as error:
            log.warning("audit_entries_lost", entries=len(self._entries) + len(self._refused), error=str(error))

    def downloaded(self, action: Action, object: str, **details: Any) -> None:  # noqa: A002 - what the log calls it
        """Note that somebody fetched a file."""
        self._keep(acting().entry(action, object=object, **details))

    def scope_missing(self, scope: str) -> None:
        """Note that a key was used for what it may not do."""
        self._keep(acting().entry(Action.SCOPE_MISSING, outcome="denied", scope=scope))

    def key_refused(self, key: KeyRecord, reason: str) -> None:
        """Note that somebody came with a key that has ended; the secret was right."""
        actor = msgspec.structs.replace(
            acting(), kind="key", name=key.name or key.prefix, key_id=key.id, tenant_id=key.tenant_id
        )
        self._keep(actor.entry(Action.KEY_REFUSED, object=f"key {key.id}", outcome="denied", reason=reason))

    def not_found(self, kind: str, ref: Ref) -> None:
        """Look later whether an object that was not found is another tenant's."""
        if len(self._refused) >= KEPT:
            self._dropped += 1
            return
        named = Named(kind, ref, None) if isinstance(ref, int) else Named(kind, None, str(ref))
        self._refused.append(_Refused(acting(), named, monotonic()))

    def _keep(self, entry: NewEntry) -> None:
        if len(self._entries) >= KEPT:
            self._dropped += 1
            return
        self._entries.append(_Kept(entry, monotonic()))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(DELAY_SECONDS)
            try:
                await self.write()
            except UNREACHABLE as error:
                log.warning("audit_entries_wait", error=str(error))
            except Exception:
                log.exception("audit_entries_not_written")

    async def write(self) -> None:
        """Write what has come in; what cannot be written stays."""
        if self._dropped:
            log.error("audit_entries_dropped", entries=self._dropped)
            self._dropped = 0
        async with self._writing:
            with across_tenants():
                await self._look_up()
                while batch := self._entries[:AT_ONCE]:
                    try:
                        now = monotonic()
                        await audit.insert(self._db, _folded([kept.late(now) for kept in batch]))
                        del self._entries[: len(batch)]
                    except REFUSED:
                        await self._write_one_by_one(len(batch))

    async def _write_one_by_one(self, count: int) -> None:
        """Write the first entries, and drop those that cannot be written."""
        for _ in range(count):
            entry = self._entries[0].late(monotonic())
            try:
                await audit.insert(self._db, [entry])
            except REFUSED as error:
                log.error("audit_entry_dropped", action=entry.action, tenant_id=entry.tenant_id, error=str(error))  # noqa: TRY400
            del self._entries[0]

    async def _look_up(self) -> None:
        """Make entries of what was not found and exists."""
        while asked := self._refused[:AT_ONCE]:
            owners = await audit.owners(self._db, [one.named for one in asked])
            del self._refused[: len(asked)]
            for place, owner in owners.items():
                self._entries.append(_Kept(_denied(asked[place], *owner), asked[place].at))


def _denied(refused: _Refused, tenant_id: int, number: int) -> NewEntry:
    """Tell of an object by its number, whatever it was called by; its tenant is in the details."""
    return refused.actor.entry(
        Action.ACCESS_DENIED, object=f"{refused.named.kind} {number}", outcome="denied", owner_tenant_id=tenant_id
    )


def _folded(entries: list[NewEntry]) -> list[NewEntry]:
    """Make one entry of refusals that are the same but for their request: whoever knocks often fills no disk."""
    kinds = [entry if entry.outcome == "done" else _alike(entry) for entry in entries]
    times = Counter(msgspec.json.encode(kind) for kind in kinds)
    seen: set[bytes] = set()
    folded = []
    for entry, kind in zip(entries, kinds, strict=True):
        text = msgspec.json.encode(kind)
        if entry.outcome == "denied" and times[text] > 1:
            if text in seen:
                continue
            seen.add(text)
            folded.append(msgspec.structs.replace(entry, details=entry.details | {"times": times[text]}))
        else:
            folded.append(entry)
    return folded


def _alike(entry: NewEntry) -> NewEntry:
    details = {name: value for name, value in entry.details.items() if name != "waited_seconds"}
    return msgspec.structs.replace(entry, request_id="", details=details)
