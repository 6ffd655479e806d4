"""``docrefinery job``."""

from typing import Annotated, Any

import typer

from docrefinery.bootstrap.operator import Operator
from docrefinery.cli.context import InTenant, operate, ref, subcommands
from docrefinery.cli.output import AsJson, show, show_one
from docrefinery.errors import InvalidRequest
from docrefinery.model import JobStatus
from docrefinery.store.jobs import JobFilters
from docrefinery.store.paging import PageRequest
from docrefinery.store.records import JobRecord

app = subcommands("List, cancel and retry jobs.")

COLUMNS = ("id", "document", "status", "pages", "error_code", "changed")
JobId = Annotated[str, typer.Argument(help="Number or uuid of the job.")]


def _row(job: JobRecord) -> dict[str, Any]:
    """Show a job with the names that the API has for its fields."""
    names = {"error_details": "error_details_json"}
    hidden = ("event_sequence", "tenant_id")
    return {names.get(name, name): getattr(job, name) for name in job.__struct_fields__ if name not in hidden}


def _line(job: JobRecord) -> dict[str, Any]:
    """Show a job so that it fits a terminal."""
    return {
        "id": job.id,
        "document": job.document_id,
        "status": f"{job.status} {job.stage}" if job.status == JobStatus.RUNNING else job.status,
        "pages": f"{job.pages_done}/{job.pages_total}" if job.pages_total else "",
        "error_code": job.error_code,
        "changed": f"{job.modified_at:%m-%d %H:%M}",
    }


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

    show([(_row if as_json else _line)(job) for job in operate(work)], COLUMNS, as_json=as_json)


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
