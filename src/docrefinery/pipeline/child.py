"""The converter process: ``python -m docrefinery.pipeline.child <descriptor of its socket>``."""

import gc
import logging
import os
import socket
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docrefinery.capabilities import Measure, Models
from docrefinery.capabilities.models import missing_packages
from docrefinery.errors import ConversionFailed, JobError, OutOfMemory, ScannerUnavailable
from docrefinery.pipeline import jail, protocol
from docrefinery.pipeline.asking import Channel
from docrefinery.pipeline.hearsay import storable
from docrefinery.pipeline.jail import limits
from docrefinery.plugin import Clean, Infected, ScanEngine, Unscannable
from docrefinery.plugin.registry import PluginError, Registry, load

if TYPE_CHECKING:
    from docrefinery.engine.base import Engine, Help


CALM = (50_000, 10, 10)
"""Thresholds of the garbage collector: objects that are new, and how often older ones are looked at."""


class Parent:
    """The other end of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def receive(self) -> protocol.Request | None:
        """Wait for the next request; ``None`` when the parent is gone."""
        header = self._read(protocol.HEADER_BYTES)
        body = self._read(protocol.body_length(header)) if header else b""
        return protocol.requests.decode(body) if body else None

    def send(self, message: protocol.Reply) -> None:
        """Send a reply."""
        self._connection.sendall(protocol.encode(storable(message)))

    def _read(self, count: int) -> bytes:
        received = bytearray()
        while len(received) < count:
            more = self._connection.recv(count - len(received))
            if not more:
                return b""
            received += more
        return bytes(received)


class Child:
    """What a warm process answers.

    :param forks: whether it is a zygote's, which may start no thread.
    """

    def __init__(self, registry: Registry, setup: protocol.Setup, *, forks: bool = False) -> None:
        self._registry = registry
        self._engines, self.models = loaded(setup, forks=forks)
        with nullcontext() if self.models.usable else absent():
            from docrefinery.engine.geometric_engine import GeometricEngine
        self._engines["geometric"] = GeometricEngine()
        self._ocr_threads = setup.ocr_threads
        self._scanners: dict[str, ScanEngine] = {}

    def spread_out(self, threads: int) -> None:
        """Let the models compute in so many threads, in a child that has been forked."""
        if self.models.usable:
            from docrefinery.engine.models.loading import spread_out

            spread_out(threads)

    def answer(self, request: protocol.Request, parent: Channel) -> protocol.Reply:
        """Do what is asked; every error becomes an answer."""
        try:
            match request:
                case protocol.Scan():
                    return self._scan(request)
                case protocol.Convert():
                    return self._convert(request, parent)
                case protocol.Read():
                    return self._read(request, parent)
                case protocol.Setup() | protocol.Description() | protocol.Forget():
                    raise RuntimeError("nothing was asked for")
        except MemoryError:
            # The parent, which set the bound, says it in words.
            return protocol.Failed(OutOfMemory.error_code, "", {})
        except JobError as error:
            return protocol.Failed(error.error_code, error.message, error.details)
        except Exception as error:  # noqa: BLE001 - Docling and exporters may raise anything
            traceback.print_exc()
            return protocol.Failed(ConversionFailed.error_code, f"{type(error).__name__}: {error}", {})

    def forget(self) -> None:
        """Close the document that was worked on last; nobody waits for it, and so nobody would hear of an error."""
        from docrefinery.engine.base import Parting

        for engine in self._engines.values():
            if isinstance(engine, Parting):
                try:
                    engine.forget()
                except Exception:  # noqa: BLE001 - libraries may raise anything
                    traceback.print_exc()

    def _scan(self, request: protocol.Scan) -> protocol.Reply:
        try:
            if request.scanner not in self._scanners:
                self._scanners[request.scanner] = self._registry.scanners[request.scanner].create({})
            verdict = self._scanners[request.scanner].scan(Path(request.path))
        except MemoryError:
            raise
        except Exception as error:
            # Whatever a scanner fails of, the file was not judged, and must not pass for clean.
            raise ScannerUnavailable(
                f"the scanner {request.scanner!r} failed: {type(error).__name__}: {error}"
            ) from error
        match verdict:
            case Clean():
                return protocol.Scanned()
            case Infected():
                return protocol.Scanned(signature=verdict.signature)
            case Unscannable():
                return protocol.Scanned(unscannable=verdict.reason)

    def _convert(self, request: protocol.Convert, parent: Channel) -> protocol.Reply:
        from docrefinery.pipeline.conversion import convert

        return convert(self._engines, self.models, self._registry, request, parent.send, self._aid(request, parent))

    def _read(self, request: protocol.Read, parent: Channel) -> protocol.Reply:
        from docrefinery.pipeline.conversion import read

        return read(self._engines, self._registry, request, parent.send, self._aid(request, parent))

    def _aid(self, request: protocol.Convert | protocol.Read, parent: Channel) -> "Help":
        from docrefinery.engine.base import Help
        from docrefinery.pipeline.asking import asking

        return Help(
            ocr_engine=request.ocr_engine,
            ocr_threads=self._ocr_threads,
            describe=asking(parent) if request.describer else None,
            describer=request.describer,
        )


@contextmanager
def absent() -> Iterator[None]:
    """Have torch seem not installed, which Docling would import for nothing: seconds, and half of a gigabyte."""
    modules: dict[str, Any] = sys.modules  # None is how Python writes "not to be found"
    before = {name: modules.get(name) for name in ("torch", "transformers")}
    modules.update(dict.fromkeys(before))
    try:
        yield
    finally:
        for name, module in before.items():
            del modules[name]
            if module is not None:
                modules[name] = module


def loaded(setup: protocol.Setup, *, forks: bool) -> "tuple[dict[str, Engine], Models]":
    """Load Docling's models if the parent says so; what cannot be loaded is no reason not to work without."""
    if setup.hardware is None:
        return {}, Models(problem=setup.problem)
    if missing := missing_packages():
        return {}, Models(problem=missing)
    try:
        from docrefinery.engine.models.engine import ModelEngine
        from docrefinery.engine.models.loading import load as load_models
    except Exception as error:  # noqa: BLE001 - torch fails in its own ways where its libraries are not there
        reason = " ".join(str(error).split()) or type(error).__name__
        return {}, Models(problem=f"torch cannot be used: {reason}")
    pipeline, models = load_models(setup.hardware, forks=forks)
    if pipeline is None:
        return {}, models
    return {"docling": ModelEngine(pipeline, models, setup.hardware)}, models


def quieten() -> None:
    """Keep libraries from warning of what is no news."""
    # Docling warns of every box that sticks out of its page.
    warnings.filterwarnings("ignore", message="Provenance bbox")
    # And of every plugin that it was not allowed to load, ours included, which is there for others.
    logging.getLogger("docling.models.factories.base_factory").setLevel(logging.ERROR)


def serve(parent: Parent, child: Child, measures: tuple[Measure, ...]) -> None:
    """Say that the child is ready, and answer until the parent closes its end."""
    # Pages are many objects and no cycles: as Python has it, the collector looks at them for a quarter of the time.
    gc.set_threshold(*CALM)
    parent.send(protocol.Ready(child.models, measures))
    while (request := parent.receive()) is not None:
        if isinstance(request, protocol.Forget):
            child.forget()
        # An answer that came too late belongs to a request that is over; answering it would shift every later answer.
        elif not isinstance(request, protocol.Description):
            if isinstance(request, protocol.Scan | protocol.Convert | protocol.Read):
                limits.bound_cpu(request.cpu_seconds)
            if isinstance(request, protocol.Convert) and request.parts:
                # All that is made of pages stays until the answer is there: the collector would look at it in vain.
                gc.disable()
            parent.send(child.answer(request, parent))
            gc.enable()


def main() -> None:
    """Serve one parent, from a process of its own: where nothing can be forked, as with models on a GPU."""
    connection, born_of = socket.socket(fileno=int(sys.argv[1])), os.getppid()
    connection.set_inheritable(False)
    offline = jail.leave_network()
    parent = Parent(connection)
    setup = parent.receive()
    if not isinstance(setup, protocol.Setup):
        return
    # Before anything is loaded: libraries start threads then, which a jail that is closed later would leave outside.
    measures = jail.enter(setup.cell, offline=offline, parent=born_of)
    quieten()
    if setup.hardware is None:
        limits.bound_memory(setup.memory_bytes)
    try:
        child = Child(load(setup.plugins), setup)
    except PluginError as error:
        parent.send(protocol.Unusable(str(error)))
        return
    if setup.hardware is not None:
        # What is loaded by now came with the installation; the bound is for what documents need.
        limits.bound_memory(setup.memory_bytes, beyond_now=True)
    serve(parent, child, measures)


if __name__ == "__main__":
    main()
