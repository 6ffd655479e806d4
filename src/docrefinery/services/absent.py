"""What to answer where there is nothing: that there never was, or that it has expired."""

from docrefinery.errors import ArtifactExpired, DocumentExpired, JobExpired, NotFound, RequestError
from docrefinery.store import tombstones
from docrefinery.store.database import Database
from docrefinery.store.records import Ref
from docrefinery.store.tombstones import Kind

_EITHER = "process the document again, or upload it again if it has expired too"
_EXPIRED: dict[Kind, tuple[type[RequestError], str]] = {
    "document": (DocumentExpired, "with all that belonged to it; upload the file again"),
    "job": (JobExpired, f"with its artifacts; {_EITHER}"),
    "artifact": (ArtifactExpired, ""),
}
_AGAIN = {True: "process the document again to get a new one", False: "upload the file again", None: _EITHER}


async def absent(db: Database, tenant_id: int, kind: Kind, ref: Ref) -> RequestError:
    """Return the error to raise for an object that the tenant does not have (any more)."""
    expired_at = await tombstones.expired_at(db, tenant_id, kind, ref)
    if expired_at is None:
        return NotFound(f"There is no {kind} {ref}.", kind=kind, ref=ref)
    error, then = _EXPIRED[kind]
    if kind == "artifact":
        then = _AGAIN[await tombstones.file_of_artifact(db, tenant_id, ref)]
    return error(
        f"{kind.capitalize()} {ref} expired at {expired_at:%Y-%m-%d %H:%M} UTC: {then}.",
        details={"expired_at": expired_at},
    )
