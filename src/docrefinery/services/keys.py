"""API keys: how they look, how they are made, and who a key belongs to.

A key is ``dr_<prefix>_<secret><checksum>``: a public prefix that finds its row, 160 random bits, and a CRC-32 that
tells a mistyped key from a revoked one without asking the database. Only the secret's SHA-256 is kept: with 160 bits of
entropy there is nothing to guess, so a slow password hash would only cost time.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from docrefinery.errors import Unauthenticated
from docrefinery.model import Scope
from docrefinery.services.options import Defaults
from docrefinery.store import tenants
from docrefinery.store.database import Database
from docrefinery.store.records import KeyRecord

_FORMAT = re.compile(r"dr_(?P<prefix>[a-z2-7]{10})_(?P<secret>[a-z2-7]{32})(?P<checksum>[a-z2-7]{7})")
_CACHED = 10_000
# Bounds what a change that was not heard of can do: PgBouncer in transaction mode swallows every NOTIFY.
_CACHED_SECONDS = 1.0


class Caller(Struct, frozen=True):
    """Who asks: the only place that a tenant comes from."""

    tenant_id: int
    tenant_uuid: str
    tenant_name: str
    key_id: int
    key_name: str
    scopes: frozenset[Scope]
    defaults: Defaults
    max_upload_mb: int | None = None
    encrypt: bool | None = None
    requests_per_minute: int | None = None
    max_queued_jobs: int | None = None
    max_pages_in_flight: int | None = None
    max_stored_mb: int | None = None


class NewKey(Struct, frozen=True):
    """A key as its owner sees it, once."""

    key: str
    prefix: str
    secret_sha256: bytes


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().lower().rstrip("=")


def _checksum(text: str) -> str:
    return _base32(zlib.crc32(text.encode()).to_bytes(4, "big"))


def new_key() -> NewKey:
    """Make a key."""
    prefix, secret = _base32(secrets.token_bytes(7))[:10], _base32(secrets.token_bytes(20))
    body = f"dr_{prefix}_{secret}"
    return NewKey(key=body + _checksum(body), prefix=prefix, secret_sha256=hashlib.sha256(secret.encode()).digest())


class Authenticator:
    """Says who a key belongs to.

    Rows are cached for a second, and only while somebody listens to changes of keys, so that a revoked key is
    refused at once.

    :param on_refused: told of a key that is known and has ended, and why it is refused.
    """

    def __init__(self, db: Database, on_refused: Callable[[KeyRecord, str], None] = lambda _, __: None) -> None:
        self._db = db
        self._on_refused = on_refused
        self._rows: dict[str, tuple[KeyRecord, float]] = {}
        self._caching = False
        self._generation = 0

    def cache(self, on: bool) -> None:  # noqa: FBT001 - the one argument of a callback
        """Switch caching on while changes are heard of, and off while they are not."""
        self._caching = on
        self.forget()

    def forget(self) -> None:
        """Drop what is cached: some key or tenant changed."""
        self._rows.clear()
        self._generation += 1

    async def authenticate(self, key: str) -> Caller:
        """Return whose key this is.

        :raises Unauthenticated: if it is malformed, unknown, expired or revoked.
        """
        match = _FORMAT.fullmatch(key)
        if match is None or not hmac.compare_digest(_checksum(key[:-7]), match["checksum"]):
            raise Unauthenticated("This is not an API key; check that it was copied whole.")
        row = await self._row(match["prefix"])
        digest = hashlib.sha256(match["secret"].encode()).digest()
        if row is None or not hmac.compare_digest(digest, row.secret_sha256):
            raise Unauthenticated("The API key is unknown.")
        if row.revoked_at is not None:
            self._on_refused(row, "revoked")
            raise Unauthenticated("The API key has been revoked.")
        if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
            self._on_refused(row, "expired")
            raise Unauthenticated("The API key has expired.")
        return _caller(row)

    async def _row(self, prefix: str) -> KeyRecord | None:
        now = time.monotonic()
        if (cached := self._rows.get(prefix)) is not None and cached[1] > now:
            return cached[0]
        generation = self._generation
        row = await tenants.key_by_prefix(self._db, prefix)
        # What was read before the last change was heard of may be from before it.
        if row is not None and self._caching and generation == self._generation:
            if len(self._rows) >= _CACHED:
                self._rows.clear()
            self._rows[prefix] = (row, now + _CACHED_SECONDS)
        return row


def _caller(row: KeyRecord) -> Caller:
    return Caller(
        tenant_id=row.tenant_id,
        tenant_uuid=str(row.tenant_uuid),
        tenant_name=row.tenant_name,
        key_id=row.id,
        key_name=row.name or row.prefix,
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        defaults=Defaults(
            tenant=row.tenant_options,
            key=row.options,
            profile=row.default_profile or row.tenant_default_profile,
            disabled_profiles=frozenset(row.tenant_disabled_profiles),
            max_pages=row.tenant_max_pages,
        ),
        max_upload_mb=row.tenant_max_upload_mb,
        encrypt=row.tenant_encrypt,
        requests_per_minute=row.tenant_requests_per_minute,
        max_queued_jobs=row.tenant_max_queued_jobs,
        max_pages_in_flight=row.tenant_max_pages_in_flight,
        max_stored_mb=row.tenant_max_stored_mb,
    )
