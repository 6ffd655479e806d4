"""The file system as a converter sees it (Landlock): its folder to write to, and what it needs to read."""

import os
import pwd
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import landlockpy
from landlockpy import AccessFS, Ruleset, Scope

from docrefinery.pipeline.jail.cell import Cell
from docrefinery.pipeline.jail.devices import PLAIN, accelerators

_READ = AccessFS.READ_FILE | AccessFS.READ_DIR | AccessFS.EXECUTE
_OF_FILES = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.EXECUTE | AccessFS.TRUNCATE | AccessFS.IOCTL_DEV
_DEVICE = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.IOCTL_DEV
# What is written there is not run, and is no device.
_OWN = ~(AccessFS.EXECUTE | AccessFS.MAKE_CHAR | AccessFS.MAKE_BLOCK | AccessFS.IOCTL_DEV)
_SCOPED_SINCE = 6

_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
# Not /etc itself, in which operators keep secrets.
_CONFIGURATION = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
)
_KERNEL = (
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    "/proc/version",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/kernel/mm/transparent_hugepage",
)
# What the libraries of GPUs look up.
_ACCELERATED = ("/proc", "/sys", "/etc/nvidia", "/etc/OpenCL", "/opt/rocm")

_NO_LANDLOCK = (
    "the kernel has no Landlock: Linux 5.13 or later has it, with `landlock` among its security modules (lsm=)"
)
_NO_SCOPES = "signals are not kept in: Linux 6.12 or later does that, or root, who gives each converter an account"


def confine(cell: Cell) -> str:
    """Close the file system around this thread and those it starts; return why that does not hold."""
    if not landlockpy.supported():
        return _NO_LANDLOCK
    readable = list(_readable(cell))
    for private in cell.private:
        if inside := next((path for path in readable if Path(private).is_relative_to(path)), None):
            return f"{private} lies in {inside}, which a converter has to read; move one of them"
    with Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL) as rules:
        for path in (*readable, *_KERNEL, *_CONFIGURATION, *(_ACCELERATED if cell.accelerated else ())):
            _allow(rules, path, _READ)
        for device in (*PLAIN, *(accelerators() if cell.accelerated else ())):
            _allow(rules, device, _DEVICE | _READ)
        _allow(rules, cell.folder, rules.handled_fs & _OWN)
        rules.restrict()
    return ""


def unscoped() -> str:
    """Return why signals may leave a jail around which the file system is closed."""
    return "" if landlockpy.abi_version() >= _SCOPED_SINCE else _NO_SCOPES


def prepare() -> None:
    """Have the C library looked for, which takes a program to be started."""
    landlockpy.supported()


def _readable(cell: Cell) -> Iterator[str]:
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    for path in (*_SYSTEM, sys.prefix, sys.base_prefix, *sys.path, *libraries, *cell.readable, *_tesseract()):
        if path:
            # Twice: links are followed by their names as well.
            yield from dict.fromkeys((os.path.abspath(path), os.path.realpath(path)))  # noqa: PTH100


def _tesseract() -> Iterator[str]:
    """Yield Tesseract, its libraries and its data if they are not among the system's own.

    Of a folder that somebody lives in, or that such a one is in, nothing is opened but the program.
    """
    found = []
    if program := shutil.which("tesseract"):
        place = Path(program).resolve()
        yield str(place)
        if place.parent.name == "bin" and not _inhabited(prefix := place.parents[1]):
            found += [prefix / "lib", prefix / "share/tessdata"]
    if data := os.environ.get("TESSDATA_PREFIX"):
        found.append(Path(data).resolve())
    yield from (str(path) for path in found if not _inhabited(path))


def _inhabited(folder: Path) -> bool:
    homes = {*(entry.pw_dir for entry in pwd.getpwall()), str(Path.home())}
    return any(Path(home).resolve().is_relative_to(folder) for home in homes if home)


def _allow(rules: Ruleset, path: str, rights: AccessFS) -> None:
    """Allow something beneath a path, if it is there."""
    if not os.path.isdir(path):  # noqa: PTH112
        rights &= _OF_FILES
    with suppress(FileNotFoundError, PermissionError, NotADirectoryError):
        rules.allow_path(path, rights)
