"""Which profiles a tenant may use, for the operator."""

from msgspec import Struct

from docrefinery.plugin.registry import Registry
from docrefinery.services.audit import Action, note
from docrefinery.services.tenants import Tenants, unknown_profile
from docrefinery.store import toggles
from docrefinery.store.database import Database


class Toggle(Struct, frozen=True):
    """A profile of one tenant; ``plugin`` is ``None`` if no loaded plugin offers it any more."""

    name: str
    enabled: bool
    plugin: str | None
    summary: str


class Toggles:
    """Switches profiles off and on. Processes that run hear of it at once; jobs that were accepted run on."""

    def __init__(self, db: Database, registry: Registry, tenants: Tenants) -> None:
        self._db = db
        self._registry = registry
        self._tenants = tenants

    async def list(self, tenant_name: str) -> list[Toggle]:
        """Return every profile that is installed, and those that are disabled though they are gone."""
        off = await toggles.disabled(self._db, (await self._tenants.get(tenant_name)).id)
        gone = [name for name in off if name not in self._registry.profiles]
        return [self._toggle(name, enabled=name not in off) for name in (*self._registry.profiles, *gone)]

    async def disable(self, tenant_name: str, profile: str) -> Toggle:
        """Switch a profile off; raises :class:`UnknownProfile` if no plugin offers it."""
        tenant = await self._tenants.get(tenant_name)
        if profile not in self._registry.profiles:
            raise unknown_profile(profile, list(self._registry.profiles))
        async with self._db.transaction():
            await toggles.disable(self._db, tenant.id, profile)
            await note(self._db, Action.PROFILE_DISABLED, tenant.id, f"profile {profile}")
        return self._toggle(profile, enabled=False)

    async def enable(self, tenant_name: str, profile: str) -> Toggle:
        """Switch a profile on, also one whose plugin is gone; raises :class:`UnknownProfile` if it is neither."""
        tenant = await self._tenants.get(tenant_name)
        async with self._db.transaction():
            was_off = await toggles.enable(self._db, tenant.id, profile)
            if not was_off and profile not in self._registry.profiles:
                known = [*self._registry.profiles, *await toggles.disabled(self._db, tenant.id)]
                raise unknown_profile(profile, known)
            await note(self._db, Action.PROFILE_ENABLED, tenant.id, f"profile {profile}")
        return self._toggle(profile, enabled=True)

    def _toggle(self, name: str, *, enabled: bool) -> Toggle:
        profile = self._registry.profiles.get(name)
        if profile is None:
            return Toggle(name, enabled, None, "")
        return Toggle(name, enabled, self._registry.provider(profile).name, profile.summary)
