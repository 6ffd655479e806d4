"""Tenants and API keys, for the operator."""

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from docrefinery.errors import InvalidOptions, InvalidRequest, NotFound, UnknownProfile
from docrefinery.model import Scope
from docrefinery.plugin.registry import Registry
from docrefinery.services import options
from docrefinery.services.abilities import Abilities
from docrefinery.services.audit import Action, note
from docrefinery.services.keys import new_key
from docrefinery.settings import MOST, hours_of
from docrefinery.store import tenants
from docrefinery.store.database import Database
from docrefinery.store.records import KeyRecord, TenantRecord, VolumeRecord
from docrefinery.store.tenants import AS_INSTALLED, UNLIMITED, Encrypt, Keep, Limits

QUOTAS = ("requests_per_minute", "max_queued_jobs", "max_pages_in_flight", "max_stored_mb")
"""Limits that take the place of the installation's; the others narrow it."""
_FORM = f"use 1 to {MOST}, unlimited, or default (0) for what the installation does"


class IssuedKey(Struct, frozen=True):
    """A new key, with the secret that is shown this once."""

    key: str
    record: KeyRecord


class Tenants:
    """What an operator does with tenants and keys; everything takes effect at once."""

    def __init__(self, db: Database, registry: Registry, abilities: Abilities, *, has_keys: bool) -> None:
        self._db = db
        self._registry = registry
        self._abilities = abilities
        self._has_keys = has_keys

    async def create(self, name: str, *, encrypt: bool = False) -> TenantRecord:
        """Create a tenant.

        :param encrypt: store its files and artifacts encrypted, whatever the installation does.
        :raises InvalidRequest: if the name is taken or malformed, or nothing can be encrypted.
        """
        self._check_keys(encrypt=encrypt)
        if not (
            name
            and len(name) <= 63
            and name[0].isalnum()
            and all(c.isalnum() or c in "._-" for c in name)
            and name.isascii()
            and name == name.lower()
        ):
            raise InvalidRequest(f"`{name}` is not a tenant name: use a-z, 0-9, '.', '_' and '-', 63 at most.")
        async with self._db.transaction():
            tenant = await tenants.create_tenant(self._db, name, encrypt=encrypt or None)
            if tenant is None:
                raise InvalidRequest(f"There is a tenant `{name}` already.")
            await note(self._db, Action.TENANT_CREATED, tenant.id, f"tenant {tenant.id}", name=name, encrypt=encrypt)
        return tenant

    async def list(self) -> builtins.list[TenantRecord]:
        """Return every tenant."""
        return await tenants.list_tenants(self._db)

    async def volumes(self) -> dict[int, VolumeRecord]:
        """Return what each tenant has stored, by its number."""
        return await tenants.volumes(self._db)

    async def get(self, name: str) -> TenantRecord:
        """Return a tenant by name; raises :class:`NotFound`."""
        tenant = await tenants.get_tenant(self._db, name)
        if tenant is None:
            raise NotFound(f"There is no tenant `{name}`; `docrefinery tenant list` shows them.")
        return tenant

    async def set(
        self,
        name: str,
        *,
        option_text: str | None = None,
        profile: str | None = None,
        limits: Limits | None = None,
        keep: Keep | None = None,
        encrypt: Encrypt | None = None,
    ) -> TenantRecord:
        """Set a tenant's options (JSON), profile, limits, retention and encryption; ``None`` leaves one as it is.

        :raises InvalidRequest: if a limit is no number from 1 on, 0 or unlimited; or if nothing can be encrypted.
        """
        tenant = await self.get(name)
        limits, keep = limits or Limits(), keep or Keep()
        _check(limits)
        self._check_keys(encrypt=encrypt == "on")
        options_checked = None if option_text is None else await self._checked(option_text)
        kept = {f"keep_{what}": hours for what, hours in msgspec.structs.asdict(keep).items()}
        given = {
            "options": option_text,
            "default_profile": profile,
            "encrypt": encrypt,
            **msgspec.structs.asdict(limits),
            **kept,
        }
        async with self._db.transaction():
            changed = await tenants.set_tenant(
                self._db,
                tenant.id,
                options=options_checked,
                default_profile=self._known(profile),
                limits=limits,
                keep=keep,
                encrypt=encrypt,
            )
            await note(self._db, Action.TENANT_CHANGED, tenant.id, f"tenant {tenant.id}", fields=_said(given))
        return changed

    async def issue_key(
        self,
        tenant_name: str,
        scopes: Sequence[str],
        *,
        name: str = "",
        expires_at: datetime | None = None,
        option_text: str = "{}",
        profile: str | None = None,
    ) -> IssuedKey:
        """Make a key for a tenant.

        :raises NotFound: if there is no such tenant.
        :raises InvalidRequest: if a scope is unknown.
        """
        tenant = await self.get(tenant_name)
        known = [scope.value for scope in Scope]
        if wrong := [scope for scope in scopes if scope not in known]:
            raise InvalidRequest(f"`{wrong[0]}` is not a scope; there are {', '.join(known)}.")
        made = new_key()
        new = tenants.NewKey(
            name=name,
            prefix=made.prefix,
            secret_sha256=made.secret_sha256,
            scopes=list(dict.fromkeys(scopes)),
            expires_at=expires_at,
            options=await self._checked(option_text),
            default_profile=self._known(profile),
        )
        async with self._db.transaction():
            record = await tenants.create_key(self._db, tenant.id, new)
            details = {"name": name, "prefix": new.prefix, "scopes": new.scopes, "expires_at": expires_at}
            await note(self._db, Action.KEY_CREATED, tenant.id, f"key {record.id}", **details)
        return IssuedKey(made.key, record)

    async def list_keys(self, tenant_name: str | None) -> builtins.list[KeyRecord]:
        """Return the keys of one tenant or of all."""
        tenant_id = (await self.get(tenant_name)).id if tenant_name else None
        return await tenants.list_keys(self._db, tenant_id)

    async def set_key(
        self, ref: int | UUID, *, name: str | None = None, option_text: str | None = None, profile: str | None = None
    ) -> KeyRecord:
        """Set a key's name, default options (JSON) and profile; ``None`` leaves one as it is.

        :raises NotFound: if there is no such key.
        """
        options_checked = None if option_text is None else await self._checked(option_text)
        given = {"name": name, "options": option_text, "default_profile": profile}
        async with self._db.transaction():
            record = await tenants.set_key(
                self._db, ref, name=name, options=options_checked, default_profile=self._known(profile)
            )
            if record is None:
                raise _no_key(ref)
            await note(self._db, Action.KEY_CHANGED, record.tenant_id, f"key {record.id}", fields=_said(given))
        return record

    async def revoke_key(self, ref: int | UUID) -> KeyRecord:
        """Revoke a key; raises :class:`NotFound`."""
        async with self._db.transaction():
            record = await tenants.revoke_key(self._db, ref)
            if record is None:
                raise _no_key(ref)
            await note(self._db, Action.KEY_REVOKED, record.tenant_id, f"key {record.id}", prefix=record.prefix)
        return record

    def _check_keys(self, *, encrypt: bool) -> None:
        if encrypt and not self._has_keys:
            raise InvalidRequest("Nothing can be encrypted: set DOCREFINERY_SECRET_KEYS here, for the API and workers.")

    async def _checked(self, option_text: str) -> str:
        parsed = options.parse(options.decode(option_text), self._registry)
        if parsed.ignored:
            unknown: list[Any] = sorted(parsed.ignored)
            raise InvalidOptions(f"`{unknown[0]}` is not an option; there are {', '.join(sorted(options.KNOWN))}.")
        await self._abilities.check_languages(parsed.known)
        return msgspec.json.encode(parsed.known).decode()

    def _known(self, profile: str | None) -> str | None:
        if profile and profile not in self._registry.profiles:
            raise unknown_profile(profile, list(self._registry.profiles))
        return profile


def _said(given: Mapping[str, object]) -> builtins.list[str]:
    """Return the names of what was given; the log does not keep values."""
    return [name for name, value in given.items() if value is not None]


def _no_key(ref: int | UUID) -> NotFound:
    return NotFound(f"There is no key {ref}; `docrefinery key list` shows them.")


def _check(limits: Limits) -> None:
    for name, value in msgspec.structs.asdict(limits).items():
        if value is not None and not (0 <= value <= MOST or (value == UNLIMITED and name in QUOTAS)):
            raise InvalidRequest(f"`{name}` is {value}: {_FORM}.")


def number(name: str, text: str | None) -> int | None:
    """Read a limit as people write it: a number, ``unlimited``, or ``default`` for what the installation does.

    Limits that only narrow the installation's take all of these for none of the tenant's own.

    :param name: whose value it is, a field of :class:`Limits`.
    :raises InvalidRequest: if it is neither.
    """
    if text is None:
        return None
    given = text.strip().lower()
    if given in ("default", "0"):
        return 0
    if given == "unlimited":
        return UNLIMITED if name in QUOTAS else 0
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:12]) <= MOST):
        raise InvalidRequest(f"`{name}` is {text[:40]}: {_FORM}.")
    return int(given)


def hours(name: str, text: str | None) -> int | None:
    """Read how long something is kept: a duration, ``forever``, or ``default`` for what the installation does.

    :raises InvalidRequest: if it is neither; ``name`` says whose value it is.
    """
    if text is None:
        return None
    if text.strip().lower() == "default":
        return AS_INSTALLED
    try:
        return hours_of(text)
    except ValueError as error:
        raise InvalidRequest(f"{name}: {error}, or default for what the installation does.") from None


def unknown_profile(profile: str, known: Sequence[str]) -> UnknownProfile:
    """Return the error that says which profile was meant, or which there are."""
    near = get_close_matches(profile, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(sorted(known))}."
    return UnknownProfile(f"There is no profile `{profile}`; {hint}")
