"""Converting files that may be anything, one after the other, in one converter under its limits."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from docrefinery.pipeline import outcomes
from docrefinery.pipeline.converter import ChildLimits, Converter
from tests.support.pdfs import born_digital

LIMITS = ChildLimits(memory_bytes=1536 * 2**20, max_jobs=10**6, max_rss_bytes=1024 * 2**20)
SECONDS = 20.0
HUNG = "Hung"
# A converter has to be ended, and another one started, within as much again and again.
OVER = 3
# pdfium ends its own process over these, or takes all the memory that there is: the bound, not the file, ends them.
ENDED_BY_PDFIUM = {"recursive_forms"}
# What ends a converter when a file wants more than it may have.
BOUNDS = {"", "timeout", "out_of_memory"}
EXPORTS = ["markdown", "docling_json"]


class Fate(Struct, frozen=True):
    """What became of a file: how it ended, in how many seconds, and why its converter had to be replaced, if so."""

    name: str
    ending: str
    seconds: float
    replaced: str


def harmful(fates: Iterable[Fate], seconds: float = SECONDS) -> list[Fate]:
    """Return those that harmed more than their own job: crashed, hung, or over the bound.

    :param seconds: what each was given to be converted in.
    """
    return [fate for fate in fates if fate.name not in ENDED_BY_PDFIUM and _harmed(fate, seconds)]


def _harmed(fate: Fate, seconds: float) -> bool:
    crashed = fate.ending == HUNG or fate.ending.startswith("Crashed") or fate.replaced not in BOUNDS
    return crashed or fate.seconds > OVER * seconds


@asynccontextmanager
async def converting(folder: Path) -> AsyncIterator[Converter]:
    """Run a converter with a scratch folder."""
    converter = Converter(LIMITS, (), folder)
    await converter.start()
    try:
        yield converter
    finally:
        await converter.close()


async def try_all(
    converter: Converter, folder: Path, files: Iterable[tuple[str, bytes]], seconds: float = SECONDS
) -> AsyncIterator[Fate]:
    """Convert each within so many seconds; a file that makes this raise is a defect of ours."""
    for number, (name, content) in enumerate(files):
        before, started = Counter(converter.replaced), time.monotonic()
        try:
            async with asyncio.timeout(2 * OVER * seconds):
                ending = await _convert(converter, _task(folder / str(number), content, seconds))
        except TimeoutError:
            ending = HUNG
        taken = time.monotonic() - started
        # The next child is started when it is needed, and counted then.
        await converter.start()
        yield Fate(name, ending, taken, ", ".join(Counter(converter.replaced) - before))


async def converts_a_good_one(converter: Converter, folder: Path) -> bool:
    """Whether a plain document is converted."""
    return await _convert(converter, _task(folder / "good", born_digital(), SECONDS)) == "Converted"


def _task(workdir: Path, content: bytes, seconds: float) -> outcomes.Task:
    results = workdir / "results"
    results.mkdir(parents=True)
    source = workdir / "source.pdf"
    source.write_bytes(content)
    return outcomes.Task(
        source=source, name="hostile.pdf", workdir=results, exports=EXPORTS, timeout_seconds=seconds, engine="geometric"
    )


async def _convert(converter: Converter, task: outcomes.Task) -> str:
    match await converter.convert(task, lambda _: None):
        case outcomes.Rejected() as rejected:
            return rejected.code
        case outcomes.Converted(partial=True):
            return "Converted in part"
        case outcomes.Crashed() as crashed:
            return f"Crashed: {crashed.reason}"
        case other:
            return type(other).__name__
