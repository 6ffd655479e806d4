"""Where a running instance answers, and how other commands of the same user learn of it."""

import json
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from docrefinery.embedded import lock
from docrefinery.embedded.errors import EmbeddedError
from docrefinery.embedded.files import write_private
from docrefinery.embedded.sockets import POSTGRES_SOCKET
from docrefinery.embedded.waiting import until


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The URLs of one running instance. They hold passwords, so none is shown by ``repr``.

    :ivar database_url: as the app's role: reads and writes rows, creates nothing.
    :ivar migration_database_url: as the owner of the database: creates tables.
    :ivar admin_database_url: as PostgreSQL's superuser, on the database ``postgres``: creates databases.
    :ivar redis_url: Valkey, database 0.
    :ivar pid: the process that runs the servers.
    """

    database_url: str = field(repr=False)
    migration_database_url: str = field(repr=False)
    admin_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    pid: int


def locate(data_dir: Path, *, limit_s: float = 10.0) -> Endpoints | None:
    """Find the instance that runs on a data directory.

    :param data_dir: the directory; need not exist.
    :param limit_s: seconds to wait for an instance that is starting.
    :returns: None when no process holds the directory.
    :raises EmbeddedError: when it belongs to another user, or the instance does not answer in time.
    """
    data_dir = data_dir.absolute()
    found: list[Endpoints] = []

    def settled() -> bool:
        found[:] = _answering(endpoints_file(data_dir))
        return bool(found) or not lock.held(data_dir)

    if not lock.held(data_dir):
        return None
    if not until(settled, limit_s):
        raise EmbeddedError(
            f"A process holds the data directory {data_dir}, but its database does not answer. "
            "Wait until it has started, or stop it and start again."
        )
    return found[0] if found else None


def endpoints_file(data_dir: Path) -> Path:
    """The file that a running instance keeps its URLs in."""
    return data_dir / "endpoints.json"


def publish(data_dir: Path, endpoints: Endpoints) -> None:
    """Let other commands find this instance."""
    write_private(endpoints_file(data_dir), json.dumps(asdict(endpoints), indent=2))


def withdraw(data_dir: Path) -> None:
    """Take back what :func:`publish` wrote, if anything."""
    with suppress(FileNotFoundError):
        endpoints_file(data_dir).unlink()


def _answering(path: Path) -> list[Endpoints]:
    """The endpoints of a file, none if nobody answers there: the file may be a killed instance's."""
    try:
        endpoints = Endpoints(**json.loads(path.read_text(encoding="utf-8")))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(f"{parse_qs(urlsplit(endpoints.database_url).query)['host'][0]}/{POSTGRES_SOCKET}")
    except PermissionError as error:
        raise EmbeddedError(f"{path} belongs to another user. Run this command as the user that started it.") from error
    except (OSError, ValueError, TypeError, KeyError):
        return []
    return [endpoints]
