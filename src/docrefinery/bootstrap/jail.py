"""Whether a converter can be kept apart on this machine: asked of a real one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from docrefinery.bootstrap.common import child_limits, seclusion_of
from docrefinery.capabilities import Measure, missing
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.scratch import open_to, scratch_folder, temporary_base
from docrefinery.settings import Settings, SettingsError


@contextmanager
def command_scratch(settings: Settings) -> Iterator[Path]:
    """Make a folder for the converter of a command; what a killed command left is removed first.

    :raises SettingsError: if the temporary folder has no safe place for it.
    """
    try:
        base = temporary_base()
    except OSError as error:
        raise SettingsError(str(error)) from error
    with scratch_folder(base) as scratch:
        # Root's converters take accounts of their own, and have their folders in there.
        open_to(seclusion_of(settings).account, base, scratch)
        yield scratch


async def measures_of(settings: Settings, scratch: Path) -> tuple[Measure, ...]:
    """Start a converter without plugins and models, and return what it is kept apart by.

    :param scratch: existing folder for its own folder.
    :raises ConverterUnavailable: if it does not start.
    """
    seclusion = seclusion_of(msgspec.structs.replace(settings, jail="auto"))
    converter = Converter(child_limits(settings), (), scratch, seclusion=seclusion)
    try:
        await converter.start()
        return converter.jail
    finally:
        await converter.close()


def require_jail(settings: Settings, scratch: Path) -> None:
    """Return if nothing is missing that has to be there.

    :param scratch: where converters will have their folders.
    :raises SettingsError: if something is, in one line.
    :raises ConverterUnavailable: if no converter starts.
    """
    if settings.jail != "require":
        return
    if lacks := missing(asyncio.run(measures_of(settings, scratch))):
        raise SettingsError(f"DOCREFINERY_JAIL=require, and this machine cannot keep converters apart: {lacks}.")
