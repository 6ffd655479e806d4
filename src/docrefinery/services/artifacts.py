"""Artifacts: list, and read their bytes."""

from collections.abc import AsyncIterator, Mapping

from docrefinery.services.absent import absent
from docrefinery.services.keys import Caller
from docrefinery.store import artifacts
from docrefinery.store.artifacts import ArtifactFilters
from docrefinery.store.database import Database
from docrefinery.store.encryption.vault import Stored, Vault
from docrefinery.store.paging import Page, PageRequest
from docrefinery.store.records import ArtifactRecord, Ref


class Artifacts:
    """What a tenant does with the results of its jobs."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def page(self, caller: Caller, filters: ArtifactFilters, request: PageRequest) -> Page[ArtifactRecord]:
        """Return one page of the tenant's artifacts."""
        return await artifacts.page(caller.tenant_id, filters, request)

    async def get(self, caller: Caller, ref: Ref) -> ArtifactRecord:
        """Return an artifact.

        :raises ArtifactExpired: if it was removed after its time.
        :raises NotFound: if there is none.
        """
        artifact = await artifacts.get(self._db, caller.tenant_id, ref)
        if artifact is not None:
            return artifact
        raise await absent(self._db, caller.tenant_id, "artifact", ref)

    def stream(self, blob: Stored, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Yield an artifact's bytes."""
        return self._vault.stream(blob, start=start, end=end)

    async def presigned(self, blob: Stored, headers: Mapping[str, str], seconds: int) -> str | None:
        """Return a URL under which the storage itself sends the bytes, ``None`` if it cannot as it should."""
        return await self._vault.presigned(blob, headers, seconds)
