"""``docrefinery plugin``."""

from docrefinery.bootstrap.common import registry_of
from docrefinery.cli.context import settings, subcommands
from docrefinery.cli.output import AsJson, show

app = subcommands("See what plugins are loaded.")

COLUMNS = ("name", "distribution", "version", "profiles", "exporters", "scanners")


@app.callback()
def plugins() -> None:
    """See what plugins are loaded."""


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the loaded plugins and what they offer."""
    found = registry_of(settings()).plugins
    show([{name: getattr(plugin, name) for name in COLUMNS} for plugin in found], COLUMNS, as_json=as_json)
