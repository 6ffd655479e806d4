"""Loads one module as a plugin, whether or not a distribution of it is installed."""

from importlib import metadata
from os import PathLike
from pathlib import Path

from docrefinery.plugin.discovery import GROUP
from docrefinery.plugin.registry import Plugin, PluginError, Registry, load

_NAME = "under_test"


class _UnderTest(metadata.Distribution):
    """A distribution that exists only here."""

    def __init__(self, module: str) -> None:
        self._files = {
            "METADATA": f"Metadata-Version: 2.1\nName: {module}\nVersion: (under test)\n",
            "entry_points.txt": f"[{GROUP}]\n{_NAME} = {module}\n",
        }

    def read_text(self, filename: str) -> str | None:
        return self._files.get(filename)

    def locate_file(self, path: str | PathLike[str]) -> Path:
        raise FileNotFoundError(path)


def loaded(module: str) -> tuple[Registry, Plugin]:
    """Return what the built-in plugin and this one offer together, and this one.

    :raises AssertionError: if it cannot be loaded.
    """
    try:
        registry = load(distributions=[metadata.distribution("docrefinery"), _UnderTest(module)])
    except PluginError as error:
        raise AssertionError(str(error)) from error
    return registry, next(plugin for plugin in registry.plugins if plugin.name == _NAME)
