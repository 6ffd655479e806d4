"""SIGKILL of each part while jobs run: everything accepted is finished, and nothing twice."""

import time

import httpx
import psutil
import pytest
import redis

from docrefinery.embedded import locate
from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital, slow
from tests.support.processes import ended, wait_until, working_in
from tests.support.refinery import Refinery, fresh

SLOW_PAGES = 10


@pytest.fixture(scope="module")
def own(make_shared: Start) -> Refinery:
    """One that these tests break, and that has to be whole again after each."""
    return make_shared("kills", workers=2, DOCREFINERY_LEASE_SECONDS="3", DOCREFINERY_SWEEP_SECONDS="0.5").start()


def jobs_under_way(own: Refinery) -> list[int]:
    """Submit slow and quick jobs, and return when the first of them converts."""
    contents = [slow(SLOW_PAGES), slow(SLOW_PAGES), born_digital(), born_digital(2)]
    job_ids = [own.client.submit(fresh(content))["job_id"] for content in contents]
    own.client.running(job_ids[0])
    return job_ids


def assert_all_finished_once(own: Refinery, job_ids: list[int]) -> None:
    for job_id in job_ids:
        own.assert_one_set(job_id)
    assert [own.client.job(job_id)["attempt"] for job_id in job_ids] == [1] * len(job_ids)


def assert_whole(own: Refinery, workers: int = 2) -> None:
    """Fail unless every part runs again, and each converter has a worker."""
    wait_until(lambda: len(own.workers) == workers, 20, "the workers run")
    wait_until(lambda: len(own.converters) == workers, 20, "the converters run")
    wait_until(lambda: own.client.get("/readyz").status_code == 200, 20, "the service is ready")
    own.client.assert_converted(own.client.submit(fresh(born_digital()))["job_id"])


def worker_of(own: Refinery, job_id: int) -> psutil.Process:
    """Return a worker whose converter is at work."""
    own.client.running(job_id)
    busy = max(own.converters, key=lambda process: process.cpu_times().user)
    workers = {process.pid for process in own.workers}
    return next(process for process in busy.parents() if process.pid in workers)


def test_a_killed_worker_loses_no_job_and_is_started_again(own: Refinery) -> None:
    before = {process.pid for process in own.workers}
    job_ids = jobs_under_way(own)
    victim = worker_of(own, job_ids[0])
    converters = victim.children(recursive=True)
    victim.kill()
    assert len(converters) >= 2
    # Its converter would go on with a document that is somebody else's by then, its zygote with nothing.
    wait_until(lambda: all(map(ended, converters)), 5, "its converter ends with it")
    assert_all_finished_once(own, job_ids)
    assert_whole(own)
    assert victim.pid not in {process.pid for process in own.workers}
    assert len({process.pid for process in own.workers} & before) == 1


def test_all_workers_killed_at_once_lose_no_job(own: Refinery) -> None:
    job_ids = jobs_under_way(own)
    for worker in own.workers:
        worker.kill()
    assert_all_finished_once(own, job_ids)
    assert_whole(own)


def test_a_killed_converter_is_replaced_and_its_job_tried_again(own: Refinery) -> None:
    workers = {process.pid for process in own.workers}
    job_ids = jobs_under_way(own)
    for converter in own.converters:
        converter.kill()
    assert_all_finished_once(own, job_ids)
    assert_whole(own)
    assert {process.pid for process in own.workers} == workers


def test_a_killed_broker_loses_no_job_and_no_worker(own: Refinery) -> None:
    (valkey,) = own.processes("valkey-server")
    job_ids = jobs_under_way(own)
    valkey.kill()
    # What is accepted while it is away is found by the sweep.
    job_ids.append(own.client.submit(fresh(born_digital()))["job_id"])
    assert_all_finished_once(own, job_ids)
    assert_whole(own)
    (again,) = own.processes("valkey-server")
    assert again.pid != valkey.pid


def test_a_killed_database_loses_no_job(own: Refinery) -> None:
    postmaster = own.processes("postgres", "-D") or own.processes("bin/postgres")
    assert len(postmaster) == 1, [process.cmdline() for process in own.processes("postgres")]
    job_ids = jobs_under_way(own)
    postmaster[0].kill()
    assert_all_finished_once(own, job_ids)
    assert_whole(own)


def test_a_killed_api_comes_back_at_the_same_address(own: Refinery) -> None:
    job_ids = jobs_under_way(own)
    killed = own.api
    killed.kill()
    wait_until(lambda: ended(killed), 5)
    # No connection is refused meanwhile: `up` holds the socket.
    assert httpx.get(f"{own.url}/healthz", timeout=20, trust_env=False).status_code == 200
    assert own.api.pid != killed.pid
    assert_all_finished_once(own, job_ids)


def test_an_emptied_broker_loses_no_queued_job(own: Refinery) -> None:
    job_ids = jobs_under_way(own)
    job_ids += [own.client.submit(fresh(born_digital()))["job_id"] for _ in range(6)]
    running = locate(own.data_dir)
    assert running is not None
    with redis.Redis.from_url(running.redis_url) as valkey:
        valkey.flushall()
    assert_all_finished_once(own, job_ids)
    assert_whole(own)


def test_a_killed_up_takes_everything_along_and_the_next_start_finishes_the_jobs(make: Start) -> None:
    own = make(workers=2).start()
    job_ids = jobs_under_way(own)
    own.kill()
    wait_until(lambda: not working_in(own.home), 10, "its processes end with it")
    started = time.monotonic()
    own.start()
    assert_all_finished_once(own, job_ids)
    assert time.monotonic() - started < 40
    assert_whole(own)
    # Neither a document in hand nor a converter's folder stays behind.
    assert len(list(own.data_dir.joinpath("scratch").iterdir())) == 2
    assert list(own.home.joinpath("tmp").iterdir()) == []
