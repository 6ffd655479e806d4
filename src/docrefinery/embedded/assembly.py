"""From a data directory to two services that are ready to be launched."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from docrefinery.embedded import orphans, sockets
from docrefinery.embedded.account import choose, claim
from docrefinery.embedded.binaries import postgres_programs, valkey_program
from docrefinery.embedded.cluster import prepare
from docrefinery.embedded.endpoints import Endpoints
from docrefinery.embedded.errors import EmbeddedError
from docrefinery.embedded.files import private_folder
from docrefinery.embedded.initdb import Cluster, sweep_draft
from docrefinery.embedded.postgres import database_urls, postgres_service
from docrefinery.embedded.spawner import Spawner
from docrefinery.embedded.supervised import Service
from docrefinery.embedded.valkey import valkey_service, valkey_url

# PostgreSQL gives its backends five seconds after the death signal before it kills them.
_ORPHANS_PATIENCE_S = 6.0


@dataclass(frozen=True, slots=True)
class Assembly:
    """What to launch, and where it will answer."""

    services: tuple[Service, ...]
    endpoints: Endpoints


def make_data_dir(data_dir: Path) -> None:
    """Make the data directory (mode 0700) unless it is there.

    :raises EmbeddedError: when that is not possible.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"The data directory {data_dir} cannot be made ({error.strerror}). "
            "Choose one in a folder that you can write to."
        ) from error


def sweep(data_dir: Path) -> None:
    """Remove what a killed instance left: its servers, a half-made database, its sockets. The directory must be held.

    :raises EmbeddedError: when a server cannot be ended.
    """
    orphans.end(data_dir / "postgres", Signals.SIGQUIT, patience_s=_ORPHANS_PATIENCE_S)
    orphans.end(data_dir / "valkey", Signals.SIGTERM, patience_s=_ORPHANS_PATIENCE_S)
    tidy(data_dir)


def assemble(data_dir: Path, spawner: Spawner, progress: Callable[[str], None], *, durable: bool) -> Assembly:
    """Prepare the data of both services.

    :param data_dir: a directory that is held and swept.
    :param spawner: what starts the programs that make a new database.
    :param progress: told what takes a moment.
    :param durable: whether data must survive a crash of the machine.
    :raises EmbeddedError: when something is missing, full or damaged.
    """
    account = choose(data_dir / "postgres")
    cluster = Cluster(
        folder=data_dir / "postgres", programs=postgres_programs(account), account=account, durable=durable
    )
    program = valkey_program(account)
    logs = private_folder(data_dir / "logs")
    messages = private_folder(data_dir / "valkey")
    claim(messages, account)
    passwords = prepare(cluster, spawner, progress)
    place = sockets.make(_socket_record(data_dir), account)
    return Assembly(
        services=(
            postgres_service(cluster, place, logs / "postgres.log"),
            valkey_service(program, messages, place, logs / "valkey.log", account=account, durable=durable),
        ),
        endpoints=Endpoints(**database_urls(passwords, place), redis_url=valkey_url(place), pid=os.getpid()),
    )


def tidy(data_dir: Path) -> None:
    """Remove a half-made database and the folder of the sockets, if there are any."""
    sweep_draft(data_dir / "postgres")
    sockets.sweep(_socket_record(data_dir))


def _socket_record(data_dir: Path) -> Path:
    return data_dir / "socket-folder"
