"""Which user the servers run as. PostgreSQL refuses root, so root drops to somebody who may do little."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from docrefinery.embedded.errors import EmbeddedError

# Users are looked for, never created: a program that adds users to a machine surprises its owner.
_CANDIDATES = ("docrefinery", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged user, without supplementary groups."""

    uid: int
    gid: int


def choose(data: Path) -> Account | None:
    """Pick the user for the servers.

    :param data: PostgreSQL's folder; if it exists, its owner goes on owning it.
    :returns: None when not root: the servers then run as the caller.
    :raises EmbeddedError: when root finds no user to become.
    """
    if os.geteuid() != 0:
        return None
    if data.is_dir() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and none of the users docrefinery, postgres and nobody exists here. "
        "Create one of them, or start DocumentRefinery as an ordinary user."
    )


def claim(folder: Path, account: Account | None) -> None:
    """Give a folder and all in it to the account, if its owner is somebody else.

    :param folder: an existing folder.
    :param account: as :func:`choose` returned it.
    :raises EmbeddedError: when this user may not do that.
    """
    owner = account.uid if account else os.geteuid()
    if folder.stat().st_uid == owner:
        return
    if account is None:
        raise EmbeddedError(
            f"{folder} belongs to the user with id {folder.stat().st_uid}. "
            "Start DocumentRefinery as that user, or give the data directory to this one with chown -R."
        )
    for _, folders, files, descriptor in os.fwalk(folder, topdown=False):
        for name in (*folders, *files):
            os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)
    os.chown(folder, account.uid, account.gid, follow_symlinks=False)
