"""``docrefinery api``, ``worker`` and ``migrate``: the production processes.

Each command imports what it alone needs: together that takes a second, and a worker needs no web framework.
"""

import asyncio
import ctypes
import math
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from docrefinery import logs, tracing
from docrefinery.bootstrap.common import connected, seclusion_of
from docrefinery.bootstrap.encryption import check_keys
from docrefinery.bootstrap.secrets import keyed
from docrefinery.bootstrap.storage import check_storage
from docrefinery.cli.context import settings
from docrefinery.pipeline.scratch import scratch_folder
from docrefinery.settings import Settings, SettingsError

_PR_SET_PDEATHSIG = 1
KEEP_ALIVE_SECONDS = 130
"""How long a connection may rest: longer than clients (httpx 5 s, Go 90 s) and proxies (nginx 60 s) reuse one.

A request that crosses the end of its connection is lost, and nobody can say whether it was taken.
"""

DataDir = Annotated[Path | None, typer.Option(help="Folder of everything that is kept on this machine.")]
Parent = Annotated[int, typer.Option(hidden=True, help="Process to die with.")]
Descriptor = Annotated[int | None, typer.Option(hidden=True, help="Socket to listen on.")]


def _die_with(parent: int) -> None:
    """Have the kernel end this process with its parent: `up` may be killed, and its database goes with it."""
    if parent and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("The process that started this one is gone.")


def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    data_dir: DataDir = None,
    fd: Descriptor = None,
    parent: Parent = 0,
) -> None:
    """Serve the HTTP API."""
    import uvicorn

    from docrefinery.api.middleware import observed
    from docrefinery.bootstrap.api import build_api
    from docrefinery.cli.http import BoundedProtocol, GracefulServer

    _die_with(parent)
    chosen = keyed(connected(settings(host=host, port=port, data_dir=data_dir)))
    logs.configure(chosen, "api")
    asyncio.run(check_keys(chosen))
    asyncio.run(check_storage(chosen))
    tracing.start(chosen.environ, "api")
    app = build_api(chosen)
    config = uvicorn.Config(
        observed(app),
        host=chosen.host,
        port=chosen.port,
        loop="uvloop",
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(chosen.stop_grace_seconds),
    )
    server = GracefulServer(config, app.state.services.jobs.let_go)
    # uvicorn raises the signals that it was told again when it is done.
    with suppress(KeyboardInterrupt):
        # As a socket and not as uvicorn's own `fd`, which it takes for a Unix socket: no TCP_NODELAY, 40 ms an answer.
        server.run(sockets=None if fd is None else [socket.socket(fileno=fd)])
    tracing.stop()
    if not server.started:
        sys.exit(1)


def worker(
    data_dir: DataDir = None,
    parent: Parent = 0,
    queues: Annotated[
        str | None, typer.Option(help="What it does, separated by commas: fast, ocr, model, webhooks, maintenance.")
    ] = None,
) -> None:
    """Convert documents, one at a time; run several for more."""
    from docrefinery.bootstrap.jail import require_jail
    from docrefinery.bootstrap.worker import build_worker
    from docrefinery.pipeline.scratch import open_to
    from docrefinery.worker.main import run

    _die_with(parent)
    named = tuple(filter(None, map(str.strip, queues.split(",")))) if queues is not None else None
    chosen = keyed(connected(settings(data_dir=data_dir, queues=named)))
    logs.configure(chosen, "worker")
    asyncio.run(check_keys(chosen))
    asyncio.run(check_storage(chosen))
    with scratch_folder(chosen.data_dir / "scratch") as scratch:
        # Root's converters take accounts of their own, and have their folders in there.
        open_to(seclusion_of(chosen).account, chosen.data_dir, scratch.parent, scratch)
        require_jail(chosen, scratch)
        tracing.start(chosen.environ, "worker")
        run(*build_worker(chosen, scratch), chosen.stop_grace_seconds)
        tracing.stop()


def migrate(data_dir: DataDir = None) -> None:
    """Bring the database's schema up to date."""
    chosen = settings(data_dir=data_dir)
    if not chosen.database_url:
        chosen = connected(chosen)
    ran = asyncio.run(migrated(chosen))
    typer.echo(f"{ran} migration{'' if ran == 1 else 's'} ran; the schema is up to date.")


async def migrated(chosen: Settings) -> int:
    """Run the migrations that are missing and return how many."""
    from docrefinery.store.migrate import migrate as run_migrations

    if not chosen.database_url:
        raise SettingsError("Set DATABASE_URL.")
    return await run_migrations(chosen.migration_database_url or chosen.database_url, chosen.database_url)
