"""Keeps one warm child at hand: starts it, notices its death, replaces it."""

import asyncio
import time
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
LOADING_TRIES = 3
AGAIN_SECONDS = 300
"""After this a child that is started anyway tries again to load models that could not be loaded."""
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
        self._loads = models if isinstance(models, Hardware) else None
        # The next child would fail as well, and slowly.
        self._not_before = 0.0
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
        # Not of the job in whose time it starts.
        structlog.contextvars.clear_contextvars()
        hardware = self._loads if time.monotonic() >= self._not_before else None
        if hardware is not None:
            self.models = being_loaded(Path(hardware.models_folder))
        try:
            child = ChildProcess(self._scratch, hardware)
        except OSError as error:
            raise ConverterUnavailable(f"no process can be started: {error}") from error
        if self.child is not None:
            self.replaced[self._cause or "died"] += 1
        self.child, self._cause = child, None
        mourner = asyncio.create_task(self._mourn(child))
        self._mourners.add(mourner)
        mourner.add_done_callback(self._mourners.discard)
        try:
            reply = await self._greet(child, hardware)
        except BaseException:
            child.kill()
            raise
        if isinstance(reply, protocol.Ready):
            self._note(child, reply.models, tried=hardware is not None)
            return child
        child.kill()
        raise ConverterUnavailable(reply.message if isinstance(reply, protocol.Unusable) else f"it said {reply!r}")

    def _note(self, child: ChildProcess, models: Models, *, tried: bool) -> None:
        """Note what a child holds; one that could not load the models is the last one that tries for a while."""
        self.models, self._deaths = models, 0
        if models.usable:
            child.hold()
            megabytes = models.memory_bytes // 2**20
            log.info("models_loaded", **models.held, device=models.device, megabytes=megabytes)
        for reason in filter(None, [models.problem, *models.broken.values()]) if tried else ():
            log.warning("models_not_loaded", reason=reason)
        if tried and not models.usable:
            self._not_before = time.monotonic() + AGAIN_SECONDS

    async def _greet(self, child: ChildProcess, hardware: Hardware | None) -> protocol.Reply:
        seconds = hardware.loading_seconds if hardware else WARM_UP_SECONDS
        setup = protocol.Setup(
            self._limits.memory_bytes, self._plugins, self._limits.ocr_threads, hardware, self.models.problem
        )
        try:
            async with asyncio.timeout(seconds):
                return await child.warm(setup)
        except TimeoutError:
            # One that hangs is not worth another try: all jobs wait for it.
            self._gave_up(child, hardware, f"the converter was not ready after {seconds:g} s", tries=1)
            raise self._unavailable(child, f"it was not ready after {seconds:g} s") from None
        except ProtocolError as error:
            self._gave_up(child, hardware, f"the converter sent {error}")
            raise self._unavailable(child, f"it sent {error}") from error
        except ChildGone:
            await child.ended()
            reason = self._reason(child)
            self._gave_up(child, hardware, reason)
            raise self._unavailable(child, reason) from None

    def _gave_up(self, child: ChildProcess, hardware: Hardware | None, reason: str, tries: int = LOADING_TRIES) -> None:
        """Count a child that ended while it loaded models; after some of them the next one loads none."""
        if hardware is None or child.killed:
            return
        self._deaths += 1
        if self._deaths >= tries:
            self.models = Models(problem=f"while it loaded Docling's models, {reason}")
            self._not_before = time.monotonic() + AGAIN_SECONDS
        log.warning("models_not_loaded", reason=reason, stderr=child.stderr_tail())

    def _unavailable(self, child: ChildProcess, reason: str) -> ConverterUnavailable:
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
