"""The one command and its subcommands."""

from typing import Annotated

import typer

import docrefinery
from docrefinery.cli import audit, jobs, keys, models, plugins, profiles, storage, tenants
from docrefinery.cli.convert import convert
from docrefinery.cli.doctor import doctor
from docrefinery.cli.push import push
from docrefinery.cli.serve import api, migrate, worker
from docrefinery.cli.up import up

app = typer.Typer(
    name="docrefinery",
    help="DocumentRefinery: PDFs in, structured artifacts out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(docrefinery.__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """DocumentRefinery: PDFs in, structured artifacts out."""


app.command()(up)
app.command()(api)
app.command()(worker)
app.command()(migrate)
app.command()(convert)
app.command()(push)
app.command()(doctor)
app.add_typer(tenants.app, name="tenant")
app.add_typer(keys.app, name="key")
app.add_typer(profiles.app, name="profile")
app.add_typer(jobs.app, name="job")
app.add_typer(audit.app, name="audit")
app.add_typer(storage.app, name="storage")
app.add_typer(models.app, name="models")
app.add_typer(plugins.app, name="plugin")
