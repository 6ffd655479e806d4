"""``docrefinery job``."""

from typing import Annotated, Any

import typer

from docrefinery.bootstrap.operator import Operator
from docrefinery.cli.context import operate, ref, subcommands
from docrefinery.cli.output import AsJson, show, show_one
from docrefinery.errors import InvalidRequest
from docrefinery.model import JobStatus
from docrefinery.store.jobs import JobFilters
from docrefinery.store.paging import PageRequest
from docrefinery.store.records import JobRecord

app = subcommands("List, cancel and retry jobs.")

COLUMNS = ("id", "status", "stage", "document_id", "profile", "pages_done", "pages_total", "error_code", "modified_at")
InTenant = Annotated[str, typer.Option("--tenant", help="Name of the tenant.")]
JobId = Annotated[str, typer.Argument(help="Number or uuid of the job.")]


def _row(job: JobRecord) -> dict[str, Any]:
    return {name: getattr(job, name) for name in job.__struct_fields__ if name != "event_sequence"}


@app.command("list")
def list_some(
    tenant: InTenant = "default",
    status: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many of the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List a tenant's newest jobs."""
    wanted = tuple(part.strip().upper() for part in status.split(",")) if status else None
    if wanted and (wrong := [part for part in wanted if part not in list(JobStatus)]):
        raise InvalidRequest(f"`{wrong[0]}` is not a status; there are {', '.join(JobStatus)}.")

    async def work(services: Operator) -> list[JobRecord]:
        owner = await services.tenants.get(tenant)
        return (await services.jobs.page(owner.id, JobFilters(status=wanted), PageRequest(size=limit))).items

    show([_row(job) for job in operate(work)], COLUMNS, as_json=as_json)


@app.command()
def cancel(job: JobId, tenant: InTenant = "default", as_json: AsJson = False) -> None:
    """Cancel a queued or running job."""

    async def work(services: Operator) -> tuple[JobRecord, bool]:
        owner = await services.tenants.get(tenant)
        outcome = await services.jobs.cancel(owner.id, ref(job))
        return outcome.job, outcome.stopping

    canceled, stopping = operate(work)
    show_one(_row(canceled), f"Job {canceled.id} is {'being stopped' if stopping else 'canceled'}.", as_json=as_json)


@app.command()
def retry(job: JobId, tenant: InTenant = "default", as_json: AsJson = False) -> None:
    """Queue a failed or quarantined job again."""

    async def work(services: Operator) -> JobRecord:
        owner = await services.tenants.get(tenant)
        return await services.jobs.retry(owner.id, ref(job))

    retried = operate(work)
    show_one(_row(retried), f"Job {retried.id} is queued for attempt {retried.attempt}.", as_json=as_json)
