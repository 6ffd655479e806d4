"""What the workers of this installation can do beyond reading text, as they say themselves."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from docrefinery.capabilities import NONE, Lack, Ocr, installed_ocr, lacking, resolve, without_models
from docrefinery.capabilities.languages import shown
from docrefinery.errors import FieldError, InvalidOptions
from docrefinery.model import LONGEST_LANGUAGE
from docrefinery.plugin import Profile
from docrefinery.settings import Settings
from docrefinery.store import workers
from docrefinery.store.database import Database

_KNOWN_SECONDS = 2.0


class Abilities:
    """Asks the workers that are alive; while there are none, or no database, this machine stands in for them."""

    def __init__(self, db: Database | None, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._ocr: tuple[Ocr | None, ...] = ()
        self._until = 0.0

    async def ocr(self) -> tuple[Ocr | None, ...]:
        """Return the OCR engines of the workers, each kind once; ``None`` is a worker without one."""
        if time.monotonic() >= self._until:
            found = await workers.ocr_engines(self._db, self._settings.lease_seconds) if self._db else []
            self._ocr = tuple(found) or (await asyncio.to_thread(installed_ocr, self._settings.ocr_engine),)
            self._until = time.monotonic() + _KNOWN_SECONDS
        return self._ocr

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
        lacks: list[Lack] = []
        for ocr in await self.ocr():
            lacks += lacking(profile.options, ocr, describes=bool(self._settings.picture_description_url))
        models = profile.engine == "auto" and self._settings.engine != "geometric"
        return [*([without_models(NONE).missing] if models else []), *dict.fromkeys(lack.missing for lack in lacks)]


def _common(engines: Sequence[Ocr]) -> list[str]:
    """Return the languages of the first engine that all the others have too."""
    if not engines:
        return []
    first, *others = engines
    return [code for code in shown(first) if all(resolve(code, ocr) is not None for ocr in others)]
