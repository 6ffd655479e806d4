"""What a child cannot do, tried from inside of one; what a kernel cannot hold is skipped under its name."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

import docrefinery
from docrefinery.capabilities import Measure, missing
from docrefinery.pipeline.converter import ChildLimits, Converter, ConverterUnavailable, Seclusion
from docrefinery.pipeline.outcomes import Converted, Outcome, Task, TimedOut
from docrefinery.pipeline.scratch import open_to
from tests.integration.pipeline.conftest import ignore
from tests.support import escapes, pdfs, scans

Tasks = Callable[..., Task]
Found = dict[str, Any]
LIMITS = ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_AS")


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Return a folder that every user can get to, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="docrefinery-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def outside(place: Path) -> Iterator[None]:
    """Have what an attacker would like to get hold of, and a plugin that tries to."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(place / "socket"))
        local.listen()
        place.joinpath("socket").chmod(0o777)
        neighbour = stack.enter_context(subprocess.Popen(["sleep", "600"]))
        stack.callback(neighbour.kill)
        data_dir = place / "data"
        data_dir.mkdir(mode=0o700)
        data_dir.joinpath("api-key").write_text("secret")
        known = {
            "parent": os.getpid(),
            "neighbour": neighbour.pid,
            "port": server.getsockname()[1],
            "socket": str(place / "socket"),
            "key": str(data_dir / "api-key"),
            "limits": LIMITS,
        }
        place.joinpath("plugins").mkdir()
        escapes.install(place / "plugins", known)
        yield


@pytest.fixture(scope="module", params=["as its parent", "with an account"])
async def prisoner(
    request: pytest.FixtureRequest, place: Path, outside: None, anyio_backend: str
) -> AsyncIterator[Converter]:
    """Return a converter whose child is who its parent is, or somebody else, which only root can arrange."""
    source, packages = Path(docrefinery.__file__).parents[1], Path(msgspec.__file__).parents[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{place / 'plugins'}:{packages}:{source}")
        seclusion = Seclusion(data_dir=place / "data")
        if request.param == "with an account":
            patch.setattr(sys, "executable", _interpreter_of_others())
            folder = place / "scratch"
        else:
            # Nobody else can get to it.
            folder = place / "data" / "scratch"
        folder.mkdir(mode=0o700)
        if request.param == "with an account":
            open_to(seclusion.account, folder)
        converter = Converter(ChildLimits(), ("escapes",), folder, seclusion=seclusion)
        try:
            await converter.start()
            yield converter
        finally:
            await converter.close()


def _interpreter_of_others() -> str:
    if os.geteuid() != 0:
        pytest.skip("needs root, who alone can give a child an account")
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        program = Path(candidate).resolve()
        if program.exists() and all(folder.stat().st_mode & 0o001 for folder in program.parents):
            return candidate
    pytest.skip(f"needs a {name} that other users can run")


@pytest.fixture(scope="module")
async def found(prisoner: Converter, place: Path) -> Found:
    """Return what came of the attempts."""
    return await result_of(prisoner, place, "trying")


async def converted(converter: Converter, place: Path, export: str) -> Outcome:
    workdir = Path(tempfile.mkdtemp(dir=place))
    source = workdir / "document.blob"
    source.write_bytes(pdfs.born_digital())
    task = Task(source=source, name="a.pdf", workdir=workdir, exports=[export], engine="geometric", timeout_seconds=50)
    return await converter.convert(task, ignore)


async def result_of(converter: Converter, place: Path, export: str) -> Found:
    outcome = await converted(converter, place, export)
    assert isinstance(outcome, Converted), outcome
    result: Found = json.loads(outcome.artifacts[0].path.read_text())
    return result


def need(converter: Converter, *names: str) -> None:
    """Skip a test of measures that do not hold here."""
    if lacks := missing([measure for measure in converter.jail if measure.name in names]):
        pytest.skip(lacks)


async def test_every_measure_is_told(prisoner: Converter) -> None:
    assert [measure.name for measure in prisoner.jail] == [
        *("network", "files", "system calls", "account", "privileges", "other processes", "processes", "limits")
    ]


async def test_an_account_is_its_own_where_root_can_give_one(prisoner: Converter, found: Found) -> None:
    real, effective, group, groups = found["account"]
    need(prisoner, "account")
    if os.geteuid() != 0:
        assert effective != 0
        return
    assert prisoner.pid is not None
    assert real == effective == group + prisoner.pid
    assert group > 1_800_000_000
    assert groups == []


async def test_no_network_is_reached(prisoner: Converter, found: Found) -> None:
    need(prisoner, "network")
    refusals = {"EAFNOSUPPORT", "ENETUNREACH", "EACCES", "EPERM"}
    assert {found["tcp"], found["udp"]} <= refusals


async def test_no_socket_of_this_machine_is_reached(prisoner: Converter, found: Found) -> None:
    need(prisoner, "system calls")
    assert found["unix"] == "EAFNOSUPPORT"


async def test_nothing_is_read_that_is_somebodys(prisoner: Converter, found: Found) -> None:
    need(prisoner, "files")
    assert {found[name] for name in ("read key", "read key in a thread", "read settings")} == {"EACCES"}
    assert found["read key by a program"] == 1


async def test_nothing_is_written_but_in_its_folder(prisoner: Converter, found: Found) -> None:
    need(prisoner, "files")
    written = {name: how for name, how in found.items() if name.startswith("create ")}
    assert written.pop("create at home") == "done"
    assert len(written) == 4
    assert set(written.values()) == {"EACCES"}


async def test_what_it_has_written_cannot_be_run(prisoner: Converter, found: Found) -> None:
    need(prisoner, "files")
    assert found["run own program"] == "EACCES"


async def test_the_parent_is_out_of_reach(prisoner: Converter, found: Found) -> None:
    need(prisoner, "other processes", "files", "system calls")
    names = ("parent's environment", "parent's memory", "signal parent", "signal neighbour", "trace parent")
    assert {found[name] for name in names} <= {"EACCES", "EPERM"}


async def test_no_privilege_is_left_and_none_is_gained(prisoner: Converter, found: Found) -> None:
    need(prisoner, "privileges")
    status = found["status"]
    assert status["NoNewPrivs"] == ["1"]
    assert {int(status[name][0], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    # In a user namespace there is nobody of that number.
    assert found["become root"] in ("EPERM", "EINVAL")
    assert found["raise a limit"] != "done"


async def test_system_calls_that_exploits_like_are_refused(prisoner: Converter, found: Found) -> None:
    need(prisoner, "system calls")
    assert found["status"]["Seccomp"] == ["2"]
    assert (found["new namespace"], found["trace parent"]) == ("EPERM", "EPERM")
    assert {found[name] for name in ("new session", "new group")} == {"EPERM"}
    names = ("shared memory", "attached memory", "queue", "semaphores", "named queue", "file in memory")
    assert {found[name] for name in names} == {"EPERM"}


async def test_limits_are_set(found: Found) -> None:
    assert found["limits"] == {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 4 * 1024**3,
        "RLIMIT_NOFILE": min(1024, found["limits"]["RLIMIT_NOFILE"]),
        "RLIMIT_AS": ChildLimits().memory_bytes,
    }


async def test_programs_still_run(found: Found) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("needs tesseract")
    assert found["tesseract"] == 0


async def test_forking_without_end_comes_to_an_end(prisoner: Converter, place: Path) -> None:
    need(prisoner, "processes")
    forked = await result_of(prisoner, place, "forking")
    assert forked["refused"] == "EAGAIN"
    assert forked["forked"] < 1000


async def test_computing_without_end_is_a_timeout(prisoner: Converter, place: Path) -> None:
    assert isinstance(await converted(prisoner, place, "spinning"), TimedOut)


async def test_scans_are_read_inside(prisoner: Converter, place: Path) -> None:
    """With RapidOCR, whose models and library are loaded inside, and with Tesseract where it is installed."""
    content = scans.scanned(pdfs.born_digital(1))
    for engine in ("rapidocr", *(["tesseract"] if shutil.which("tesseract") else [])):
        workdir = Path(tempfile.mkdtemp(dir=place))
        source = workdir / "scan.blob"
        source.write_bytes(content)
        task = Task(
            source=source,
            name="scan.pdf",
            workdir=workdir,
            exports=["text"],
            options={"do_ocr": True},
            engine="geometric",
            ocr_engine=engine,  # type: ignore[arg-type] # one of the two
        )
        outcome = await prisoner.convert(task, ignore)
        assert isinstance(outcome, Converted), outcome
        assert outcome.artifacts[0].path.read_text().startswith("Page 1")
        assert outcome.engine["ocr"].startswith(engine)


async def test_a_jail_that_is_not_whole_is_refused_where_it_has_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, anyio_backend: str
) -> None:
    # A data dir that a converter must be able to read, for all that it knows.
    converter = Converter(ChildLimits(), (), tmp_path, seclusion=Seclusion(data_dir=Path("/usr/lib"), required=True))
    try:
        with pytest.raises(ConverterUnavailable, match=r"DOCREFINERY_JAIL=require, but .*files: /usr/lib lies in /usr"):
            await converter.start()
    finally:
        await converter.close()


def test_what_is_missing_is_one_line() -> None:
    assert missing([Measure("network"), Measure("files", "no Landlock"), Measure("account", "no root")]) == (
        "files: no Landlock; account: no root"
    )
