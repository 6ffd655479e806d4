"""Whether a converter can be kept apart on this machine: asked of a real one."""

import asyncio
from pathlib import Path

import msgspec

from docrefinery.bootstrap.common import child_limits, seclusion_of
from docrefinery.capabilities import Measure, missing
from docrefinery.pipeline.converter import Converter
from docrefinery.settings import Settings, SettingsError


async def measures_of(settings: Settings, scratch: Path | None = None) -> tuple[Measure, ...]:
    """Start a converter without plugins and models, and return what it is kept apart by.

    :raises ConverterUnavailable: if it does not start.
    """
    seclusion = seclusion_of(msgspec.structs.replace(settings, jail="auto"))
    converter = Converter(child_limits(settings), (), scratch, seclusion=seclusion)
    try:
        await converter.start()
        return converter.jail
    finally:
        await converter.close()


def require_jail(settings: Settings, scratch: Path | None = None) -> None:
    """Return if nothing is missing that has to be there.

    :param scratch: where converters will have their folders.
    :raises SettingsError: if something is, in one line.
    :raises ConverterUnavailable: if no converter starts.
    """
    if settings.jail != "require":
        return
    if lacks := missing(asyncio.run(measures_of(settings, scratch))):
        raise SettingsError(f"DOCREFINERY_JAIL=require, and this machine cannot keep converters apart: {lacks}.")
