"""What a request wants, and what that comes to: the effective options and the queue."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from docrefinery.errors import InvalidOptions, ProfileDisabled, UnknownProfile
from docrefinery.plugin.registry import Registry
from docrefinery.services import options
from docrefinery.services.abilities import Abilities
from docrefinery.services.keys import Caller
from docrefinery.services.queues import Queues
from docrefinery.settings import Settings


class Wanted(Struct, frozen=True):
    """What is asked of a document besides keeping it; ``options`` is decoded JSON."""

    ingest: bool = False
    profile: str | None = None
    options: Any = {}
    external_uuid: UUID | None = None


class Planner:
    """Works out what will be done for a request on this installation."""

    def __init__(self, registry: Registry, abilities: Abilities, settings: Settings) -> None:
        self._registry = registry
        self._abilities = abilities
        self._queues = Queues(registry, abilities, settings)
        self._settings = settings

    async def effective(self, caller: Caller, wanted: Wanted) -> options.Effective:
        """Return the options that hold.

        Whichever is raised names every field that is wrong.

        :raises InvalidOptions: if options are wrong, also for a language that is not installed.
        :raises UnknownProfile: if there is no such profile.
        """
        try:
            effective = options.effective(
                self._settings, self._registry, caller.defaults, profile=wanted.profile, requested=wanted.options
            )
        except (InvalidOptions, UnknownProfile) as error:
            asked = wanted.options if isinstance(wanted.options, dict) else {}
            try:
                await self._abilities.check_languages(asked)
            except InvalidOptions as more:
                error.join(more)
            raise
        await self._abilities.check_languages(effective.options)
        return effective

    async def queue(self, profile: str | None, options: Mapping[str, object]) -> str:
        """Return the queue for jobs of a profile with these effective options."""
        return await self._queues.of(profile, options)


def check_enabled(caller: Caller, profile: str | None) -> None:
    """Raise :class:`ProfileDisabled` if the operator has switched the profile off for the caller's tenant."""
    if profile in caller.defaults.disabled_profiles:
        raise ProfileDisabled(
            f"The profile `{profile}` is switched off for your tenant; ask the operator, or use another."
        )
