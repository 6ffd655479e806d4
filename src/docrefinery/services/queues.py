"""Which queue a job waits in."""

from collections.abc import Mapping

from docrefinery.model import FAST, MODEL, MODELS, OCR, QUEUE
from docrefinery.plugin.registry import Registry
from docrefinery.services.abilities import Abilities
from docrefinery.settings import Settings

_BEFORE = {FAST: QUEUE, OCR: QUEUE, MODEL: MODELS}


def class_of(
    profile: str | None, options: Mapping[str, object], registry: Registry, settings: Settings, *, models: bool
) -> str:
    """Return what a job costs.

    :param options: its effective ones, or its profile's.
    :param models: whether a worker holds Docling's models.
    """
    if models and registry.engine_for(profile, settings.engine) != "geometric":
        return MODEL
    return OCR if options.get("do_ocr") else FAST


class Queues:
    """Puts jobs where the workers look that are for what they cost."""

    def __init__(self, registry: Registry, abilities: Abilities, settings: Settings) -> None:
        self._registry = registry
        self._abilities = abilities
        self._settings = settings

    async def of(self, profile: str | None, options: Mapping[str, object]) -> str:
        """Return the queue of a new job of a profile.

        Without a worker that holds Docling's models any other takes what wants them: what it comes to then, the
        converter decides. While only workers of the version before are there for it, the queue is one that they know.
        """
        served = await self._abilities.models_served()
        found = class_of(profile, options, self._registry, self._settings, models=served)
        taken = await self._abilities.queues()
        return _BEFORE[found] if found not in taken and QUEUE in taken else found
