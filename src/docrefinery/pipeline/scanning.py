"""The first stage: no byte is converted that was not scanned."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from docrefinery.model import JobWarning
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.outcomes import Outcome
from docrefinery.plugin import ScannerDown, Unscannable, Verdict
from docrefinery.plugin.descriptors import Scanner

SCAN_SECONDS = 300.0


class Scanning:
    """The scanner in effect, run where it belongs: a client of a service here, one that parses files in the child.

    :param environ: what a scanner that runs here is made with.
    """

    def __init__(self, scanner: Scanner, converter: Converter, environ: Mapping[str, str]) -> None:
        self._scanner = scanner
        self._converter = converter
        self._engine = scanner.create(environ) if scanner.runs_in == "worker" else None

    @property
    def warnings(self) -> list[JobWarning]:
        """What every job scanned here should say."""
        if not self._scanner.basic:
            return []
        message = f"Scanned with `{self._scanner.name}`, which recognises only the most obvious threats."
        return [JobWarning("BASIC_SCANNER", message)]

    async def scan(self, path: Path) -> Verdict | Outcome:
        """Judge a file.

        :raises ScannerDown: if the engine cannot be reached.
        """
        if self._engine is None:
            return await self._converter.scan(self._scanner.name, path)
        engine = self._engine
        try:
            return await asyncio.wait_for(_in_a_thread(lambda: engine.scan(path)), SCAN_SECONDS)
        except TimeoutError:
            raise ScannerDown(f"{self._scanner.name} did not answer within {SCAN_SECONDS:.0f} s") from None


async def _in_a_thread(work: Callable[[], Verdict]) -> Verdict:
    """Run a blocking call in a daemon thread: an engine that hangs must not keep the process from ending."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Verdict] = loop.create_future()

    def tell(verdict: Verdict | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        elif verdict is not None:
            result.set_result(verdict)

    def run() -> None:
        verdict, error = None, None
        try:
            verdict = work()
        except BaseException as raised:  # noqa: BLE001 - it is raised again where it is awaited
            error = raised
        # A loop that is closed has nobody left to tell.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, verdict, error)

    threading.Thread(target=run, name="scan", daemon=True).start()
    return await result


def unscannable(verdict: Unscannable) -> str:
    """Say why a job ends whose file the scanner will not judge."""
    return f"The scanner will not judge this file: {verdict.reason}. What is not scanned is not converted."
