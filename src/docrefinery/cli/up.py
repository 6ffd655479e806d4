"""``docrefinery up``: everything on this machine, supervised."""

import asyncio
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Annotated

import httpx
import msgspec
import structlog
import typer

from docrefinery import logs
from docrefinery.bootstrap.common import registry_of, seclusion_of
from docrefinery.bootstrap.encryption import check_keys
from docrefinery.bootstrap.jail import command_scratch, require_jail
from docrefinery.bootstrap.models import bytes_needed, slots_of
from docrefinery.bootstrap.secrets import keyed
from docrefinery.bootstrap.storage import check_storage
from docrefinery.cli.context import settings
from docrefinery.cli.first_start import FirstKey, first_key, sample
from docrefinery.cli.output import errors, tell
from docrefinery.cli.processes import Process, stop_all
from docrefinery.cli.serve import migrated
from docrefinery.embedded import EmbeddedServices
from docrefinery.embedded.assembly import make_data_dir
from docrefinery.pipeline.scratch import open_to
from docrefinery.settings import Settings, SettingsError

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.3
START_SECONDS = 60.0
PORT_SECONDS = 5.0


MAKE_KEY = ("key", "create", "--tenant", "default", "--scope", "all")


class Stopped(Exception):
    """Somebody asked this process to stop."""


class Orders:
    """What signals say: to stop, and whether in a hurry, as a person at a terminal is, or who asks twice."""

    def __init__(self) -> None:
        self.hurried = False
        self._stopping = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.hurried = self._stopping or number != signal.SIGTERM
        if not self._stopping:
            self._stopping = True
            raise Stopped


def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of everything that is kept.")] = None,
    workers: Annotated[int | None, typer.Option(help="Documents converted at a time.")] = None,
) -> None:
    """Run everything on this machine: database, broker, API and workers."""
    # What this machine keeps is for this user alone; production processes take the umask they are given.
    os.umask(0o077)
    chosen = settings(host=host, port=port, data_dir=data_dir.absolute() if data_dir else None, workers=workers)
    logs.configure(chosen, "up")
    registry_of(chosen)
    make_data_dir(chosen.data_dir)
    open_to(seclusion_of(chosen).account, chosen.data_dir)
    if chosen.jail == "require":
        with command_scratch(chosen) as scratch:
            require_jail(chosen, scratch)
    orders = Orders()
    with ExitStack() as stack:
        try:
            _run(chosen, stack, orders)
        except Stopped:
            _say("Stopping …")


def _say(text: str) -> None:
    """Tell a person; stderr that is no terminal has log lines alone."""
    if errors.is_terminal:
        tell(text)


def _run(chosen: Settings, stack: ExitStack, orders: Orders) -> None:
    with errors.status("Starting …") as status:
        embedded, chosen = _services(chosen, stack, lambda text: status.update(f"{text} …"))
        chosen = keyed(chosen, make=True)
        status.update("Migrating the database …")
        asyncio.run(migrated(chosen))
        asyncio.run(check_keys(chosen))
        asyncio.run(check_storage(chosen))
        key = asyncio.run(first_key(chosen))
        listener = stack.enter_context(_listen(chosen))
        port = listener.getsockname()[1]
    # Without the spinner: from here on the processes write their own lines.
    _say("Starting the API and the workers …")
    processes = _processes(chosen, listener)
    stack.callback(stop_all, processes, chosen.stop_grace_seconds, lambda: orders.hurried)
    for process in processes:
        process.start()
    url = f"http://{_host(chosen.host)}:{port}"
    _await_ready(url, processes[0])
    _greet(url, key, chosen)
    while True:
        time.sleep(LOOK_SECONDS)
        if embedded is not None and (done := embedded.ensure()):
            log.warning("service_restarted", what=done)
        for process in processes:
            process.ensure()


def _services(
    chosen: Settings, stack: ExitStack, tell: Callable[[str], None]
) -> tuple[EmbeddedServices | None, Settings]:
    """Start embedded services for the URLs that are not set."""
    if chosen.database_url and chosen.redis_url:
        return None, chosen
    embedded = EmbeddedServices(chosen.data_dir)
    stack.callback(embedded.stop)
    embedded.start(tell)
    filled = msgspec.structs.replace(chosen, redis_url=chosen.redis_url or embedded.redis_url)
    if chosen.database_url:
        return embedded, filled
    return embedded, msgspec.structs.replace(
        filled, database_url=embedded.database_url, migration_database_url=embedded.migration_database_url
    )


def _listen(chosen: Settings) -> socket.socket:
    """Open the API's socket here, so that an API that is started again keeps its port.

    A predecessor that was killed may hold the port for another moment.
    """
    family = socket.AF_INET6 if ":" in chosen.host else socket.AF_INET
    deadline = time.monotonic() + PORT_SECONDS
    while True:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((chosen.host, chosen.port))
            listener.listen(2048)
        except OSError as error:
            listener.close()
            if time.monotonic() > deadline:
                reason = error.strerror or error
                raise SettingsError(
                    f"Cannot listen on {chosen.host}:{chosen.port}: {reason}. Choose another with --port."
                ) from error
            time.sleep(0.1)
        else:
            return listener


def _processes(chosen: Settings, listener: socket.socket) -> list[Process]:
    environ = os.environ | {
        "DATABASE_URL": chosen.database_url,
        "REDIS_URL": chosen.redis_url,
        "DOCREFINERY_DATA_DIR": str(chosen.data_dir),
        "DOCREFINERY_HOST": chosen.host,
        "DOCREFINERY_SECRET_KEYS": ",".join(chosen.secret_keys),
    }
    if chosen.log_format == "auto" and errors.is_terminal:
        environ["DOCREFINERY_LOG_FORMAT"] = "console"
    descriptor = listener.fileno()
    api = Process("api", ["api", "--fd", str(descriptor)], environ, [descriptor])
    return [api, *(Process(f"worker {n + 1}", ["worker"], environ | slot) for n, slot in enumerate(_slots(chosen)))]


def _slots(chosen: Settings) -> list[dict[str, str]]:
    """Return what is set for each worker: the first ones load Docling's models, where there are any."""
    slots = slots_of(chosen)
    if slots is None:
        return [{}] * chosen.workers
    each = bytes_needed(chosen) / 2**30
    _say(f"{slots} of {chosen.workers} workers load Docling's models, for which each needs {each:.1f} GiB.")
    return [{"DOCREFINERY_MODEL_SLOTS": str(slots if n < slots else 0)} for n in range(chosen.workers)]


def _await_ready(url: str, api: Process) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=url, timeout=1.0, trust_env=False) as client:
        while time.monotonic() < deadline:
            if api.ended is not None:
                raise SettingsError("The API ended while it was starting; its log is above.")
            try:
                client.get("/healthz")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
    raise SettingsError(f"The API did not answer within {START_SECONDS:.0f} s; its log is above.")


def _host(host: str) -> str:
    """Return the address that a curl on this machine uses."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _greet(url: str, key: FirstKey | None, chosen: Settings) -> None:
    """Print the ready line and a curl to paste; plain, since a wrapped line could not be pasted.

    The key itself is shown once: logs of services keep what is printed at every start.
    """
    typer.echo(f"DocumentRefinery is ready at {url} (data in {chosen.data_dir}). Ctrl-C stops it.")
    if key is None:
        command = shlex.join([f"DOCREFINERY_DATA_DIR={chosen.data_dir}", sys.argv[0], *MAKE_KEY])
        typer.echo(f"Make an API key:\n  env {command}")
        return
    if key.new:
        typer.echo(f"API key of the tenant `default`: {key.new}")
        header = shlex.quote(f"Authorization: Api-Key {key.new}")
    else:
        typer.echo(f"The API key of the tenant `default` is in {key.path}")
        header = f'"Authorization: Api-Key $(cat {shlex.quote(str(key.path))})"'
    typer.echo(f"Upload a PDF in a browser, at {url}/console/, or with:")
    file = shlex.quote(f"file=@{sample(chosen)}")
    typer.echo(f"  curl -H {header} -F {file} -F ingest=true {url}/v1/documents/")
