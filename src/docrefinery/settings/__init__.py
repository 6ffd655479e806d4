"""The installation's settings: one frozen struct, read once from the environment and passed on."""

from docrefinery.settings.reading import description, is_secret_key, load, variables
from docrefinery.settings.struct import Engine, OcrEngine, Settings, SettingsError

__all__ = [
    "Engine",
    "OcrEngine",
    "Settings",
    "SettingsError",
    "description",
    "is_secret_key",
    "load",
    "variables",
]
