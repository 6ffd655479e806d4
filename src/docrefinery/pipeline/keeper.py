"""Keeps one warm child at hand: starts it, notices its death, replaces it."""

import asyncio
import os
import time
from collections import Counter
from pathlib import Path
from typing import Literal

import structlog

from docrefinery.capabilities import NONE, Hardware, Measure, Models, being_loaded, missing
from docrefinery.pipeline import protocol
from docrefinery.pipeline.nursery import APART, WARM_UP_SECONDS, Nursery, Seclusion, Stillborn, Unusable
from docrefinery.pipeline.outcomes import Rejected
from docrefinery.pipeline.postmortem import autopsy
from docrefinery.pipeline.process import ChildGone, ChildLimits, ChildProcess
from docrefinery.pipeline.protocol import ProtocolError
from docrefinery.pipeline.watched import Watched

log = structlog.get_logger(__name__)

LOADING_TRIES = 3
AGAIN_SECONDS = 300
"""After this a child that is started anyway tries again to load models that could not be loaded."""
# A child that dies again and again with nothing to do is not replaced for ever; the next request tries once more.
IDLE_REPLACEMENTS = 3


Cause = Literal["died", "canceled", "timeout", "out_of_memory", "disk", "protocol", "busy", "jobs", "memory", "tenant"]
"""Why a child was replaced: it died by itself, was killed for the job's or its own sake (``disk``: it filled its
folder, ``busy``: it computed unasked), is worn out (``jobs``: it served as many as it may, ``memory``: it grew too
large), or has seen documents of another tenant."""


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
        seclusion: Seclusion = APART,
    ) -> None:
        self.child: ChildProcess | None = None
        self.models = models if isinstance(models, Models) else being_loaded(Path(models.models_folder))
        self.jail: tuple[Measure, ...] = ()
        self.replaced: Counter[str] = Counter()
        self._cause: Cause | None = None
        self._limits = limits
        self._plugins = plugins
        self._seclusion = seclusion
        self._nursery = Nursery(scratch, self._setup)
        self._loads = models if isinstance(models, Hardware) else None
        self._loaded = NONE
        # The next child would fail as well, and slowly.
        self._not_before = 0.0
        self._warming: asyncio.Task[ChildProcess] | None = None
        self._idle_replacements = 0
        self._deaths = 0
        self._closed = False

    async def get(self, tenant: str | None = None) -> ChildProcess:
        """Return a warm child, started now if there is none.

        :param tenant: whose document it is to see; one that has seen another's is replaced. ``None`` shows it none.
        :raises ConverterUnavailable: if it cannot be started.
        """
        self._idle_replacements = 0
        if self._warming is None or self._useless(self._warming):
            self._warm_up()
        child = await self._warmed()
        if tenant is None:
            return child
        if child.tenant not in (None, tenant) and self._replaces(child):
            self.replace("tenant")
            child = await self._warmed()
        child.tenant = tenant
        return child

    def _replaces(self, child: ChildProcess) -> bool:
        """Return whether a child is replaced when the tenant changes: it is where that takes no time, unless told."""
        if not self.models.usable:
            return True
        told = self._seclusion.models_by_tenant
        return child.forked if told is None else told

    def replace(self, why: Cause) -> None:
        """End the current child and start the next one in the background, unless that is under way already."""
        if self._warming is None or self._warming.done():
            self.kill(why)
            self._warm_up()

    def kill(self, why: Cause | None = None) -> bool:
        """End the current child at once, and return whether there was one.

        The first reason is the one that its replacement is counted under.
        """
        self._cause = self._cause or why
        if self.child is None or not self.child.alive:
            return False
        self.child.kill()
        return True

    async def close(self) -> None:
        """End the child and wait until nothing is left of it."""
        self._closed = True
        self.kill()
        self._nursery.kill()
        if self._warming is not None:
            await asyncio.gather(self._warming, return_exceptions=True)
        self.kill()
        await self._nursery.close()

    async def _warmed(self) -> ChildProcess:
        assert self._warming is not None
        # The child goes on warming up for the next one if this caller is cancelled.
        return await asyncio.shield(self._warming)

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
        child, setup = await self._born(hardware)
        if self.child is not None:
            self.replaced[self._cause or "died"] += 1
        self.child, self._cause = child, None
        self._nursery.outlive(self._mourn(child))
        try:
            reply = await self._greet(child, setup, hardware)
            if isinstance(reply, protocol.Ready):
                self._note(child, reply)
                self._note_models(child, reply.models, tried=hardware is not None)
                return child
        except BaseException:
            child.kill()
            raise
        child.kill()
        raise ConverterUnavailable(reply.message if isinstance(reply, protocol.Unusable) else f"it said {reply!r}")

    async def _born(self, hardware: Hardware | None) -> tuple[ChildProcess, protocol.Setup | None]:
        try:
            return await self._nursery.child(hardware)
        except OSError as error:
            raise ConverterUnavailable(f"no process can be started: {error}") from error
        except Stillborn as error:
            reason = str(error) or self._reason(error.zygote)
            self._gave_up(error.zygote, hardware, reason, tries=1 if error.hangs else LOADING_TRIES)
            error.zygote.kill()
            raise self._unavailable(error.zygote, reason) from error
        except Unusable as error:
            raise ConverterUnavailable(str(error)) from error

    def _setup(self, folder: Path, hardware: Hardware | None) -> protocol.Setup:
        limits, cell = self._limits, self._seclusion.cell(folder, hardware)
        return protocol.Setup(
            cell, limits.memory_bytes, self._plugins, limits.ocr_threads, hardware, self.models.problem
        )

    def _note(self, child: ChildProcess, ready: protocol.Ready) -> None:
        """Note what a child is kept apart by.

        :raises ConverterUnavailable: if its jail is not whole and has to be.
        """
        lacks = missing(ready.jail)
        if lacks and self._seclusion.required:
            raise ConverterUnavailable(f"DOCREFINERY_JAIL=require, but {lacks}")
        self.jail = ready.jail
        if os.geteuid() == 0 and Measure("account") in ready.jail:
            child.owner = self._seclusion.account + child.pid

    def _note_models(self, child: ChildProcess, models: Models, *, tried: bool) -> None:
        """Note what a child holds; one that could not load the models is the last one that tries for a while."""
        self.models, self._deaths = models, 0
        if models.usable:
            child.hold()
            if models != self._loaded:
                megabytes = models.memory_bytes // 2**20
                log.info("models_loaded", **models.held, device=models.device, megabytes=megabytes)
        self._loaded = models
        for reason in filter(None, [models.problem, *models.broken.values()]) if tried else ():
            log.warning("models_not_loaded", reason=reason)
        if tried and not models.usable:
            self._not_before = time.monotonic() + AGAIN_SECONDS

    async def _greet(
        self, child: ChildProcess, setup: protocol.Setup | None, hardware: Hardware | None
    ) -> protocol.Reply:
        seconds = hardware.loading_seconds if hardware else WARM_UP_SECONDS
        try:
            async with asyncio.timeout(seconds):
                return await child.greet(setup)
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

    def _gave_up(self, child: Watched, hardware: Hardware | None, reason: str, tries: int = LOADING_TRIES) -> None:
        """Count a child that ended while it loaded models; after some of them the next one loads none."""
        if hardware is None or child.killed:
            return
        self._deaths += 1
        if self._deaths >= tries:
            self.models = Models(problem=f"while it loaded Docling's models, {reason}")
            self._not_before = time.monotonic() + AGAIN_SECONDS
        log.warning("models_not_loaded", reason=reason, stderr=child.stderr_tail())

    def _unavailable(self, child: Watched, reason: str) -> ConverterUnavailable:
        return ConverterUnavailable(f"{reason}: {child.stderr_tail()}")

    def _reason(self, child: Watched) -> str:
        end = autopsy(child, self._limits.memory_bytes)
        if not isinstance(end, Rejected):
            return f"{end.reason} while it started"
        mebibytes = self._limits.memory_bytes // 2**20
        return f"a converter needs more than {mebibytes} MiB only to start; raise DOCREFINERY_CHILD_MEMORY_MB"

    async def _mourn(self, child: ChildProcess) -> None:
        await child.released()
        warm = self._warming is not None and self._warming.done()
        if child is self.child and warm and not self._closed and self._idle_replacements < IDLE_REPLACEMENTS:
            self._idle_replacements += 1
            self._warm_up()
