"""What befalls an installation. Each takes the ground and the job that is in a stage, and leaves things to mend."""

import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import psutil
import redis

from tests.support.clamd import Daemon
from tests.support.disks import full
from tests.support.ground import LEASE_SECONDS, Ground
from tests.support.processes import wait_until

Fault = Callable[[Ground, int], None]
AWAY_SECONDS = 2.0
LONG_SECONDS = 45.0
PAST_LEASE_SECONDS = LEASE_SECONDS + 2


@contextmanager
def frozen(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Keep processes from running: for everybody else they are there, and say nothing."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def worker_killed(ground: Ground, job_id: int) -> None:
    """The worker of the job dies."""
    ground.worker_of(job_id).kill()


def worker_frozen(ground: Ground, job_id: int) -> None:
    """The worker of the job stands still for longer than its lease, and goes on then."""
    # What it holds of the job is let go of meanwhile, so that another can take it up.
    with frozen([ground.worker_of(job_id)]):
        time.sleep(PAST_LEASE_SECONDS)


def worker_told_to_stop(ground: Ground, job_id: int) -> None:
    """The worker of the job is told to stop."""
    ground.worker_of(job_id).terminate()


def converter_killed(ground: Ground, job_id: int) -> None:
    """The process that converts dies."""
    ours = set(ground.worker_of(job_id).children(recursive=True))
    converters = [process for process in ground.own.converters if process in ours]
    assert converters, f"nobody converts job {job_id}"
    for converter in converters:
        converter.kill()


def zygote_killed(ground: Ground, job_id: int) -> None:
    """The process that converters are forked from dies, and those with it."""
    children = ground.worker_of(job_id).children()
    assert children, f"nobody converts job {job_id}"
    for child in children:
        child.kill()


def database_killed(ground: Ground, job_id: int) -> None:
    """The database dies."""
    ground.await_a_revival()
    postmaster(ground).kill()


def database_restarted(ground: Ground, job_id: int) -> None:
    """The database is stopped in a hurry, and says so to everybody."""
    ground.await_a_revival()
    postmaster(ground).send_signal(signal.SIGINT)


def database_frozen(ground: Ground, job_id: int) -> None:
    """The database stands still: connections stay open, and nothing comes."""
    with frozen(ground.own.processes("postgres")):
        time.sleep(PAST_LEASE_SECONDS)


def database_away(ground: Ground, job_id: int) -> None:
    """The database stands still for longer than anybody waits for it."""
    with frozen(ground.own.processes("postgres")):
        time.sleep(LONG_SECONDS)


def broker_killed(ground: Ground, job_id: int) -> None:
    """The broker dies."""
    ground.await_a_revival()
    for process in ground.own.processes("valkey-server"):
        process.kill()


def broker_frozen(ground: Ground, job_id: int) -> None:
    """The broker stands still."""
    with frozen(ground.own.processes("valkey-server")):
        time.sleep(AWAY_SECONDS)


def broker_flushed(ground: Ground, job_id: int) -> None:
    """The broker forgets everything."""
    with redis.Redis.from_url(ground.endpoints.redis_url) as valkey:
        valkey.flushall()


def scanner_away(ground: Ground, job_id: int) -> None:
    """The malware scanner is away for a while."""
    ground.clamd.__exit__()
    time.sleep(AWAY_SECONDS)
    ground.clamd = Daemon(ground.clamd_address).__enter__()


def storage_away(ground: Ground, job_id: int) -> None:
    """The storage can neither be read nor written for a while."""
    # The disk itself cannot be renamed, but the folder above it can.
    folder = ground.storage.parent
    elsewhere = folder.rename(folder.with_name("elsewhere"))
    folder.write_bytes(b"")
    try:
        time.sleep(AWAY_SECONDS)
    finally:
        folder.unlink()
        elsewhere.rename(folder)


def storage_full(ground: Ground, job_id: int) -> None:
    """The storage is full for a while."""
    with full(ground.storage):
        time.sleep(AWAY_SECONDS)


def api_killed(ground: Ground, job_id: int) -> None:
    """The API dies."""
    ground.own.api.kill()


def api_told_to_stop(ground: Ground, job_id: int) -> None:
    """The API is told to stop."""
    ground.own.api.terminate()


def slow_clients(ground: Ground, job_id: int) -> None:
    """Clients that say half of what they want, take nothing of what they asked for, or are gone without a word."""
    place, authorization = urlsplit(ground.own.url), f"Authorization: Api-Key {ground.own.key}\r\n"
    form = "Content-Type: multipart/form-data; boundary=b\r\n"
    heads = (
        "GET /v1/jobs/ HTTP/1.1\r\nHost: half",
        f"POST /v1/documents/ HTTP/1.1\r\nHost: x\r\n{authorization}{form}Content-Length: 1000000\r\n\r\n--b\r\n",
        f"GET /v1/jobs/{job_id}/events/ HTTP/1.1\r\nHost: x\r\n{authorization}\r\n",
        f"GET /v1/jobs/{job_id}/?wait=30 HTTP/1.1\r\nHost: x\r\n{authorization}\r\n",
    )
    with ExitStack() as stack:
        for head in heads * 25:
            connection = stack.enter_context(socket.create_connection((place.hostname or "", place.port or 0), 10))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.sendall(head.encode())
        for _ in range(5):
            assert httpx.get(f"{ground.own.url}/healthz", timeout=5, trust_env=False).status_code == 200
            assert ground.own.client.get("/v1/jobs/").status_code == 200


def everything_killed(ground: Ground, job_id: int) -> None:
    """The machine loses its power, and comes back."""
    ground.own.kill()
    wait_until(lambda: not ground.own.processes(), 15, "its processes end with it")
    ground.own.start()


def postmaster(ground: Ground) -> psutil.Process:
    """Return the database's first process."""
    (process,) = ground.own.processes("postgres", "-D") or ground.own.processes("bin/postgres")
    return process


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        worker_killed, worker_frozen, worker_told_to_stop, converter_killed, zygote_killed, database_killed,
        database_restarted, database_frozen, database_away, broker_killed, broker_frozen, broker_flushed, scanner_away,
        storage_away, storage_full, api_killed, api_told_to_stop, slow_clients, everything_killed,
    )
}  # fmt: skip
