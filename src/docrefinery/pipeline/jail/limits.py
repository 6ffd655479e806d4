"""Limits that every Unix has (setrlimit), and what a kernel does not count for root."""

import math
import resource
from pathlib import Path

import psutil

# No artifact of an honest document comes near, and a runaway one does not fill the disk.
_LARGEST_FILE = 4 * 1024**3
_MOST_FILES = 1024
_MOST_PROCESSES = 512
"""Processes and threads beyond those that there are: Tesseract's, and those of torch on a large machine."""
UNCOUNTED = "the kernel does not count root's processes: see the account, or run as an unprivileged user"


def lower() -> None:
    """Dump no core, write no giant file, open no more files than documents need."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _lower(resource.RLIMIT_FSIZE, _LARGEST_FILE)
    _lower(resource.RLIMIT_NOFILE, _MOST_FILES)


def bound_processes(*, alone: bool) -> str:
    """Bound the processes and threads of this user; return why that does not hold.

    :param alone: whether nobody else is this user.
    """
    user = psutil.Process().uids().real
    _lower(resource.RLIMIT_NPROC, _MOST_PROCESSES + (0 if alone else _threads_of(user)))
    return UNCOUNTED if user == 0 else ""


def bound_memory(memory_bytes: int, *, beyond_now: bool = False) -> None:
    """Bound the address space: the next allocation over it fails, in C as in Python.

    :param beyond_now: what is in use already does not count.
    """
    used = psutil.Process().memory_info().vms if beyond_now else 0
    _lower(resource.RLIMIT_AS, used + memory_bytes)


def bound_cpu(seconds: float) -> None:
    """Bound what this process may still compute, all its threads together; SIGXCPU ends it then.

    The kernel counts from the process's start, so that it is set anew for each job, and the hard limit stays. That is
    for an honest library that never ends: who has taken the process over may ignore the signal or raise the limit, and
    is ended by the parent, which needs no right for that: by the time that a job may take, and at rest by watching.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    bound = math.ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (bound if hard == resource.RLIM_INFINITY else min(bound, hard), hard))


def _threads_of(user: int) -> int:
    """Return how many threads a user has."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == user:
                count += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue
    return count


def _lower(which: int, bound: int) -> None:
    hard = resource.getrlimit(which)[1]
    bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
    resource.setrlimit(which, (bound, bound))
