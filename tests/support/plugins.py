"""Plugins for tests: installed in a folder, or in memory alone."""

from collections.abc import Mapping
from importlib.metadata import Distribution
from os import PathLike
from pathlib import Path
from textwrap import dedent


class FakeDistribution(Distribution):
    """A distribution that exists only here; its entry points name modules that the test puts in ``sys.modules``."""

    def __init__(self, name: str, version: str, entry_points: Mapping[str, str]) -> None:
        """Take the plugins' names and the modules they are in."""
        self._files = _metadata(name, version, entry_points)

    def read_text(self, filename: str) -> str | None:
        """Return a metadata file."""
        return self._files.get(filename)

    def locate_file(self, path: str | PathLike[str]) -> Path:
        """Refuse: there are no files."""
        raise FileNotFoundError(path)


def install(
    folder: Path, name: str, source: str, version: str = "1.0", entry_points: Mapping[str, str] | None = None
) -> None:
    """Install a plugin of one module into a folder, as an installer would; it and its module are called ``name``."""
    if source:
        folder.joinpath(f"{name}.py").write_text(dedent(source))
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    for file_name, content in _metadata(name, version, entry_points or {name: name}).items():
        info.joinpath(file_name).write_text(content)


def _metadata(name: str, version: str, entry_points: Mapping[str, str]) -> dict[str, str]:
    lines = "\n".join(f"{plugin} = {module}" for plugin, module in entry_points.items())
    return {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "entry_points.txt": f"[docrefinery]\n{lines}\n",
    }
