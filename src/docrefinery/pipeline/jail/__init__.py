"""What a converter process takes away from itself before it looks at anything untrusted.

Each measure says whether it holds on this machine. They come in an order that matters: namespaces while there is a
right to make them, the account before the death signal, which a change of credentials takes back, and the filters last,
which refuse some of what the others need.
"""

import sys

from docrefinery.capabilities import Measure
from docrefinery.pipeline.jail import limits
from docrefinery.pipeline.jail.cell import Cell, home

__all__ = ["Cell", "die_with", "enter", "home", "leave_network", "prepare"]

_NAMES = ("network", "files", "system calls", "account", "privileges", "other processes", "processes", "limits")
_ELSEWHERE = "only Linux has it"


def leave_network() -> bool:
    """Leave the network, for this process and those it forks; return whether that is allowed here."""
    if sys.platform != "linux":
        return False
    from docrefinery.pipeline.jail import privileges

    return privileges.leave_network()


def die_with(parent: int) -> None:
    """Have the kernel end this process with its parent."""
    if sys.platform == "linux":
        from docrefinery.pipeline.jail import privileges

        privileges.die_with(parent)


def prepare() -> None:
    """Load what :func:`enter` needs, before a fork."""
    if sys.platform == "linux":
        from docrefinery.pipeline.jail import calls, files

        files.prepare()
        calls.prepared(unix_sockets=False)


def enter(cell: Cell, *, offline: bool, parent: int) -> tuple[Measure, ...]:
    """Close the jail around this process, which has one thread.

    :param offline: whether it has left the network already.
    :param parent: process to die with.
    :returns: what holds, and what does not.
    """
    limits.lower()
    if sys.platform != "linux":
        return tuple(Measure(name, "" if name == "limits" else _ELSEWHERE) for name in _NAMES)
    from docrefinery.pipeline.jail import account, calls, files, privileges

    privileges.drop_bounding_set()
    account_lacks = account.become(cell)
    alone = account.taken(cell)
    processes_lack = limits.bound_processes(alone=alone)
    privileges_lack = privileges.give_up()
    privileges.die_with(parent)
    files_lack = files.confine(cell)
    calls_lack = calls.restrict(unix_sockets=cell.accelerated)
    lacks = (
        "" if offline or not calls_lack else f"nobody may make a network namespace here, and {calls_lack}",
        files_lack,
        calls_lack,
        account_lacks,
        privileges_lack,
        "" if alone else files_lack or files.unscoped(),
        processes_lack,
        "",
    )
    return tuple(map(Measure, _NAMES, lacks))
