"""``docrefinery tenant``."""

from typing import Annotated, Any

import msgspec
import typer

from docrefinery.bootstrap.operator import Operator
from docrefinery.cli.context import operate, subcommands
from docrefinery.cli.output import AsJson, show, show_one
from docrefinery.services.tenants import QUOTAS, hours, number
from docrefinery.settings import shown
from docrefinery.store.records import TenantRecord, VolumeRecord
from docrefinery.store.tenants import UNLIMITED, Encrypt, Keep, Limits

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


STORED = "stored MiB"
QUOTA = "unlimited, or default (0) for what the installation does"
NARROW = "default, unlimited or 0 for the installation's alone"
DURATION = "30d, 12h, forever, or default"


def _row(tenant: TenantRecord, volume: VolumeRecord | None = None) -> dict[str, Any]:
    """Show a tenant with the names that its settings have in `tenant set`, and what it has stored."""
    row = {name: getattr(tenant, name) for name in tenant.__struct_fields__ if not name.startswith("keep_")}
    for what in Keep.__struct_fields__:
        kept = getattr(tenant, f"keep_{what}")
        row[f"keep_{what.removesuffix('_hours')}"] = None if kept is None else shown(kept)
    for what in QUOTAS:
        row[what] = "unlimited" if row[what] == UNLIMITED else row[what]
    stored = msgspec.structs.asdict(volume) if volume else {}
    return row | stored


def _line(row: dict[str, Any]) -> dict[str, Any]:
    """Show a tenant so that it fits a terminal."""
    stored = round((row["document_bytes"] + row["artifact_bytes"]) / 2**20, 1)
    return {column: row[name] for column, name in COLUMNS.items()} | {STORED: stored}


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
    """List the tenants with what they have stored; `--json` shows all their settings."""

    async def work(services: Operator) -> list[dict[str, Any]]:
        volumes = await services.tenants.volumes()
        return [_row(tenant, volumes[tenant.id]) for tenant in await services.tenants.list() if tenant.id in volumes]

    rows = operate(work)
    show(rows if as_json else [_line(row) for row in rows], [*COLUMNS, STORED], as_json=as_json)


@app.command("set")
def set_up(
    name: Annotated[str, typer.Argument(help="Name of the tenant.")],
    options: Annotated[str | None, typer.Option(help="Default options, a JSON object.")] = None,
    profile: Annotated[str | None, typer.Option(help="Default profile; an empty text removes it.")] = None,
    max_upload_mb: Annotated[str | None, typer.Option(help=f"Largest upload in MiB; {NARROW}.")] = None,
    max_pages: Annotated[str | None, typer.Option(help=f"Most pages of a job; {NARROW}.")] = None,
    max_running_jobs: Annotated[str | None, typer.Option(help=f"Most jobs at a time; {NARROW}.")] = None,
    requests_per_minute: Annotated[str | None, typer.Option(help=f"Most requests in a minute; {QUOTA}.")] = None,
    max_queued_jobs: Annotated[str | None, typer.Option(help=f"Most queued jobs; {QUOTA}.")] = None,
    max_pages_in_flight: Annotated[
        str | None, typer.Option(help=f"Most pages of queued and running jobs; {QUOTA}.")
    ] = None,
    max_stored_mb: Annotated[str | None, typer.Option(help=f"Most MiB of files and artifacts; {QUOTA}.")] = None,
    keep_files: Annotated[str | None, typer.Option(help=f"How long files are kept: {DURATION}.")] = None,
    keep_artifacts: Annotated[str | None, typer.Option(help=f"How long artifacts are kept: {DURATION}.")] = None,
    keep_jobs: Annotated[str | None, typer.Option(help=f"How long jobs are kept: {DURATION}.")] = None,
    encrypt: Annotated[
        Encrypt | None,
        typer.Option(help="Store new files and artifacts encrypted; `default` as the installation does."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set a tenant's defaults, limits, retention and encryption; what is not given stays."""
    given = {
        "max_upload_mb": max_upload_mb,
        "max_pages": max_pages,
        "max_running_jobs": max_running_jobs,
        "requests_per_minute": requests_per_minute,
        "max_queued_jobs": max_queued_jobs,
        "max_pages_in_flight": max_pages_in_flight,
        "max_stored_mb": max_stored_mb,
    }
    limits = Limits(**{name: number(name, text) for name, text in given.items()})
    keep = Keep(
        files_hours=hours("--keep-files", keep_files),
        artifacts_hours=hours("--keep-artifacts", keep_artifacts),
        jobs_hours=hours("--keep-jobs", keep_jobs),
    )
    tenant = operate(
        lambda services: services.tenants.set(
            name, option_text=options, profile=profile, limits=limits, keep=keep, encrypt=encrypt
        )
    )
    show_one(_row(tenant), f"Tenant {tenant.name} set.", as_json=as_json)
