"""The same conversions without a service: engine and exporters called directly, in as many processes as workers."""

import tempfile
import time
import warnings
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from docrefinery.capabilities import NONE
from docrefinery.engine.base import Help
from docrefinery.engine.geometric_engine import GeometricEngine
from docrefinery.pipeline.conversion import convert
from docrefinery.pipeline.protocol import Convert
from docrefinery.plugin.registry import Registry, load
from docrefinery.profiles.fast_text import FAST_TEXT

_UNBOUNDED = float("inf")
_STATE: dict[str, object] = {}


def _warm_up() -> None:
    # Docling warns of boxes outside of the page; the service keeps its converters' stderr for crashes.
    warnings.simplefilter("ignore")
    _STATE["engine"], _STATE["registry"] = GeometricEngine(), load()


def _one(path: str) -> None:
    engine, registry = _STATE["engine"], _STATE["registry"]
    assert isinstance(engine, GeometricEngine)
    assert isinstance(registry, Registry)
    with tempfile.TemporaryDirectory() as folder:
        exports = (*FAST_TEXT.exports, "docling_json")
        name, options = Path(path).name, dict(FAST_TEXT.options)
        request = Convert(path, name, folder, options, exports, _UNBOUNDED, engine="geometric")
        convert({"geometric": engine}, NONE, registry, request, lambda _: None, Help())


class InProcess:
    """A warm pool of processes."""

    def __init__(self, processes: int) -> None:
        self._pool = get_context("spawn").Pool(processes, _warm_up)

    def seconds(self, paths: Sequence[Path]) -> float:
        """Convert files and return how long that took."""
        started = time.perf_counter()
        self._pool.map(_one, [str(path) for path in paths], chunksize=1)
        return time.perf_counter() - started

    def close(self) -> None:
        """End the processes."""
        self._pool.terminate()
        self._pool.join()
