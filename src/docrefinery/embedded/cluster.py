"""PostgreSQL's data folder: what it must be like before the server starts on it."""

import json
import shutil
from collections.abc import Callable

from docrefinery.embedded.account import claim
from docrefinery.embedded.errors import DiskFull, EmbeddedError
from docrefinery.embedded.initdb import PASSWORDS, ROLES, Cluster, create
from docrefinery.embedded.spawner import Spawner

_VERSION = "18"
_NEW_NEEDS, _ANY_NEEDS = 256 << 20, 32 << 20


def prepare(cluster: Cluster, spawner: Spawner, progress: Callable[[str], None]) -> dict[str, str]:
    """Make the data folder if there is none, and see that it is one.

    :param cluster: where, and as whom.
    :param spawner: what starts the programs that make a new one.
    :param progress: told what takes a moment.
    :returns: the passwords by role.
    :raises DiskFull: when there is too little space to start.
    :raises EmbeddedError: when it cannot be made, or is not one of this version.
    """
    if cluster.folder.exists():
        claim(cluster.folder, cluster.account)
    fresh = not cluster.folder.exists() or not any(cluster.folder.iterdir())
    _check_space(cluster, _NEW_NEEDS if fresh else _ANY_NEEDS)
    if fresh:
        progress("Creating the database (first start)")
        create(cluster, spawner)
    else:
        _check_version(cluster)
    return _passwords(cluster)


def _check_space(cluster: Cluster, needed: int) -> None:
    place = cluster.folder.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise DiskFull(
            f"Only {free >> 20} MiB are free for {place}, and PostgreSQL needs {needed >> 20} MiB to start. "
            "Free some space, or choose another data directory."
        )


def _check_version(cluster: Cluster) -> None:
    folder, marker = cluster.folder, cluster.folder / "PG_VERSION"
    version = marker.read_text(encoding="ascii").strip() if marker.is_file() else ""
    if not version:
        raise EmbeddedError(
            f"{folder} has something in it that is no PostgreSQL data folder. Move it away and start again."
        )
    if version != _VERSION:
        raise EmbeddedError(
            f"{folder} was made by PostgreSQL {version}, and this is PostgreSQL {_VERSION}. Dump the data with the "
            "release of DocumentRefinery that made it, move the folder away, start again and restore the dump."
        )


def _passwords(cluster: Cluster) -> dict[str, str]:
    path = cluster.folder / PASSWORDS
    try:
        passwords = json.loads(path.read_text(encoding="utf-8"))
        return {role: str(passwords[role]) for role in ROLES}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmbeddedError(
            f"The database's passwords cannot be read from {path} ({type(error).__name__}). "
            "Restore that file from a backup."
        ) from error
