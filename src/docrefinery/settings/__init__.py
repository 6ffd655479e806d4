"""The installation's settings: one frozen struct, read once from the environment and passed on."""

from docrefinery.settings.durations import FOREVER, hours_of, shown
from docrefinery.settings.reading import description, is_secret_key, load, variables
from docrefinery.settings.struct import MOST, Engine, OcrEngine, Settings, SettingsError

__all__ = [
    "FOREVER",
    "MOST",
    "Engine",
    "OcrEngine",
    "Settings",
    "SettingsError",
    "description",
    "hours_of",
    "is_secret_key",
    "load",
    "shown",
    "variables",
]
