"""``docrefinery tenant``."""

from typing import Annotated, Any

import typer

from docrefinery.cli.context import operate, subcommands
from docrefinery.cli.output import AsJson, show, show_one
from docrefinery.store.records import TenantRecord

app = subcommands("Create, list and set up tenants.")

COLUMNS = ("id", "name", "default_profile", "options", "created_at")


def _row(tenant: TenantRecord) -> dict[str, Any]:
    return {name: getattr(tenant, name) for name in tenant.__struct_fields__}


@app.command()
def create(name: Annotated[str, typer.Argument(help="a-z, 0-9, '.', '_' and '-'.")], as_json: AsJson = False) -> None:
    """Create a tenant."""
    tenant = operate(lambda services: services.tenants.create(name))
    show_one(_row(tenant), f"Tenant {tenant.name} created (id {tenant.id}).", as_json=as_json)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the tenants."""
    tenants = operate(lambda services: services.tenants.list())
    show([_row(tenant) for tenant in tenants], COLUMNS, as_json=as_json)


@app.command("set")
def set_up(
    name: Annotated[str, typer.Argument(help="Name of the tenant.")],
    options: Annotated[str | None, typer.Option(help="Default options, a JSON object.")] = None,
    profile: Annotated[str | None, typer.Option(help="Default profile; an empty text removes it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Set a tenant's default options and profile."""
    tenant = operate(lambda services: services.tenants.set(name, option_text=options, profile=profile))
    show_one(_row(tenant), f"Tenant {tenant.name} set.", as_json=as_json)
