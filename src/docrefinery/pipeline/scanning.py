"""The first stage: no byte is converted that was not scanned."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from docrefinery.daemons import in_daemon_thread
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
            async with asyncio.timeout(SCAN_SECONDS):
                return await in_daemon_thread("scan", lambda: engine.scan(path))
        except TimeoutError:
            raise ScannerDown(f"{self._scanner.name} did not answer within {SCAN_SECONDS:.0f} s") from None


def unscannable(verdict: Unscannable) -> str:
    """Say why a job ends whose file the scanner will not judge."""
    return f"The scanner will not judge this file: {verdict.reason}. What is not scanned is not converted."
