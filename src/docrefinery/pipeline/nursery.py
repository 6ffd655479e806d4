"""Where children come from: forked from a zygote in milliseconds, or started anew where that cannot be."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from docrefinery.capabilities import Hardware
from docrefinery.pipeline import protocol
from docrefinery.pipeline.forking import Zygote, ZygoteGone
from docrefinery.pipeline.jail import Cell
from docrefinery.pipeline.jail.account import first_of
from docrefinery.pipeline.jail.devices import accelerators
from docrefinery.pipeline.process import ChildProcess

log = structlog.get_logger(__name__)

WARM_UP_SECONDS = 120


def accelerated(hardware: Hardware | None) -> bool:
    """Return whether models are loaded onto a GPU of this machine."""
    return hardware is not None and hardware.device != "cpu" and bool(accelerators())


def forkable(hardware: Hardware | None) -> bool:
    """Return whether a child that holds models can be forked; what a GPU holds does not survive it."""
    return sys.platform == "linux" and not accelerated(hardware)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seclusion:
    """How far a child is kept apart.

    :param data_dir: the installation's folder, which it must not be able to read.
    :param required: whether a child is refused whose jail is not whole.
    :param models_by_tenant: whether a child that holds models is replaced as well when the tenant changes; ``None``
        is where that does not load them again.
    """

    data_dir: Path = Path("/nonexistent")
    required: bool = False
    models_by_tenant: bool | None = None

    @property
    def account(self) -> int:
        """First user id of the children of an installation that root runs."""
        return first_of(self.data_dir)

    def cell(self, folder: Path, hardware: Hardware | None) -> Cell:
        """Return the jail of a child.

        :param folder: its own.
        :param hardware: what it loads models with.
        """
        return Cell(
            folder=str(folder),
            account=self.account,
            private=(str(self.data_dir.resolve()),),
            readable=(hardware.models_folder,) if hardware else (),
            accelerated=accelerated(hardware),
        )


APART = Seclusion()
"""As far as it can be, of no installation."""


class Stillborn(Exception):
    """A zygote died, or hangs; the message says which."""

    def __init__(self, reason: str, zygote: Zygote, *, hangs: bool = False) -> None:
        super().__init__(reason)
        self.zygote = zygote
        self.hangs = hangs


class Unusable(Exception):
    """No child can be used at all; the message says why."""


class Nursery:
    """Makes the children of one worker.

    :param scratch: existing folder for their own folders; ``None`` is the system's temporary folder.
    :param setup: what a process with a folder is told, and with what it loads models.
    """

    def __init__(self, scratch: Path | None, setup: Callable[[Path, Hardware | None], protocol.Setup]) -> None:
        self._scratch = scratch
        self._setup = setup
        self._zygote: Zygote | None = None
        self._hardware: Hardware | None = None
        # Not where a library, or a plugin, has started a thread: a child would lack it. Kept for both kinds.
        self._threaded: set[bool] = set()
        self._endings: set[asyncio.Task[None]] = set()

    async def child(self, hardware: Hardware | None) -> tuple[ChildProcess, protocol.Setup | None]:
        """Return a child that is not warm yet, and what it has to be told; forked ones know.

        :param hardware: what it loads models with.
        :raises OSError: if no process can be started.
        :raises Stillborn: if the zygote fails.
        :raises Unusable: if no child can be used.
        """
        zygote = await self._warm_zygote(hardware) if self._forks(hardware) else None
        if zygote is None:
            child = ChildProcess.start(self._scratch, hardware)
            return child, self._setup(child.folder, hardware)
        try:
            return await zygote.fork(self._scratch), None
        except ZygoteGone as error:
            raise Stillborn(f"no converter can be forked: {error}", zygote) from error

    def kill(self) -> None:
        """End the zygote, and with it what it forked."""
        if self._zygote is not None:
            self._zygote.kill()

    def outlive(self, work: Coroutine[Any, Any, None]) -> None:
        """Have a process's end waited for in the background."""
        task = asyncio.create_task(work)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        """End the zygote and wait until nothing is left of any process."""
        self.kill()
        await asyncio.gather(*self._endings)

    def _forks(self, hardware: Hardware | None) -> bool:
        """Return whether children are forked."""
        return forkable(hardware) and (hardware is not None) not in self._threaded

    async def _warm_zygote(self, hardware: Hardware | None) -> Zygote | None:
        """Return the zygote, started now if there is none; ``None`` where it has threads."""
        if self._zygote is not None and self._zygote.alive:
            if hardware == self._hardware:
                return self._zygote
            self._zygote.kill()
        zygote = Zygote.start(self._scratch, hardware)
        self._zygote, self._hardware = zygote, hardware
        self.outlive(zygote.released())
        seconds = hardware.loading_seconds if hardware else WARM_UP_SECONDS
        try:
            async with asyncio.timeout(seconds):
                report = await zygote.warm(self._setup(zygote.folder, hardware))
        except TimeoutError:
            raise Stillborn(f"the converter was not ready after {seconds:g} s", zygote, hangs=True) from None
        except ZygoteGone:
            await zygote.ended()
            raise Stillborn("", zygote) from None
        if isinstance(report, protocol.Warm) and report.threads == 1:
            return zygote
        zygote.kill()
        if isinstance(report, protocol.Unusable):
            raise Unusable(report.message)
        self._threaded.add(hardware is not None)
        log.warning("converters_not_forked", reason="a plugin or a library starts threads when it is loaded")
        return None
