"""The command line: thin commands over the services."""

import sys

import asyncpg
import typer

from docrefinery.embedded import EmbeddedError
from docrefinery.errors import RefineryError
from docrefinery.plugin.registry import PluginError
from docrefinery.settings import SettingsError

EXPECTED = (SettingsError, PluginError, EmbeddedError, RefineryError)
"""What is wrong is in the message: one line, and no trace."""


def main() -> None:
    """Run the command line."""
    from docrefinery.cli.app import app  # noqa: PLC0415 - errors of the import of plugins are caught here as well

    try:
        app()
    except EXPECTED as error:
        details = "".join(f"\n  {field.pointer}: {field.detail}" for field in getattr(error, "errors", ()))
        typer.echo(f"docrefinery: {error}{details}", err=True)
        sys.exit(1)
    except asyncpg.UndefinedTableError:
        typer.echo("docrefinery: the database has no schema yet: run `docrefinery migrate`.", err=True)
        sys.exit(1)
    except (OSError, asyncpg.PostgresError) as error:
        typer.echo(f"docrefinery: cannot reach the database: {error}", err=True)
        sys.exit(1)
