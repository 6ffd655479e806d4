"""The hooks a plugin may implement. Each is called once, when a process starts, and returns descriptors."""

import pluggy

from docrefinery.plugin.descriptors import Exporter, Profile, Scanner

hookspec = pluggy.HookspecMarker("docrefinery")


@hookspec
def docrefinery_profiles() -> list[Profile]:
    """Return the profiles that this plugin offers."""
    raise NotImplementedError


@hookspec
def docrefinery_exporters() -> list[Exporter]:
    """Return the exporters that this plugin offers."""
    raise NotImplementedError


@hookspec
def docrefinery_scanners() -> list[Scanner]:
    """Return the malware scanners that this plugin offers."""
    raise NotImplementedError
