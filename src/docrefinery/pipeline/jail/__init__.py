"""What a converter process takes away from itself before it looks at anything untrusted.

Each measure says whether it holds on this machine. They come in an order that matters: namespaces while there is a
right to make them, the account before the death signal, which a change of credentials takes back, and the filters last,
which refuse some of what the others need.
"""

import sys

from docrefinery.capabilities import Measure
from docrefinery.pipeline.jail import limits
from docrefinery.pipeline.jail.cell import Cell, home

__all__ = ["Cell", "adopt_orphans", "die_with", "enter", "home", "leave_network", "prepare"]

_NAMES = ("network", "files", "system calls", "account", "privileges", "other processes", "processes", "limits")
_ELSEWHERE = "only Linux has it"
_GPU_SOCKETS = (
    "the libraries of GPUs need Unix sockets, so those of this machine that its account may use can be reached"
)


def leave_network() -> bool:
    """Leave the network and memory shared without files, for this process and those it forks; return whether it may."""
    if sys.platform != "linux":
        return False
    from docrefinery.pipeline.jail import privileges

    return privileges.leave_network()


def die_with(parent: int) -> None:
    """Have the kernel end this process with its parent."""
    if sys.platform == "linux":
        from docrefinery.pipeline.jail import privileges

        privileges.die_with(parent)


def adopt_orphans() -> None:
    """Become the parent of what this process's children leave behind when they end."""
    if sys.platform == "linux":
        from docrefinery.pipeline.jail import privileges

        privileges.adopt_orphans()


def prepare() -> None:
    """Load what :func:`enter` needs, before a fork."""
    if sys.platform == "linux":
        from docrefinery.pipeline.jail import calls, files

        files.prepare()
        calls.prepared(accelerated=False)


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
    calls_lack = calls.restrict(accelerated=cell.accelerated)
    lacks = (
        network_lacks(cell, offline=offline, calls_lack=calls_lack),
        files_lack,
        calls_lack,
        account_lacks,
        privileges_lack,
        "" if alone else files_lack or files.unscoped(),
        processes_lack,
        "",
    )
    return tuple(map(Measure, _NAMES, lacks))


def network_lacks(cell: Cell, *, offline: bool, calls_lack: str) -> str:
    """Return why something can be reached, this machine's services included.

    :param offline: whether the network was left.
    :param calls_lack: why system calls are not refused, if they are not.
    """
    if calls_lack and not offline:
        return f"nobody may make a network namespace here, and {calls_lack}"
    # No namespace keeps a process from a socket that has a name in the file system.
    return _GPU_SOCKETS if cell.accelerated else ""
