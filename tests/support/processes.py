"""Processes that tests start: commands that run to their end, and everything that works in a folder."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

COMMAND = ("-m", "docrefinery")
DOCREFINERY = (sys.executable, *COMMAND)
_OURS = (
    "DOCREFINERY_",
    "DATABASE_URL",
    "REDIS_URL",
    "MAX_PAGES",
    "UPLOAD_MAX_SIZE_MB",
    "INTERNAL_ENDPOINTS_TOKEN",
    "AWS_",
)


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment variables without any of our settings but those given."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | settings


def docrefinery(
    *arguments: str | Path,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 60,
    python: str | Path = sys.executable,
) -> "subprocess.CompletedProcess[str]":
    """Run a command of ours to its end."""
    return subprocess.run(
        [python, *COMMAND, *map(str, arguments)],
        env=dict(environ) if environ is not None else environment(),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def wait_until(condition: Callable[[], object], seconds: float = 20, what: str = "") -> float:
    """Wait until ``condition`` holds and return how long that took; fail after ``seconds``."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"still not so after {seconds} s: {what or condition}")
        time.sleep(0.02)
    return time.monotonic() - started


def working_in(folder: Path) -> list[psutil.Process]:
    """Return the processes whose working directory is in a folder; no zombies."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            # The link itself, since the folder of a process may be gone already.
            place = str(Path(f"/proc/{process.pid}/cwd").readlink()).removesuffix(" (deleted)")
            if Path(place).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_all(folder: Path) -> list[str]:
    """Kill what works in a folder and return what that was."""
    found = working_in(folder)
    names = []
    for process in found:
        with suppress(psutil.NoSuchProcess):
            names.append(" ".join(process.cmdline())[:120])
            process.kill()
    wait_until(lambda: not working_in(folder), 10, f"processes in {folder} end")
    return names


def ended(process: psutil.Process) -> bool:
    """Whether a process is gone; the system's first process may take its time to reap it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
