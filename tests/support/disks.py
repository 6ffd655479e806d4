"""A small disk of a test's own, where this process may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEBIBYTES = 64


@contextmanager
def disk(folder: Path, mebibytes: int = MEBIBYTES) -> Iterator[bool]:
    """Make a folder, and mount a disk of this size on it for the block; yields whether that was allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = os.geteuid() == 0 and _run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder))
    try:
        yield mounted
    finally:
        if mounted:
            assert _run("umount", "--lazy", str(folder))


def _run(*command: str) -> bool:
    with suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Fill the disk that a folder is on to its last byte while the block runs; only for a disk of :func:`disk`."""
    assert folder.is_mount()
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(65536)):
            pass
    try:
        yield
    finally:
        ballast.unlink()
