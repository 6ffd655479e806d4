"""Keeps one warm child at hand: starts it, notices its death, replaces it."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Literal

import structlog

from docrefinery.capabilities import NONE, Hardware, Models, being_loaded
from docrefinery.pipeline import protocol
from docrefinery.pipeline.outcomes import Crashed
from docrefinery.pipeline.postmortem import autopsy
from docrefinery.pipeline.process import ChildGone, ChildLimits, ChildProcess
from docrefinery.pipeline.protocol import ProtocolError

log = structlog.get_logger(__name__)

WARM_UP_SECONDS = 120
LOADING_SECONDS = 900
"""The same where models are loaded: gigabytes, from a disk that may be a network's."""
LOADING_TRIES = 3
# A child that dies again and again with nothing to do is not replaced for ever; the next request tries once more.
IDLE_REPLACEMENTS = 3


Cause = Literal["died", "canceled", "timeout", "out_of_memory", "protocol", "jobs", "memory"]
"""Why a child was replaced: it died by itself, was killed for the job's or its own sake, or is worn out (``jobs``: it
served as many as it may, ``memory``: it grew too large)."""


class ConverterUnavailable(Exception):
    """A converter process cannot be started; the message has the end of what it wrote to stderr."""


class Keeper:
    """Holds the current child. Whoever takes it out is the only one to use it until they are done."""

    def __init__(
        self,
        limits: ChildLimits,
        plugins: tuple[str, ...] | None,
        scratch: Path | None,
        models: Hardware | Models = NONE,
    ) -> None:
        self.child: ChildProcess | None = None
        self.models = models if isinstance(models, Models) else being_loaded(Path(models.models_folder))
        self.replaced: Counter[str] = Counter()
        self._cause: Cause | None = None
        self._limits = limits
        self._plugins = plugins
        self._scratch = scratch
        # Taken away after a child that could not load the models: the next one would fail as well, and slowly.
        self._hardware = models if isinstance(models, Hardware) else None
        self._warming: asyncio.Task[ChildProcess] | None = None
        self._mourners: set[asyncio.Task[None]] = set()
        self._idle_replacements = 0
        self._deaths = 0
        self._closed = False

    async def get(self) -> ChildProcess:
        """Return a warm child, started now if there is none.

        :raises ConverterUnavailable: if it cannot be started.
        """
        self._idle_replacements = 0
        if self._warming is None or self._useless(self._warming):
            self._warm_up()
        assert self._warming is not None
        # The child goes on warming up for the next one if this caller is cancelled.
        return await asyncio.shield(self._warming)

    def replace(self, why: Cause) -> None:
        """End the current child and start the next one in the background, unless that is under way already."""
        if self._warming is None or self._warming.done():
            self.kill(why)
            self._warm_up()

    def kill(self, why: Cause | None = None) -> None:
        """End the current child at once; the first reason is the one that its replacement is counted under."""
        self._cause = self._cause or why
        if self.child is not None:
            self.child.kill()

    async def close(self) -> None:
        """End the child and wait until nothing is left of it."""
        self._closed = True
        self.kill()
        if self._warming is not None:
            await asyncio.gather(self._warming, return_exceptions=True)
        await asyncio.gather(*self._mourners)

    def _useless(self, warming: asyncio.Task[ChildProcess]) -> bool:
        if not warming.done():
            return False
        return warming.cancelled() or warming.exception() is not None or not warming.result().alive

    def _warm_up(self) -> None:
        self._warming = asyncio.create_task(self._start())
        # Whoever needs the child meets the error; with nobody waiting it must not end in asyncio's own log.
        self._warming.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _start(self) -> ChildProcess:
        # Between the task's making and its first step the keeper may have been closed.
        if self._closed:
            raise ConverterUnavailable("the converter is closed")
        self.kill()
        try:
            child = ChildProcess(self._scratch, self._hardware)
        except OSError as error:
            raise ConverterUnavailable(f"no process can be started: {error}") from error
        if self.child is not None:
            self.replaced[self._cause or "died"] += 1
        self.child, self._cause = child, None
        mourner = asyncio.create_task(self._mourn(child))
        self._mourners.add(mourner)
        mourner.add_done_callback(self._mourners.discard)
        try:
            reply = await self._greet(child)
        except BaseException:
            child.kill()
            raise
        if isinstance(reply, protocol.Ready):
            self._note(child, reply.models)
            return child
        child.kill()
        raise ConverterUnavailable(reply.message if isinstance(reply, protocol.Unusable) else f"it said {reply!r}")

    def _note(self, child: ChildProcess, models: Models) -> None:
        """Note what a child holds; one that could not load the models is the last one that tried."""
        self.models, self._deaths = models, 0
        if models.usable:
            child.hold()
            megabytes = models.memory_bytes // 2**20
            log.info("models_loaded", **models.held, device=models.device, megabytes=megabytes)
        if models.problem and self._hardware is not None:
            log.warning("models_not_loaded", reason=models.problem)
        if not models.usable:
            self._hardware = None

    async def _greet(self, child: ChildProcess) -> protocol.Reply:
        seconds = LOADING_SECONDS if self._hardware else WARM_UP_SECONDS
        setup = protocol.Setup(
            self._limits.memory_bytes, self._plugins, self._limits.ocr_threads, self._hardware, self.models.problem
        )
        try:
            async with asyncio.timeout(seconds):
                return await child.warm(setup)
        except TimeoutError:
            raise self._unavailable(child, f"the converter was not ready after {seconds} s") from None
        except ProtocolError as error:
            raise self._unavailable(child, f"the converter sent {error}") from error
        except ChildGone:
            await child.ended()
            raise self._unavailable(child, self._reason(child)) from None

    def _unavailable(self, child: ChildProcess, reason: str) -> ConverterUnavailable:
        """Say why a child does not start; after some that died while they loaded models, the next one loads none."""
        if self._hardware is not None and not child.killed:
            self._deaths += 1
            if self._deaths >= LOADING_TRIES:
                self._hardware, self.models = None, Models(problem=f"while it loaded Docling's models, {reason}")
            log.warning("models_not_loaded", reason=reason, stderr=child.stderr_tail())
        return ConverterUnavailable(f"{reason}: {child.stderr_tail()}")

    def _reason(self, child: ChildProcess) -> str:
        end = autopsy(child, self._limits.memory_bytes)
        if isinstance(end, Crashed):
            return f"{end.reason} while it started"
        mebibytes = self._limits.memory_bytes // 2**20
        return f"a converter needs more than {mebibytes} MiB only to start; raise DOCREFINERY_CHILD_MEMORY_MB"

    async def _mourn(self, child: ChildProcess) -> None:
        await child.released()
        warm = self._warming is not None and self._warming.done()
        if child is self.child and warm and not self._closed and self._idle_replacements < IDLE_REPLACEMENTS:
            self._idle_replacements += 1
            self._warm_up()
