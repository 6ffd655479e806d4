"""System calls that no conversion needs and exploits like (seccomp), refused as if they failed."""

import ctypes.util
import errno
import socket
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

_NO_LIBRARY = "libseccomp is not installed (Debian: libseccomp2)"

_OF_OTHERS = ("kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace")
_OF_THE_KERNEL = (
    *("add_key", "bpf", "keyctl", "lookup_dcookie", "perf_event_open", "request_key", "userfaultfd"),
    *("delete_module", "finit_module", "init_module", "kexec_file_load", "kexec_load", "reboot", "syslog"),
    *("acct", "adjtimex", "clock_adjtime", "clock_settime", "ioperm", "iopl", "quotactl", "settimeofday"),
    *("setdomainname", "sethostname", "swapoff", "swapon", "vhangup"),
)
_OF_THE_FILE_SYSTEM = (
    *("chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount"),
    *("name_to_handle_at", "open_by_handle_at", "open_tree", "pivot_root", "umount2"),
    # It runs what is in no file.
    "execveat",
)
_OF_NAMESPACES = ("setns", "unshare")
# Out of its session, a process outlives the killing of its group.
_OF_SESSIONS = ("setpgid", "setsid")
# What is kept in no file, and passes from one tenant's process to the next.
_OF_SHARED_MEMORY = ("mq_open", "msgget", "semget", "shmat", "shmget")
_IN_MEMORY = "memfd_create"
# Work that is handed to the kernel passes these filters by; who asks falls back on ordinary calls.
_ABSENT = ("io_uring_enter", "io_uring_register", "io_uring_setup")
# NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
_NEW_NAMESPACES = (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)


def restrict(*, accelerated: bool) -> str:
    """Refuse calls of this thread and those it starts; return why that does not hold.

    :param accelerated: whether sockets may be made that reach this machine, and files in memory, which libraries for
        GPUs do.
    """
    rules = prepared(accelerated=accelerated)
    if rules is None:
        return _NO_LIBRARY
    try:
        rules.load()
    except OSError as error:
        return f"the kernel takes no filter ({error.strerror}); it needs CONFIG_SECCOMP_FILTER"
    return ""


@cache
def prepared(*, accelerated: bool) -> Any:
    """Return the filter, or ``None`` without the library; made before a fork, it is loaded the quicker after it."""
    if ctypes.util.find_library("seccomp") is None:
        return None
    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for action, call, *arguments in _refused(pyseccomp, accelerated=accelerated):
        # An architecture, or a version of the library, may not know a call.
        with suppress(ValueError, OSError):
            rules.add_rule(action, call, *arguments)
    return rules


def _refused(library: Any, *, accelerated: bool) -> Iterator[tuple[Any, ...]]:
    forbidden, absent = library.ERRNO(errno.EPERM), library.ERRNO(errno.ENOSYS)
    for call in (*_OF_OTHERS, *_OF_THE_KERNEL, *_OF_THE_FILE_SYSTEM, *_OF_NAMESPACES):
        yield forbidden, call
    for call in (*_OF_SESSIONS, *_OF_SHARED_MEMORY):
        yield forbidden, call
    if not accelerated:
        yield forbidden, _IN_MEMORY
    for call in _ABSENT:
        yield absent, call
    for namespace in _NEW_NAMESPACES:
        yield forbidden, "clone", library.Arg(0, library.MASKED_EQ, namespace, namespace)
    # Its flags are out of a filter's sight; the C library goes back to `clone`.
    yield absent, "clone3"
    unsupported = library.ERRNO(errno.EAFNOSUPPORT)
    if accelerated:
        yield unsupported, "socket", library.Arg(0, library.NE, int(socket.AF_UNIX))
    else:
        yield unsupported, "socket"
