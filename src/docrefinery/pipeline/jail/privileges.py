"""What a process may do beyond others, given up for good (prctl(2), capabilities(7), namespaces(7))."""

import ctypes
import os
import signal
import sys

_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION = 0x20080522
_HIGHEST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Sets(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def leave_network() -> bool:
    """Enter a network namespace in which there is nothing; return whether that is allowed here.

    System V's shared memory and queues, which a network namespace does not keep apart, are left as well where the
    kernel can.

    Root may make one; others may where they may make a user namespace, in which root could become nobody else.
    """
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    return bool(_libc.unshare(flags | _CLONE_NEWIPC) == 0 or _libc.unshare(flags) == 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def drop_bounding_set() -> None:
    """Rule out that a program which is started gains a capability, as far as this process may rule that out."""
    for capability in range(_HIGHEST_CAPABILITY + 1):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            return


def give_up() -> str:
    """Give up all capabilities, and the way to new ones; return why that does not hold."""
    header, none = _Header(_CAPABILITY_VERSION, 0), (_Sets * 2)()
    if _libc.capset(ctypes.byref(header), ctypes.byref(none)) != 0:
        return f"the capabilities cannot be given up ({os.strerror(ctypes.get_errno())})"
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return f"this kernel has no no_new_privs ({os.strerror(ctypes.get_errno())})"
    return ""


def die_with(parent: int) -> None:
    """Have the kernel end this process with its parent; called after credentials changed, which would undo it."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The change left /proc/self to root; nobody else has this account, so that there is nobody to keep out.
    _libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
