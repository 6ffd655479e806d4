"""What a converter process takes away from itself before it looks at anything untrusted."""

import ctypes
import resource
import signal
import sys

import psutil

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
# No artifact of an honest document comes near, and a runaway one does not fill the disk.
_LARGEST_FILE = 4 * 1024**3


def enter() -> None:
    """Leave the network, dump no core, write no giant file, and die with the parent."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, _LARGEST_FILE)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        # Root may do the first, everybody the second where user namespaces are allowed; else the network stays.
        if libc.unshare(_CLONE_NEWNET) != 0:
            libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
        # After it: a change of credentials takes the signal back.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def limit_memory(memory_bytes: int, *, beyond_now: bool = False) -> None:
    """Bound the address space: the next allocation over it fails, in C as in Python.

    :param beyond_now: what is in use already does not count.
    """
    used = psutil.Process().memory_info().vms if beyond_now else 0
    _lower(resource.RLIMIT_AS, used + memory_bytes)


def _lower(which: int, bound: int) -> None:
    hard = resource.getrlimit(which)[1]
    bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
    resource.setrlimit(which, (bound, bound))
