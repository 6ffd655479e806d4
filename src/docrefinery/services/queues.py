"""Which queue a job waits in."""

from docrefinery.plugin.registry import Registry
from docrefinery.services.abilities import Abilities
from docrefinery.services.doorbell import MODELS, QUEUE
from docrefinery.settings import Settings


class Queues:
    """Keeps jobs that want Docling's models for the workers that hold them, as long as there is one."""

    def __init__(self, registry: Registry, abilities: Abilities, settings: Settings) -> None:
        self._registry = registry
        self._abilities = abilities
        self._settings = settings

    async def of(self, profile: str | None) -> str:
        """Return the queue of a new job of a profile.

        Without such a worker any other takes the job at once: what it comes to then, the converter decides.
        """
        if self._registry.engine_for(profile, self._settings.engine) == "geometric":
            return QUEUE
        return MODELS if await self._abilities.models_served() else QUEUE
