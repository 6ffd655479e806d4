"""``docrefinery tenant``."""

from typing import Annotated, Any

import typer

from docrefinery.cli.context import operate, subcommands
from docrefinery.cli.output import AsJson, show, show_one
from docrefinery.store.records import TenantRecord
from docrefinery.store.tenants import Encrypt, Limits

app = subcommands("Create, list and set up tenants.")

# The options are in the JSON alone: a terminal has no room for them.
COLUMNS = {
    "id": "id",
    "name": "name",
    "profile": "default_profile",
    "upload MiB": "max_upload_mb",
    "pages": "max_pages",
    "jobs at a time": "max_running_jobs",
    "encrypted": "encrypt",
}


def _row(tenant: TenantRecord) -> dict[str, Any]:
    return {name: getattr(tenant, name) for name in tenant.__struct_fields__}


def _line(tenant: TenantRecord) -> dict[str, Any]:
    """Show a tenant so that it fits a terminal."""
    return {column: getattr(tenant, name) for column, name in COLUMNS.items()}


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="a-z, 0-9, '.', '_' and '-'.")],
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Store its files and artifacts encrypted.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a tenant."""
    tenant = operate(lambda services: services.tenants.create(name, encrypt=encrypt))
    show_one(_row(tenant), f"Tenant {tenant.name} created (id {tenant.id}).", as_json=as_json)


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the tenants."""
    tenants = operate(lambda services: services.tenants.list())
    show([(_row if as_json else _line)(tenant) for tenant in tenants], list(COLUMNS), as_json=as_json)


@app.command("set")
def set_up(
    name: Annotated[str, typer.Argument(help="Name of the tenant.")],
    options: Annotated[str | None, typer.Option(help="Default options, a JSON object.")] = None,
    profile: Annotated[str | None, typer.Option(help="Default profile; an empty text removes it.")] = None,
    max_upload_mb: Annotated[int | None, typer.Option(help="Largest upload in MiB; 0 removes the limit.")] = None,
    max_pages: Annotated[int | None, typer.Option(help="Most pages of a job; 0 removes the limit.")] = None,
    max_running_jobs: Annotated[int | None, typer.Option(help="Most jobs at a time; 0 removes the limit.")] = None,
    encrypt: Annotated[
        Encrypt | None,
        typer.Option(help="Store new files and artifacts encrypted; `default` as the installation does."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set a tenant's defaults, limits and encryption; what is not given stays."""
    limits = Limits(max_upload_mb=max_upload_mb, max_pages=max_pages, max_running_jobs=max_running_jobs)
    tenant = operate(
        lambda services: services.tenants.set(
            name, option_text=options, profile=profile, limits=limits, encrypt=encrypt
        )
    )
    show_one(_row(tenant), f"Tenant {tenant.name} set.", as_json=as_json)
