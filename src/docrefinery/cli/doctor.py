"""``docrefinery doctor``."""

import asyncio

import msgspec
import typer

from docrefinery import logs
from docrefinery.bootstrap.common import registry_of
from docrefinery.cli.context import settings
from docrefinery.cli.output import AsJson, show

COLUMNS = ("part", "status", "detail")


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, what is missing, and what to do about it; exits with 1 if something has failed."""
    from docrefinery.bootstrap.doctor import examine

    chosen = settings()
    # What is wrong is what the table says.
    logs.configure(msgspec.structs.replace(chosen, log_level="error"), "doctor")
    findings = asyncio.run(examine(chosen, registry_of(chosen)))
    show([msgspec.structs.asdict(finding) for finding in findings], COLUMNS, as_json=as_json)
    if any(finding.status == "failed" for finding in findings):
        raise typer.Exit(1)
