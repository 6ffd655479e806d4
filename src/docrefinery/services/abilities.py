"""What the workers of this installation can do beyond reading text, as they say themselves."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from docrefinery.capabilities import (
    NONE,
    Lack,
    Models,
    Ocr,
    installed_models,
    installed_ocr,
    lacking,
    resolve,
    without_models,
)
from docrefinery.capabilities.languages import shown
from docrefinery.errors import FieldError, InvalidOptions
from docrefinery.model import LONGEST_LANGUAGE
from docrefinery.plugin import Profile
from docrefinery.settings import Settings
from docrefinery.store import workers
from docrefinery.store.database import Database
from docrefinery.store.workers import Able

_KNOWN_SECONDS = 2.0


class _Known(Struct, frozen=True):
    """What was found, and whether jobs may wait for models."""

    ocr: tuple[Ocr | None, ...] = ()
    models: Models = NONE
    served: bool = False
    queues: frozenset[str] = frozenset()


class Abilities:
    """Asks the workers that are alive; while there are none, or no database, this machine stands in for them."""

    def __init__(self, db: Database | None, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._found = _Known()
        self._until = 0.0

    async def ocr(self) -> tuple[Ocr | None, ...]:
        """Return the OCR engines of the workers, each kind once; ``None`` is a worker without one."""
        return (await self._known()).ocr

    async def models(self) -> Models:
        """Return Docling's models as workers hold them, or why none does.

        Of workers that hold some, those of the one that holds the fewest: any of them may get the job. One that is
        still loading its own is heard only where no other has them.
        """
        return (await self._known()).models

    async def models_served(self) -> bool:
        """Return whether a worker holds Docling's models, loads them, or did so lately: its restart is waited for."""
        return (await self._known()).served

    async def queues(self) -> frozenset[str]:
        """Return the queues that workers take."""
        return (await self._known()).queues

    async def _known(self) -> _Known:
        if time.monotonic() >= self._until:
            self._found = await self._look()
            self._until = time.monotonic() + _KNOWN_SECONDS
        return self._found

    async def _look(self) -> _Known:
        if self._db is None:
            return await asyncio.to_thread(self._of_this_machine)
        seen = await workers.models_seen(self._db, self._settings.models_wait_seconds)
        queues = frozenset(await workers.queues(self._db, self._settings.lease_seconds))
        if told := await workers.able(self._db, self._settings.lease_seconds):
            return _all_of(told, served=seen, queues=queues)
        return msgspec.structs.replace(await asyncio.to_thread(self._of_this_machine), queues=queues)

    def _of_this_machine(self) -> _Known:
        loads = self._settings.engine != "geometric" and self._settings.model_slots != 0
        models = installed_models(self._settings.models_folder) if loads else NONE
        # A job that comes before the first worker has said what it is loading does not go to one without models.
        return _Known((installed_ocr(self._settings.ocr_engine),), models, models.usable)

    async def check_languages(self, options: Mapping[str, Any]) -> None:
        """Refuse languages that some worker lacks.

        :param options: a job's effective options.
        :raises InvalidOptions: naming each, and those that there are.
        """
        if errors := await self.wrong_languages(options.get("ocr_languages")):
            raise InvalidOptions("`ocr_languages` names languages that are not installed; see `errors`.", errors=errors)

    async def wrong_languages(self, languages: Any) -> list[FieldError]:
        """Return an error for each language that some worker lacks; what is no list of texts has other errors."""
        if not isinstance(languages, list) or not all(isinstance(language, str) for language in languages):
            return []
        if all(language.strip().lower() == "auto" for language in languages):
            return []
        engines = [ocr for ocr in await self.ocr() if ocr is not None]
        wrong = {
            index: language
            for index, language in enumerate(languages)
            if 0 < len(language) <= LONGEST_LANGUAGE
            and (not engines or any(resolve(language, ocr) is None for ocr in engines))
        }
        there_are = ", ".join(_common(engines)) or "none, since there is no OCR engine"
        return [
            FieldError(f"/options_json/ocr_languages/{i}", f"`{language}` is not installed; there are {there_are}")
            for i, language in wrong.items()
        ]

    async def missing(self, profile: Profile) -> list[str]:
        """Return what a profile would need here and does not have; empty where everything is there."""
        wanted = profile.engine != "geometric" and self._settings.engine != "geometric"
        models = await self.models() if wanted else NONE
        if models.loading:
            return ["Docling's models, which are being loaded: jobs wait for them"]
        lacks: list[Lack] = [without_models(models)] if wanted and not models.usable else []
        for ocr in await self.ocr():
            describes = bool(self._settings.picture_description_url)
            lacks += lacking(profile.options, ocr, describes=describes, models=models)
        return list(dict.fromkeys(lack.missing for lack in lacks))


def _all_of(told: Sequence[Able], *, served: bool, queues: frozenset[str]) -> _Known:
    ocr = tuple(dict.fromkeys(each.ocr for each in told))
    models = [each.models for each in told if each.models is not None]
    usable = sorted((each for each in models if each.usable), key=lambda each: (each.loading, len(each.held)))
    unusable = [each for each in models if each.problem]
    return _Known(ocr, next(iter([*usable, *unusable]), NONE), served, queues)


def _common(engines: Sequence[Ocr]) -> list[str]:
    """Return the languages of the first engine that all the others have too."""
    if not engines:
        return []
    first, *others = engines
    return [code for code in shown(first) if all(resolve(code, ocr) is not None for ocr in others)]
