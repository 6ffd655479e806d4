"""``docrefinery profile``."""

from typing import Annotated, Any

import msgspec
import typer

from docrefinery.cli.context import InTenant, operate, subcommands
from docrefinery.cli.output import AsJson, show, show_one
from docrefinery.services.toggles import Toggle

app = subcommands("List a tenant's profiles, and switch them off and on.")

COLUMNS = ("name", "state", "plugin", "summary")
Name = Annotated[str, typer.Argument(help="Name of the profile.")]


def _line(toggle: Toggle) -> dict[str, Any]:
    return msgspec.structs.asdict(toggle) | {"state": "enabled" if toggle.enabled else "disabled"}


@app.command("list")
def list_all(tenant: InTenant = "default", as_json: AsJson = False) -> None:
    """List the profiles; one without a plugin is disabled, and not installed any more."""
    toggles = operate(lambda services: services.toggles.list(tenant))
    show([(msgspec.structs.asdict if as_json else _line)(toggle) for toggle in toggles], COLUMNS, as_json=as_json)


@app.command()
def enable(name: Name, tenant: InTenant = "default", as_json: AsJson = False) -> None:
    """Let a tenant use a profile again, at once."""
    toggle = operate(lambda services: services.toggles.enable(tenant, name))
    show_one(msgspec.structs.asdict(toggle), f"Profile {name} is enabled for {tenant}.", as_json=as_json)


@app.command()
def disable(name: Name, tenant: InTenant = "default", as_json: AsJson = False) -> None:
    """Refuse new jobs of a profile, at once; accepted ones run on."""
    toggle = operate(lambda services: services.toggles.disable(tenant, name))
    show_one(msgspec.structs.asdict(toggle), f"Profile {name} is disabled for {tenant}.", as_json=as_json)
