"""Children come from a zygote, one for each tenant."""

import asyncio
import os
import resource
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

import psutil
import pytest

from docrefinery.pipeline.converter import ChildLimits, Converter, Seclusion
from docrefinery.pipeline.forking import Zygote, ZygoteGone
from docrefinery.pipeline.outcomes import Converted, Crashed, Task
from docrefinery.pipeline.protocol import Bury, Order, Report, Warm
from docrefinery.pipeline.watched import Started, stderr_file
from tests.integration.pipeline.conftest import Make, assert_works, ignore
from tests.support import plugins
from tests.support.alive import HOLDS
from tests.support.waiting import gone, until

Tasks = Callable[..., Task]


def zygote_of(converter: Converter) -> Zygote:
    zygote = converter._keeper._nursery._zygote
    assert zygote is not None
    return zygote


async def test_a_child_serves_one_tenant_and_is_replaced_when_that_changes(make: Make, task: Tasks) -> None:
    converter = await make()
    served: dict[str, set[int | None]] = {}
    for tenant in ("ours", "ours", "theirs", "ours"):
        converter.serve(tenant)
        await assert_works(converter, task)
        served.setdefault(tenant, set()).add(converter.pid)
    assert [len(pids) for pids in served.values()] == [2, 1]
    assert not served["ours"] & served["theirs"]
    assert converter.replaced == {"tenant": 2}


async def test_a_child_that_has_seen_nothing_serves_whoever_comes(make: Make, task: Tasks) -> None:
    converter = await make()
    pid = converter.pid
    converter.serve("ours")
    await converter.start()
    converter.serve("theirs")
    await assert_works(converter, task)
    assert converter.pid == pid
    assert converter.replaced == {}


async def test_a_child_that_holds_models_is_replaced_where_it_was_forked_or_as_told(make: Make, task: Tasks) -> None:
    converter = await make()
    # As if it had some.
    converter._keeper.models = HOLDS
    pids = []
    for tenant, by_tenant in (("ours", False), ("theirs", False), ("ours", None), ("theirs", None)):
        converter._keeper._seclusion = Seclusion(models_by_tenant=by_tenant)
        converter.serve(tenant)
        await assert_works(converter, task)
        pids.append(converter.pid)
        converter._keeper.models = HOLDS
    assert pids[0] == pids[1] != pids[2] != pids[3]


async def test_nothing_of_a_tenant_is_left_for_the_next(make: Make, task: Tasks) -> None:
    converter = await make()
    folders = []
    for tenant in ("ours", "theirs"):
        converter.serve(tenant)
        outcome = await converter.convert(task(None, "tidy"), ignore)
        assert isinstance(outcome, Converted)
        child = converter._keeper.child
        assert child is not None
        folders.append(child.folder)
    await until(lambda: not folders[0].exists())
    await converter.forget()
    assert not list(folders[1].glob("job-*"))


async def test_children_are_the_zygotes_and_are_buried_by_it(make: Make, task: Tasks) -> None:
    converter = await make()
    zygote = psutil.Process(zygote_of(converter).pid)
    for export in ("dying", "leaving", "text"):
        pid = converter.pid
        assert pid is not None
        assert psutil.Process(pid).ppid() == zygote.pid
        outcome = await converter.convert(task(None, export), ignore)
        if export != "text":
            assert isinstance(outcome, Crashed)
            assert (outcome.signal, outcome.exit_code) in {(signal.SIGSEGV, None), (None, 3)}
            await until(lambda pid=pid: gone(pid))  # type: ignore[misc] # mypy infers nothing for a default
        await converter.start()
    assert len(zygote.children()) == 1
    assert zygote.num_threads() == 1


async def test_a_zygote_that_dies_is_replaced_and_takes_its_child_along(make: Make, task: Tasks) -> None:
    converter = await make()
    zygote, pid = zygote_of(converter), converter.pid
    assert pid is not None
    os.kill(zygote.pid, signal.SIGKILL)
    await until(lambda: gone(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    await until(lambda: converter.pid not in {None, pid})
    assert zygote_of(converter).pid != zygote.pid
    await assert_works(converter, task)


async def test_a_zygote_that_dies_while_its_child_works_is_a_crash(make: Make, task: Tasks) -> None:
    converter = await make()
    running = asyncio.create_task(converter.convert(task(None, "sleeping"), ignore))
    await until(lambda: converter._keeper.child and list(converter._keeper.child.folder.glob("job-*/results/sleeping")))
    os.kill(zygote_of(converter).pid, signal.SIGKILL)
    outcome = await running
    assert isinstance(outcome, Crashed)
    assert outcome.signal == signal.SIGKILL
    await assert_works(converter, task)


async def test_a_zygote_sees_no_document_and_no_network(make: Make, task: Tasks) -> None:
    converter = await make()
    await assert_works(converter, task)
    files = [file.path for file in psutil.Process(zygote_of(converter).pid).open_files()]
    assert not [path for path in files if path.endswith(".pdf")]
    if any(measure.name == "network" and not measure.held for measure in converter.jail):
        pytest.skip("needs the right to make network namespaces")
    for name in ("net", "ipc"):
        assert _namespace(zygote_of(converter).pid, name) != _namespace(os.getpid(), name)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells another process's limits")
async def test_a_zygote_may_compute_for_ever(make: Make, task: Tasks) -> None:
    converter = await make()
    await assert_works(converter, task)
    assert psutil.Process(zygote_of(converter).pid).rlimit(psutil.RLIMIT_CPU) == resource.getrlimit(resource.RLIMIT_CPU)
    assert converter.pid is not None
    assert psutil.Process(converter.pid).rlimit(psutil.RLIMIT_CPU)[0] > 0


async def test_an_order_that_waits_takes_along_what_it_was_given(make: Make) -> None:
    converter = await make()
    zygote = zygote_of(converter)
    sent: list[str] = []

    async def exchanged(_order: Order, descriptors: list[int]) -> Report:
        await turn.wait()
        sent.extend(os.read(descriptor, 10).decode() for descriptor in descriptors)
        return Warm(1)

    turn = asyncio.Event()
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zygote, "_exchange", exchanged)
        with tempfile.TemporaryFile() as file:
            file.write(b"its own")
            file.seek(0)
            waiting = asyncio.create_task(zygote._order(Bury(0), file.fileno()))
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        # Another file gets the number.
        with tempfile.TemporaryFile() as file:
            file.write(b"another's")
            file.seek(0)
            turn.set()
            await until(lambda: sent)
    assert sent == ["its own"]
    await until(lambda: len(os.listdir("/dev/fd")) == before)  # noqa: PTH208


def _namespace(pid: int, name: str) -> str:
    return str(Path(f"/proc/{pid}/ns/{name}").readlink())


async def test_a_plugin_that_starts_threads_costs_the_zygote_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Tasks, anyio_backend: str
) -> None:
    plugins.install(
        tmp_path, "threading_plugin", "import threading, time; threading.Thread(target=time.sleep, args=[600]).start()"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    converter = Converter(ChildLimits(), ("threading_plugin",))
    try:
        await assert_works(converter, task)
        assert converter.pid is not None
        assert psutil.Process(converter.pid).ppid() == os.getpid()
        converter.serve("another")
        await assert_works(converter, task)
        assert converter.replaced == {"tenant": 1}
    finally:
        await converter.close()


async def test_orders_to_a_zygote_that_is_gone_end_before_its_socket_is_closed(tmp_path: Path) -> None:
    """Else their waiting is for whatever has the number of that socket next, and that one's is for nothing."""
    process = await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True)

    class Sleeping:
        pid = process.pid

        async def bury(self) -> int:
            return await process.wait()

    folder = tmp_path / "zygote"
    folder.mkdir()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(0)
    zygote = Zygote(cast(Started, Sleeping()), ours, stderr_file(), folder)
    # A child that was forked a moment ago has the other end as well, and so the socket does not end with the zygote.
    with theirs:
        orders = [asyncio.create_task(zygote.fork(tmp_path)) for _ in range(3)]
        await until(lambda: bool(select.select([theirs], [], [], 0)[0]))
        zygote.kill()
        async with asyncio.timeout(5):
            await zygote.released()
            ended = await asyncio.gather(*orders, return_exceptions=True)
    assert [type(end) for end in ended] == [ZygoteGone] * 3
    assert os.listdir(tmp_path) == []  # noqa: PTH208
