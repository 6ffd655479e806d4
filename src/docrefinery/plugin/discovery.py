"""Finding installed plugins and importing them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint

GROUP = "docrefinery"
BUILTIN = "builtin"


class PluginError(Exception):
    """A plugin cannot be used; the message names it, its distribution and version, and says what to do."""


def one_line(error: BaseException) -> str:
    """Return what an error says, without its line breaks."""
    return " ".join(str(error).split())


@dataclass(frozen=True, slots=True)
class Installed:
    """A plugin that is installed: its entry point and the distribution that brought it."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def __str__(self) -> str:
        return f"plugin {self.name!r} of {self.distribution} {self.version}"

    def error(self, problem: str) -> PluginError:
        """Return the error that says what is wrong with this plugin and how to go on without it."""
        return PluginError(
            f"{self} {problem}. Uninstall {self.distribution} or install another version of it, "
            "or name the plugins to load in DOCREFINERY_PLUGINS"
        )

    def load(self) -> object:
        """Import the plugin.

        :raises PluginError: if that fails.
        """
        try:
            return self.entry_point.load()
        except (Exception, SystemExit) as error:
            raise self.error(f"cannot be imported: {type(error).__name__}: {one_line(error)}") from error


def selected(names: tuple[str, ...] | None, distributions: Iterable[Distribution]) -> list[Installed]:
    """Return the plugins to load, the built-in one first, the others by name.

    :param names: those to load besides the built-in one; ``None`` for all.
    :param distributions: what is installed.
    :raises PluginError: if a name is missing, or two distributions offer plugins of one name.
    """
    found: dict[str, Installed] = {}
    for plugin in _installed(distributions):
        if (other := found.setdefault(plugin.name, plugin)) is not plugin:
            raise PluginError(f"{other} and {plugin} have the same name. Uninstall one of the two distributions")
    if BUILTIN not in found:
        raise PluginError("the plugin 'builtin' is missing: docrefinery itself is not installed properly. Reinstall it")
    for name in names or ():
        if name not in found:
            raise PluginError(
                f"DOCREFINERY_PLUGINS names {name!r}, which is not installed. Install it or take it out of the list; "
                f"installed are: {', '.join(sorted(found))}"
            )
    wanted = set(found) if names is None else {BUILTIN, *names}
    return sorted((found[name] for name in wanted), key=lambda plugin: (plugin.name != BUILTIN, plugin.name))


def _installed(distributions: Iterable[Distribution]) -> Iterator[Installed]:
    seen: set[str] = set()
    for distribution in distributions:
        # Before the name: parsing the metadata of everything that is installed takes 0.1 s.
        offered = [entry_point for entry_point in distribution.entry_points if entry_point.group == GROUP]
        if not offered:
            continue
        name = str(distribution.metadata["Name"])
        canonical = re.sub(r"[-_.]+", "-", name).lower()
        # A distribution may be found twice (an editable install, a path listed twice): the first one is imported.
        if canonical in seen:
            continue
        seen.add(canonical)
        for entry_point in offered:
            yield Installed(entry_point.name, name, distribution.version, entry_point)
