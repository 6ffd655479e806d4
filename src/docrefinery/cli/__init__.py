"""The command line: thin commands over the services."""

import logging
import os
import sys
from contextlib import suppress
from typing import NoReturn

import typer

from docrefinery.embedded import EmbeddedError
from docrefinery.errors import RefineryError
from docrefinery.plugin.registry import PluginError
from docrefinery.settings import SettingsError
from docrefinery.store.database import SCHEMA_MISSING, UNREACHABLE
from docrefinery.store.locking import Busy

EXPECTED = (SettingsError, PluginError, EmbeddedError, RefineryError, Busy)
"""What is wrong is in the message: one line, and no trace."""


def main() -> None:
    """Run the command line, and end the process."""
    try:
        _run()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            typer.echo(ended.code, err=True)
        _leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))


def _leave(code: int) -> NoReturn:
    """End without taking the interpreter apart.

    The storage's client lets go of Python objects in threads of its own. Where those come too late, CPython before 3.14
    ends them in a way that aborts the process: one in ten that did so little as write a blob.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _run() -> None:
    from docrefinery.cli.app import app

    try:
        app()
    except EXPECTED as error:
        details = "".join(f"\n  {field.pointer}: {field.detail}" for field in getattr(error, "errors", ()))
        typer.echo(f"docrefinery: {error}{details}", err=True)
        sys.exit(1)
    except SCHEMA_MISSING:
        typer.echo("docrefinery: the database has no schema yet, or an older one: run `docrefinery migrate`.", err=True)
        sys.exit(1)
    except UNREACHABLE as error:
        # A file's error names the file; a connection's does not.
        of_file = isinstance(error, OSError) and error.filename is not None
        what = f"{error.strerror}: {error.filename}" if of_file else f"cannot reach the database: {error}"  # type: ignore[union-attr]
        typer.echo(f"docrefinery: {what}", err=True)
        sys.exit(1)
