"""Everything that plugins, the built-in one included, offer: loaded once a process, checked, and then only read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from types import MappingProxyType
from typing import Any, TypeVar

import pluggy

from docrefinery.plugin import hookspecs
from docrefinery.plugin.descriptors import Exporter, Profile, Scanner
from docrefinery.plugin.discovery import Installed, PluginError, one_line, selected
from docrefinery.plugin.options import wrong_values
from docrefinery.settings import Engine

__all__ = ["Plugin", "PluginError", "Registry", "load"]

Descriptor = TypeVar("Descriptor", Profile, Exporter, Scanner)

HOOKS = ", ".join(sorted(name for name in vars(hookspecs) if name.startswith("docrefinery_")))


@dataclass(frozen=True, slots=True)
class Plugin:
    """A loaded plugin and the names of what it offers."""

    name: str
    distribution: str
    version: str
    profiles: tuple[str, ...] = ()
    exporters: tuple[str, ...] = ()
    scanners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Registry:
    """The descriptors by name (an exporter's is its kind) and the plugins they came from."""

    profiles: Mapping[str, Profile]
    exporters: Mapping[str, Exporter]
    scanners: Mapping[str, Scanner]
    plugins: tuple[Plugin, ...]

    def engine_for(self, profile: str | None, configured: Engine) -> Engine:
        """Return the engine that a job of a profile asks for, where the installation is configured so."""
        chosen = self.profiles.get(profile) if profile else None
        return "geometric" if chosen is not None and chosen.engine == "geometric" else configured

    def content_types(self, kinds: Iterable[str]) -> dict[str, str]:
        """Return the media types that the exporters of some kinds declare, of those that are still installed."""
        return {kind: self.exporters[kind].content_type for kind in kinds if kind in self.exporters}

    def provider(self, descriptor: Profile | Exporter | Scanner) -> Plugin:
        """Return the plugin that offers a descriptor of this registry."""
        attribute, name = _identity(descriptor)
        return next(plugin for plugin in self.plugins if name in getattr(plugin, attribute))


def load(
    plugins: tuple[str, ...] | None = None, distributions: Iterable[metadata.Distribution] | None = None
) -> Registry:
    """Import the installed plugins and collect what they offer.

    :param plugins: names of those to load besides the built-in one; ``None`` loads all.
    :param distributions: what is installed, where that is not this interpreter's own.
    :raises PluginError: if one of them cannot be used.
    """
    chosen = selected(plugins, metadata.distributions() if distributions is None else distributions)
    manager = _manager(chosen)
    offers = {plugin.name: plugin for plugin in chosen}
    profiles = _collect(manager, "docrefinery_profiles", Profile, offers)
    exporters = _collect(manager, "docrefinery_exporters", Exporter, offers)
    scanners = _collect(manager, "docrefinery_scanners", Scanner, offers)
    _check_exports(profiles, exporters)
    _check_values(profiles, exporters)
    return Registry(
        profiles=_by_name(profiles),
        exporters=_by_name(exporters),
        scanners=_by_name(scanners),
        plugins=tuple(
            Plugin(
                name=plugin.name,
                distribution=plugin.distribution,
                version=plugin.version,
                profiles=_names(profiles, plugin),
                exporters=_names(exporters, plugin),
                scanners=_names(scanners, plugin),
            )
            for plugin in chosen
        ),
    )


def _manager(chosen: list[Installed]) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("docrefinery")
    manager.add_hookspecs(hookspecs)
    for plugin in chosen:
        loaded = plugin.load()
        _check_marks(plugin, loaded)
        try:
            manager.register(loaded, name=plugin.name)
            manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            raise plugin.error(
                f"has a hook that does not exist or has other arguments: {one_line(error)}; there are {HOOKS}, none "
                "of which takes arguments"
            ) from error
    return manager


def _check_marks(plugin: Installed, loaded: object) -> None:
    """A hook without its mark would be passed over in silence, and the author would look for the reason for long."""
    for name, member in vars(loaded).items() if hasattr(loaded, "__dict__") else ():
        if name.startswith("docrefinery_") and callable(member) and not hasattr(member, "docrefinery_impl"):
            raise plugin.error(
                f"has a function {name} without the mark @hookimpl (from docrefinery.plugin import hookimpl)"
            )


def _collect(
    manager: pluggy.PluginManager, hook: str, kind: type[Descriptor], plugins: Mapping[str, Installed]
) -> dict[str, tuple[Descriptor, Installed]]:
    found: dict[str, tuple[Descriptor, Installed]] = {}
    implementations = {impl.plugin_name: impl for impl in getattr(manager.hook, hook).get_hookimpls()}
    for plugin in plugins.values():
        if plugin.name not in implementations:
            continue
        for descriptor in _call(plugin, hook, implementations[plugin.name].function, kind):
            name = _identity(descriptor)[1]
            if name in found:
                raise _clash(kind, name, found[name][1], plugin)
            found[name] = (descriptor, plugin)
    return found


def _call(plugin: Installed, hook: str, function: Any, kind: type[Descriptor]) -> list[Descriptor]:
    try:
        returned = function()
    except (Exception, SystemExit) as error:
        raise plugin.error(f"failed in {hook}: {type(error).__name__}: {one_line(error)}") from error
    if not isinstance(returned, (list, tuple)):
        what = "nothing" if returned is None else type(returned).__name__
        raise plugin.error(f"returned {what} from {hook}, not a list of {kind.__name__}")
    for item in returned:
        if not isinstance(item, kind):
            raise plugin.error(f"returned {type(item).__name__} in the list of {hook}, not {kind.__name__}")
    return list(returned)


def _clash(kind: type, name: str, first: Installed, second: Installed) -> PluginError:
    what = kind.__name__.lower()
    if first == second:
        return second.error(f"offers the {what} {name!r} twice")
    return PluginError(
        f"{first} and {second} both offer the {what} {name!r}. "
        "Uninstall one of them or name the plugins to load in DOCREFINERY_PLUGINS"
    )


def _check_exports(
    profiles: Mapping[str, tuple[Profile, Installed]], exporters: Mapping[str, tuple[Exporter, Installed]]
) -> None:
    for profile, plugin in profiles.values():
        if missing := [kind for kind in profile.exports if kind not in exporters]:
            raise plugin.error(
                f"offers the profile {profile.name!r} with the export {missing[0]!r}, which no loaded plugin offers"
            )


def _check_values(
    profiles: Mapping[str, tuple[Profile, Installed]], exporters: Mapping[str, tuple[Exporter, Installed]]
) -> None:
    """A value that no conversion can use would fail every job, long after the start."""
    for profile, plugin in profiles.values():
        if wrong := wrong_values(profile.options):
            raise plugin.error(f"offers the profile {profile.name!r} with wrong options: {wrong[0]}")
    for exporter, plugin in exporters.values():
        if wrong := wrong_values(exporter.needs):
            raise plugin.error(f"offers the exporter {exporter.kind!r} with wrong needs: {wrong[0]}")


def _identity(descriptor: Profile | Exporter | Scanner) -> tuple[str, str]:
    match descriptor:
        case Profile():
            return "profiles", descriptor.name
        case Exporter():
            return "exporters", descriptor.kind
        case Scanner():
            return "scanners", descriptor.name


def _by_name(found: Mapping[str, tuple[Descriptor, Installed]]) -> Mapping[str, Descriptor]:
    return MappingProxyType({name: descriptor for name, (descriptor, _) in found.items()})


def _names(found: Mapping[str, tuple[Descriptor, Installed]], plugin: Installed) -> tuple[str, ...]:
    return tuple(name for name, (_, owner) in found.items() if owner is plugin)
