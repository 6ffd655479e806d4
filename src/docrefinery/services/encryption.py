"""What an operator does with encrypted storage: bring old blobs over, change keys, give a tenant's key up."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import structlog
from msgspec import Struct

from docrefinery.errors import InvalidRequest, StorageError
from docrefinery.services.audit import Action, note
from docrefinery.services.tenants import Tenants
from docrefinery.store import garbage, plain_blobs, tenant_keys
from docrefinery.store.blobs import BlobMissing
from docrefinery.store.database import Database
from docrefinery.store.encryption.errors import KeyUnavailable
from docrefinery.store.encryption.keys import MasterKeys
from docrefinery.store.encryption.vault import Vault, VaultWriter
from docrefinery.store.plain_blobs import PlainBlob
from docrefinery.store.records import TenantRecord

log = structlog.get_logger(__name__)

AT_ONCE = 100
UNFINISHED = timedelta(hours=6)
"""After this an encrypted copy that no row refers to is garbage; none takes so long."""
STILL_READ = timedelta(hours=1)
"""So long a plain blob stays after its row has left it: downloads and jobs that began before may still read it."""


class Unreadable(Exception):
    """A plain blob is not there, or not what its row says."""


class Encrypted(Struct):
    """What came of a tenant's plain blobs: how many are encrypted now, and the keys of those that cannot be read."""

    blobs: int = 0
    unreadable: list[str] = []


class Rewrapped(Struct):
    """How many tenants' keys are under the first master key now, and whose could not be opened."""

    tenants: int = 0
    unavailable: list[str] = []


class Shredded(Struct, frozen=True):
    """Whether the tenant had a key, and how many jobs ended with it."""

    had_key: bool
    jobs: int


async def rewrap(db: Database, masters: MasterKeys) -> Rewrapped:
    """Wrap every tenant's key under the first master key; blobs and their keys stay as they are."""
    done, last = Rewrapped(), 0
    while found := await tenant_keys.after(db, last, AT_ONCE):
        for key in found:
            try:
                new = masters.renewed(key.tenant_id, key.wrapped)
            except KeyUnavailable:
                done.unavailable.append(key.tenant_name)
                continue
            if new is not None:
                await tenant_keys.replace(db, key.tenant_id, key.wrapped, new)
            done.tenants += 1
        last = found[-1].tenant_id
    if done.unavailable:
        log.error("tenant_keys_unavailable", tenants=done.unavailable)
    return done


class Encryption:
    """The operator's commands; all of them may run while the service does."""

    def __init__(self, db: Database, vault: Vault, masters: MasterKeys, tenants: Tenants) -> None:
        self._db = db
        self._vault = vault
        self._masters = masters
        self._tenants = tenants

    async def rewrap(self) -> Rewrapped:
        """Wrap every tenant's key under the first master key.

        :raises InvalidRequest: if none is set.
        """
        if not self._masters.available:
            raise InvalidRequest("Set DOCREFINERY_SECRET_KEYS to the keys that API and workers have.")
        done = await rewrap(self._db, self._masters)
        counts = {"tenants": done.tenants, "unavailable": len(done.unavailable)}
        await note(self._db, Action.STORAGE_REWRAPPED, None, "storage", **counts)
        return done

    async def encrypt(self, tenant_name: str, told: Callable[[int], None]) -> Encrypted:
        """Encrypt what a tenant has stored plainly; what was done stays done if it is broken off.

        :param told: called with the number of blobs encrypted so far.
        :raises NotFound: if there is no such tenant.
        :raises InvalidRequest: if its new blobs would still be plain.
        :raises StorageError: if the storage or the tenant's key is away.
        """
        tenant = await self._tenants.get(tenant_name)
        if not self._vault.encrypts(tenant.encrypt):
            raise InvalidRequest(f"Switch it on first: `docrefinery tenant set {tenant_name} --encrypt on`.")
        done = Encrypted()
        try:
            await self._encrypt_all(tenant, done, told)
        finally:
            # What was done stays done, and is told, also if the rest was broken off.
            counts = {"blobs": done.blobs, "unreadable": len(done.unreadable)}
            await note(self._db, Action.STORAGE_ENCRYPTED, tenant.id, f"tenant {tenant.id}", **counts)
        return done

    async def _encrypt_all(self, tenant: TenantRecord, done: Encrypted, told: Callable[[int], None]) -> None:
        for table in plain_blobs.TABLES:
            last = 0
            while found := await plain_blobs.after(self._db, table, tenant.id, last, AT_ONCE):
                for blob in found:
                    try:
                        done.blobs += await self._encrypt(tenant, blob)
                    except Unreadable:
                        done.unreadable.append(blob.blob_key)
                    told(done.blobs)
                last = found[-1].id

    async def give_up(self, tenant_name: str) -> Shredded:
        """Delete a tenant's key: what was encrypted under it is unreadable for good, and answers as expired.

        Jobs on such files are canceled; a running one is stopped by its worker, and its results are not published.

        :raises NotFound: if there is no such tenant.
        """
        tenant = await self._tenants.get(tenant_name)
        async with self._db.transaction():
            had_key = await tenant_keys.give_up(self._db, tenant.id)
            ended = await tenant_keys.expire_sealed(self._db, tenant.id)
            if had_key:
                about = f"tenant {tenant.id}"
                await note(self._db, Action.TENANT_SHREDDED, tenant.id, about, name=tenant_name, jobs=ended)
        return Shredded(had_key=had_key, jobs=ended)

    async def _encrypt(self, tenant: TenantRecord, blob: PlainBlob) -> bool:
        """Encrypt a blob; false if its row is gone, or refers to another by now.

        :raises Unreadable: if its content is not there or not what it was.
        """
        key = garbage.encrypted_copy(blob.blob_key, str(uuid4()))
        await garbage.note(self._db, key, removable_in=UNFINISHED)
        try:
            async with self._vault.writing(tenant.id, key, encrypt=True) as writer:
                await self._copy(blob, writer)
            assert writer.data_key is not None
            if await self._swap(blob, key, writer.data_key):
                return True
        except (BlobMissing, Unreadable) as error:
            await self._discard(key)
            if await plain_blobs.refers(self._db, blob):
                log.warning("blob_not_encrypted", blob=blob.blob_key, error=str(error))
                raise Unreadable from error
            return False
        await self._discard(key)
        return False

    async def _copy(self, blob: PlainBlob, writer: VaultWriter) -> None:
        """Write what the row says, and nothing else: damaged bytes must not get a seal."""
        digest = hashlib.sha256()
        async for piece in self._vault.stream(blob):
            digest.update(piece)
            await writer.write(piece)
        if digest.hexdigest() != blob.sha256:
            raise Unreadable("its bytes are not those that were stored")

    async def _swap(self, blob: PlainBlob, key: str, data_key: bytes) -> bool:
        async with self._db.transaction():
            await self._vault.hold_key(blob.tenant_id, [(key, data_key)])
            if not await plain_blobs.swap(self._db, blob, key, data_key):
                return False
            if not await garbage.forget(self._db, key):
                raise StorageError(f"The encrypted copy of {blob.blob_key} took too long and was given up.")
            await garbage.note(self._db, blob.blob_key, removable_in=STILL_READ)
        return True

    async def _discard(self, key: str) -> None:
        async with self._db.transaction():
            if await garbage.hold(self._db, key):
                await self._vault.delete(key)
                await garbage.forget(self._db, key)
