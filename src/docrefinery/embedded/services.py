"""The embedded PostgreSQL and Valkey of one data directory, from start to stop."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from docrefinery.embedded import assembly, logs
from docrefinery.embedded.endpoints import Endpoints, publish, withdraw
from docrefinery.embedded.errors import EmbeddedError
from docrefinery.embedded.lock import DataDirLock
from docrefinery.embedded.revival import Revival
from docrefinery.embedded.spawner import Spawner
from docrefinery.embedded.supervised import Supervised, end_all

_STOP_LIMIT_S = 5.0


class EmbeddedServices:
    """PostgreSQL and Valkey on one data directory, for as long as this process (or the ``with`` block) lasts.

    A process that is killed takes both along; acknowledged rows survive that. The methods block, and may be called from
    any thread. As root, the servers run as an unprivileged user. In a forked child :meth:`stop` does nothing.

    :param data_dir: the directory, made if missing; the servers use ``postgres``, ``valkey`` and ``logs`` in it.
    :param durable: False gives up surviving a crash of the machine (not of a process) for speed: for tests.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self._durable = durable
        self._lock = DataDirLock(self.data_dir)
        self._guard = threading.RLock()
        self._stopping = threading.Event()
        self._undo = ExitStack()
        self._owner = 0
        self._running: list[Supervised] = []
        self._revival = Revival()
        self._endpoints: Endpoints | None = None

    def start(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Start both and return when they take requests; after an error nothing is left running.

        :param progress: told in a few words what happens now.
        :raises DataDirInUse: when another process, or another object in this one, holds the data directory.
        :raises BinaryMissing: when a server is not installed or does not run on this system.
        :raises DiskFull: when there is too little space.
        :raises ServiceFailed: when a server does not start.
        :raises EmbeddedError: for anything else, with what to do about it.
        """
        if sys.platform != "linux":
            raise EmbeddedError(
                "The embedded services need Linux. Set DATABASE_URL and REDIS_URL to servers of your own."
            )
        with self._guard:
            if self._endpoints:
                raise EmbeddedError("These services are started already.")
            self._owner = os.getpid()
            self._stopping.clear()
            try:
                self._endpoints = self._bring_up(progress)
            except BaseException as error:
                self.stop()
                if isinstance(error, OSError):
                    raise EmbeddedError(f"The embedded services could not be started: {error}.") from error
                raise

    def stop(self) -> None:
        """Stop both in order, within 5 s, then kill what is left. Nothing happens when they are not started."""
        if self._owner != os.getpid():
            return
        self._stopping.set()
        with self._guard:
            self._endpoints = None
            self._undo.close()

    def ensure(self) -> str | None:
        """Start a server again that died, and keep the logs in bounds; to be called every second or so.

        :returns: what was done, for the log, with the dead server's last lines; None when there was nothing to do.
        :raises ServiceFailed: when a server does not start again, or one dies for the sixth time within a minute.
        """
        with self._guard:
            dead = [server for server in self._running if self._endpoints and not server.alive]
            done = [self._revival.revive(server, self._stopping.is_set) for server in dead]
            for server in self._running:
                logs.trim(server.service.log)
            return "\n".join(done) or None

    @property
    def endpoints(self) -> Endpoints:
        """The URLs, which stay the same until :meth:`stop`.

        :raises EmbeddedError: when the services are not started.
        """
        if self._endpoints is None:
            raise EmbeddedError("The embedded services are not started.")
        return self._endpoints

    @property
    def database_url(self) -> str:
        """PostgreSQL as the app's role, which reads and writes rows but creates nothing."""
        return self.endpoints.database_url

    @property
    def migration_database_url(self) -> str:
        """PostgreSQL as the owner of the database, for migrations."""
        return self.endpoints.migration_database_url

    @property
    def admin_database_url(self) -> str:
        """PostgreSQL as superuser, for creating databases and roles."""
        return self.endpoints.admin_database_url

    @property
    def redis_url(self) -> str:
        """Valkey, database 0."""
        return self.endpoints.redis_url

    @property
    def pids(self) -> dict[str, int]:
        """The servers' process ids by name; they change when :meth:`ensure` starts one again."""
        return {server.service.name: server.pid for server in self._running}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _bring_up(self, progress: Callable[[str], None]) -> Endpoints:
        assembly.make_data_dir(self.data_dir)
        self._lock.acquire()
        self._undo.callback(self._lock.release)
        withdraw(self.data_dir)
        assembly.sweep(self.data_dir)
        spawner = Spawner()
        self._undo.callback(spawner.close)
        self._undo.callback(assembly.tidy, self.data_dir)
        plan = assembly.assemble(self.data_dir, spawner, progress, durable=self._durable)
        self._running = [Supervised(service, spawner) for service in plan.services]
        self._undo.callback(end_all, self._running, _STOP_LIMIT_S)
        progress("Starting PostgreSQL and Valkey")
        for server in self._running:
            server.launch()
        for server in self._running:
            server.wait_ready(self._stopping.is_set)
        self._undo.callback(withdraw, self.data_dir)
        publish(self.data_dir, plan.endpoints)
        return plan.endpoints
