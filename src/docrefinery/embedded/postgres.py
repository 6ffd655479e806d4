"""PostgreSQL as a service on an existing data folder."""

import os
from contextlib import suppress
from pathlib import Path
from signal import Signals
from urllib.parse import quote

from docrefinery.embedded import orphans
from docrefinery.embedded.initdb import ADMIN, APP, DATABASE, HERE, OWNER, Cluster
from docrefinery.embedded.sockets import POSTGRES_SOCKET
from docrefinery.embedded.supervised import Service

# Given as arguments, not in postgresql.conf: a new release's settings hold for old data too. For a machine of 2 GB.
_SETTINGS = {
    "cluster_name": "docrefinery",
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "synchronous_commit": "on",
    "jit": "off",
    "idle_in_transaction_session_timeout": "10min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# Commits stay synchronous: what the kernel has survives the servers' own death.
_HASTY = {"fsync": "off", "full_page_writes": "off"}
_PID_FILE = "postmaster.pid"
_STATUS_LINE = 7
# A recovery after a crash reads up to max_wal_size and syncs every file.
_START_LIMIT_S = 300.0


def postgres_service(cluster: Cluster, sockets: Path, log: Path) -> Service:
    """Describe the server.

    :param cluster: its prepared data.
    :param sockets: folder for its socket.
    :param log: file for what it writes.
    """
    settings = {**_SETTINGS, **({} if cluster.durable else _HASTY), "unix_socket_directories": str(sockets)}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Service(
        name="PostgreSQL",
        argv=(str(cluster.programs / "postgres"), "-D", HERE, *words),
        folder=cluster.folder,
        log=log,
        account=cluster.account,
        stop_signal=Signals.SIGINT,
        # Immediate: needs no disk and no time, so the next start waits for nobody. The log is replayed then.
        death_signal=Signals.SIGQUIT,
        clear=lambda: _clear(cluster.folder, sockets),
        ready=lambda pid: _is_ready(cluster.folder, pid),
        limit_s=_START_LIMIT_S,
        advice="If these lines do not say what to do: copy the data directory before you change anything in it.",
    )


def database_url(role: str, password: str, sockets: Path) -> str:
    """The URL for a role, in the form that asyncpg and libpq both read."""
    database = ADMIN if role == ADMIN else DATABASE
    return f"postgresql://{role}:{quote(password, safe='')}@/{database}?host={quote(str(sockets))}"


def database_urls(passwords: dict[str, str], sockets: Path) -> dict[str, str]:
    """The URLs by the names they have in ``Endpoints``."""
    names = {"database_url": APP, "migration_database_url": OWNER, "admin_database_url": ADMIN}
    return {name: database_url(role, passwords[role], sockets) for name, role in names.items()}


def _clear(folder: Path, sockets: Path) -> None:
    for name in (POSTGRES_SOCKET, POSTGRES_SOCKET + ".lock"):
        (sockets / name).unlink(missing_ok=True)
    # PostgreSQL itself handles the file of a dead process, but refuses to start if a stranger has the number by now.
    if not orphans.running(folder) and _may_be_alive(folder / _PID_FILE):
        (folder / _PID_FILE).unlink()


def _may_be_alive(pid_file: Path) -> bool:
    """Whether a file names a process that exists, or is damaged, which PostgreSQL takes for the same."""
    if not pid_file.exists():
        return False
    with suppress(PermissionError, ValueError, IndexError, OverflowError):
        try:
            os.kill(abs(int(pid_file.read_text(encoding="utf-8").split()[0])), 0)
        except ProcessLookupError:
            return False
    return True


def _is_ready(folder: Path, pid: int) -> bool:
    """Whether this very server says in its pid file that it takes connections."""
    try:
        lines = (folder / _PID_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > _STATUS_LINE and lines[0] == str(pid) and lines[_STATUS_LINE].strip() == "ready"
