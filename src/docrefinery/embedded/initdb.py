"""Making a database: under another name, which changes when all of it, roles included, is there and on disk."""

import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

from docrefinery.embedded import orphans
from docrefinery.embedded.account import Account, claim
from docrefinery.embedded.errors import EmbeddedError
from docrefinery.embedded.files import private_folder, remove_folder, sync_folder, write_private
from docrefinery.embedded.logs import quote
from docrefinery.embedded.spawner import Program, Spawner

# The folder as the servers see it. Needs no right to pass through its parents, and no path that is short or plain.
HERE = "/proc/self/cwd"
DATABASE = "docrefinery"
ROLES = ADMIN, OWNER, APP = "postgres", "docrefinery_owner", "docrefinery_app"
# In the data folder, so that the rename brings it along: no database without its passwords.
PASSWORDS = "docrefinery.json"
_TOOL_LIMIT_S = 120.0
_INITDB = (
    f"--pgdata={HERE}",
    f"--username={ADMIN}",
    "--auth=peer",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A data folder and what is needed to work on it.

    :ivar folder: the data folder, which may not exist yet.
    :ivar programs: folder of ``initdb`` and ``postgres``.
    :ivar account: whom they run as; None is the caller.
    :ivar durable: whether what is written must survive a crash of the machine.
    """

    folder: Path
    programs: Path
    account: Account | None
    durable: bool


def sweep_draft(folder: Path) -> None:
    """Remove what a killed :func:`create` left beside a data folder.

    :raises EmbeddedError: when its programs still run and cannot be ended.
    """
    orphans.end(_draft(folder), Signals.SIGTERM, patience_s=1.0)
    remove_folder(_draft(folder))


def create(cluster: Cluster, spawner: Spawner) -> None:
    """Make the data folder, with the database, its two roles and random passwords.

    :raises EmbeddedError: when one of PostgreSQL's programs fails, with its last lines.
    """
    draft = private_folder(_draft(cluster.folder))
    claim(draft, cluster.account)
    passwords = {role: secrets.token_urlsafe(24) for role in ROLES}
    no_sync, no_fsync = ((), ()) if cluster.durable else (("--no-sync",), ("-c", "fsync=off"))
    _run(cluster, spawner, "initdb", *_INITDB, *no_sync)
    write_private(draft / "pg_hba.conf", "local all all scram-sha-256\n")
    write_private(draft / PASSWORDS, json.dumps(passwords))
    single = ("--single", "-D", HERE, "-j", *no_fsync, "template1")
    said = _run(cluster, spawner, "postgres", *single, given=_statements(passwords))
    # Single-user mode ends with 0 whatever became of the statements.
    if b"ERROR:" in said:
        raise EmbeddedError(f"The database's roles could not be made. PostgreSQL's last lines:\n{quote(said)}")
    draft.rename(cluster.folder)
    sync_folder(cluster.folder.parent)


def _statements(passwords: dict[str, str]) -> bytes:
    statements = (
        f"ALTER ROLE {ADMIN} PASSWORD '{passwords[ADMIN]}'",
        f"CREATE ROLE {OWNER} LOGIN PASSWORD '{passwords[OWNER]}'",
        f"CREATE ROLE {APP} LOGIN PASSWORD '{passwords[APP]}'",
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
    )
    return "".join(f"{statement};\n\n" for statement in statements).encode()


def _run(cluster: Cluster, spawner: Spawner, name: str, *arguments: str, given: bytes = b"") -> bytes:
    program = Program(
        argv=(str(cluster.programs / name), *arguments),
        folder=_draft(cluster.folder),
        account=cluster.account,
        death_signal=Signals.SIGKILL,
    )
    with spawner.start(program, output=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        try:
            said, _ = process.communicate(given, timeout=_TOOL_LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise EmbeddedError(
                f"{name} did not end within {_TOOL_LIMIT_S:.0f} seconds. Is the disk hanging?"
            ) from error
        finally:
            process.kill()
    if process.returncode != 0:
        raise EmbeddedError(
            f"The database could not be created: {name} ended with {process.returncode}. Its last lines:\n{quote(said)}"
        )
    return said


def _draft(folder: Path) -> Path:
    return folder.with_name(folder.name + ".new")
