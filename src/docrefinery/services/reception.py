"""Taking the bytes of uploads: into the storage, or past it where nothing of them is going to be kept."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import structlog

from docrefinery.errors import QuotaExceeded, StorageError, Unavailable
from docrefinery.services.keys import Caller
from docrefinery.services.limits import upload_limit
from docrefinery.services.load import Arrival, Load
from docrefinery.services.quotas import Quotas
from docrefinery.services.uploads import Nowhere, Refusal, Size, Upload
from docrefinery.settings import Settings
from docrefinery.store import documents, garbage, idempotency
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.encryption.vault import Vault

log = structlog.get_logger(__name__)

ABANDONED = timedelta(hours=6)
"""After this an upload that nothing refers to is garbage; none takes so long."""


class Reception:
    """Takes uploads in, and removes what came to nothing."""

    def __init__(self, db: Database, vault: Vault, settings: Settings, quotas: Quotas, load: Load) -> None:
        self._db = db
        self._vault = vault
        self._settings = settings
        self._quotas = quotas
        self._load = load

    @asynccontextmanager
    async def receiving(self, caller: Caller, size: Size, key: str | None = None) -> AsyncIterator[Upload]:
        """Open an upload. What is not accepted before the block ends is removed, also after a crash.

        What needs no room is taken however full everything is, and only hashed: a request that was answered before,
        and a file that may be here already, by its size. Such an upload has a ``refusal`` for the case that it is new.

        :param key: the request's idempotency key.
        :raises QuotaExceeded: if there is no room for it.
        :raises Unavailable: if the installation has too much to do, or its disk is too full.
        """
        if key is not None and await idempotency.get(self._db, caller.tenant_id, key) is not None:
            yield self._passing(caller, Unavailable("The first answer to this request is gone by now; send it again."))
            return
        async with AsyncExitStack() as stack:
            found = await self._room(stack, caller, size)
            if isinstance(found, Arrival):
                yield await stack.enter_async_context(self._opened(caller, found))
            elif await documents.any_of_size(self._db, caller.tenant_id, size.at_least, size.at_most):
                yield self._passing(caller, found)
            else:
                raise found

    async def _room(self, stack: AsyncExitStack, caller: Caller, size: Size) -> Arrival | Refusal:
        """Make room until the stack ends, or return why there is none."""
        try:
            await self._load.check_queue()
            await self._quotas.check_stored(caller, size.at_least)
            return await stack.enter_async_context(self._load.arriving(size.at_most))
        except (QuotaExceeded, Unavailable) as refusal:
            return refusal

    def _passing(self, caller: Caller, refusal: Refusal) -> Upload:
        return Upload("", uuid4(), upload_limit(self._settings, caller), Nowhere(), Arrival(0), refusal)

    @asynccontextmanager
    async def _opened(self, caller: Caller, arrival: Arrival) -> AsyncIterator[Upload]:
        uuid = uuid4()
        key = f"{caller.tenant_uuid}/documents/{uuid}.pdf"
        await garbage.note(self._db, key, removable_in=ABANDONED)
        try:
            encrypt = self._vault.encrypts(caller.encrypt)
            async with self._vault.writing(caller.tenant_id, key, encrypt=encrypt) as writer:
                upload = Upload(key, uuid, upload_limit(self._settings, caller), writer, arrival)
                yield upload
                upload.check_magic()
        except StorageError as error:
            raise Unavailable("The storage does not take the file at the moment; try again later.") from error
        except BaseException:
            await self._remove(key)
            raise

    async def discard(self, upload: Upload) -> None:
        """Remove an upload that came to nothing; what cannot be removed now is left to the sweep."""
        if upload.refusal is None:
            await self._remove(upload.key)

    async def _remove(self, key: str) -> None:
        try:
            async with self._db.transaction():
                if await garbage.hold(self._db, key):
                    await self._vault.delete(key)
                    await garbage.forget(self._db, key)
        except (StorageError, Unavailable, *UNREACHABLE) as error:
            log.warning("upload_left_for_the_sweep", key=key, error=str(error))
