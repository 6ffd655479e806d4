from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from docrefinery.pipeline.converter import ChildLimits, Converter
from docrefinery.pipeline.outcomes import Converted, Outcome, Progress, Task
from tests.support import pdfs, plugins

TRICKS = """
import ctypes, os, subprocess, sys, time
from pathlib import Path

from docrefinery.plugin import Exporter, Scanner, hookimpl

TYPES = {"faking_json": "application/json", "faking_zip": "application/zip", "climbing": "application/zip"}

def folder(stream):
    return Path(stream.name).parent

def environment(document, stream):
    stream.write("\\n".join(f"{name}={value}" for name, value in sorted(os.environ.items())).encode())

def descriptors(document, stream):
    stream.write("\\n".join(os.readlink(entry) for entry in Path("/proc/self/fd").iterdir() if entry.exists()).encode())

def sleeping(document, stream):
    folder(stream).joinpath("sleeping").touch()
    time.sleep(600)

def grandchild(document, stream):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    folder(stream).joinpath("pid").write_text(str(process.pid))
    time.sleep(600)

def leaving_its_session(document, stream):
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.setsid()
        except PermissionError:
            pass
        if os.fork() == 0:
            os.write(writing, str(os.getpid()).encode())
            time.sleep(600)
        os._exit(0)
    folder(stream).joinpath("pid").write_bytes(os.read(reading, 20))
    time.sleep(600)

def dying(document, stream):
    print("last words", file=sys.stderr, flush=True)
    # The real thing: of a signal that is only sent, a library that handles its own faults makes nothing.
    ctypes.string_at(1)

def leaving(document, stream):
    os._exit(3)

def failing(document, stream):
    raise LookupError("no such luck")

def rambling(document, stream):
    raise LookupError("no\\0 \\ud800such luck " * 70_000)

def straying(document, stream):
    folder(stream).parent.joinpath("stray.txt").write_text("x")

def littering(document, stream):
    folder(stream).joinpath("left.tmp").write_text("x")

def returning(document, stream):
    return document.name.encode()

def exiting(document, stream):
    sys.exit("no more")

def closing(document, stream):
    with stream:
        stream.write(b"words")

def tidy(document, stream):
    import tempfile
    with tempfile.NamedTemporaryFile() as file, open("in-the-working-folder", "w"):
        file.write(b"words")
    stream.write(b"words")

def hungry(document, stream):
    kept = []
    while True:
        kept.append(b"x" * 2**24)

def filling(document, stream):
    for number in range(4000):
        folder(stream).joinpath(f"{number}.tmp").write_bytes(bytes(2**18))
        time.sleep(0.01)

def filling_unseen(document, stream):
    with open(folder(stream) / "unseen.tmp", "wb") as file:
        os.unlink(file.name)
        for _ in range(4000):
            file.write(bytes(2**18))
            time.sleep(0.01)

def crowding(document, stream):
    for number in range(1000):
        folder(stream).joinpath(str(number)).touch()
    time.sleep(60)

def hungry_orphan(document, stream):
    if os.fork() == 0:
        if os.fork() == 0:
            kept = []
            while True:
                kept.append(b"x" * 2**22)
                time.sleep(0.01)
        os._exit(0)
    os.wait()
    time.sleep(60)

def burning(document, stream):
    import signal, threading
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    def spin():
        while True:
            pass
    threading.Thread(target=spin, daemon=True).start()
    stream.write(b"words")

def linking(document, stream):
    os.unlink(stream.name)
    os.symlink("/etc/passwd", stream.name)

def piping(document, stream):
    os.unlink(stream.name)
    os.mkfifo(stream.name)

def faking_json(document, stream):
    stream.write(b'{"schema_name": "DoclingDocument", "version": "1.0.0", "texts": [')

def faking_zip(document, stream):
    stream.write(b"PK and nothing more")

def climbing(document, stream):
    import zipfile
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("../../etc/cron.d/job", "x")

def bursting(document, stream):
    stream.truncate(2**31 + 1)

def babbling(document, stream):
    sockets = [entry.name for entry in Path("/proc/self/fd").iterdir() if "socket:" in os.path.realpath(entry)]
    os.write(int(sockets[0]), (2**31).to_bytes(4, "big") + b"nonsense")

def told_apart(document, stream):
    # Long enough for a free process to take the next one.
    time.sleep(0.5)
    stream.write(str(os.getpid()).encode())

def told_apart_too(document, stream):
    told_apart(document, stream)

def chatty(document, stream):
    sys.stderr.write("x" * 100_000)

@hookimpl
def docrefinery_exporters():
    writers = [environment, descriptors, sleeping, grandchild, leaving_its_session, dying, leaving, failing, rambling]
    writers += [straying, littering, returning, exiting, closing, tidy]
    writers += [filling, filling_unseen, crowding, hungry_orphan, burning]
    writers += [faking_json, faking_zip, climbing, bursting, hungry, linking, piping, babbling, chatty]
    writers += [told_apart, told_apart_too]
    return [
        Exporter(
            kind=write.__name__,
            summary="A trick.",
            content_type=TYPES.get(write.__name__, "text/plain"),
            suffix=".txt",
            write=write,
        )
        for write in writers
    ]

class Failing:
    def scan(self, path):
        raise LookupError("no such luck")

    def check(self):
        pass

@hookimpl
def docrefinery_scanners():
    return [Scanner(name="failing", summary="A trick.", create=lambda environ: Failing(), runs_in="child")]
"""

# As a worker knows them from the exporters that it has loaded.
TYPES = {"faking_json": "application/json", "faking_zip": "application/zip", "climbing": "application/zip"}

Make = Callable[..., Awaitable[Converter]]
Run = Callable[..., Awaitable[Outcome]]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def tricks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a plugin is installed whose exporters do what an attacker, or a fool, would."""
    folder = tmp_path_factory.mktemp("plugins")
    plugins.install(folder, "tricks", TRICKS)
    return folder


@pytest.fixture(scope="module")
async def make(tricks: Path, anyio_backend: str) -> AsyncIterator[Make]:
    """Make warm converters; the tricks are installed for their children only."""
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("PYTHONPATH", str(tricks))

        async def build(limits: ChildLimits | None = None, *, warm: bool = True) -> Converter:
            converter = Converter(limits or ChildLimits(), ("tricks",))
            stack.push_async_callback(converter.close)
            if warm:
                await converter.start()
            return converter

        yield build


@pytest.fixture(scope="module")
async def converter(make: Make) -> Converter:
    """One converter for the tests of a module that leave it in order."""
    return await make()


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., Task]:
    """Make a task: ``task(content, "markdown", ocr=True)``."""
    numbers = iter(range(1000))

    def build(content: bytes | None = None, *exports: str, seconds: float = 50, **options: object) -> Task:
        workdir = tmp_path / str(next(numbers))
        workdir.mkdir()
        source = workdir.with_suffix(".blob")
        source.write_bytes(pdfs.born_digital() if content is None else content)
        return Task(
            source=source,
            name="report.pdf",
            workdir=workdir,
            options=options,
            exports=exports,
            timeout_seconds=seconds,
            engine="geometric",
            content_types={kind: TYPES[kind] for kind in exports if kind in TYPES},
        )

    return build


def ignore(_progress: Progress) -> None:
    """Take progress and do nothing."""


def note_of(converter: Converter, name: str) -> Path | None:
    """Return a file that a trick left beside its result, once it is there."""
    child = converter._keeper.child
    return next(child.folder.glob(f"job-*/results/{name}"), None) if child is not None else None


async def assert_works(converter: Converter, task: Callable[..., Task]) -> None:
    """Fail unless the converter converts a good file."""
    outcome = await converter.convert(task(None, "text"), ignore)
    assert isinstance(outcome, Converted), outcome
    assert outcome.artifacts[0].path.read_text().startswith("Page 1\n")
