"""``docrefinery plugin``."""

from typing import Any

from docrefinery.bootstrap.common import registry_of
from docrefinery.cli.context import settings, subcommands
from docrefinery.cli.output import AsJson, show
from docrefinery.plugin.registry import Plugin

app = subcommands("See what plugins are loaded.")

KINDS = ("profiles", "exporters", "scanners")


@app.callback()
def plugins() -> None:
    """See what plugins are loaded."""


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the loaded plugins and what they offer."""
    found = registry_of(settings()).plugins
    rows = [_row(plugin) if as_json else _line(plugin) for plugin in found]
    show(rows, ("name", "distribution", "offers"), as_json=as_json)


def _row(plugin: Plugin) -> dict[str, Any]:
    return {name: getattr(plugin, name) for name in ("name", "distribution", "version", *KINDS)}


def _line(plugin: Plugin) -> dict[str, Any]:
    """Show a plugin so that it fits a terminal."""
    offers = {kind: getattr(plugin, kind) for kind in KINDS}
    return {
        "name": plugin.name,
        "distribution": f"{plugin.distribution} {plugin.version}",
        "offers": "; ".join(f"{kind}: {', '.join(names)}" for kind, names in offers.items() if names),
    }
