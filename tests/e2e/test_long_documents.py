"""A long document between real workers: shared, and whatever dies or stands still of them, finished once."""

import asyncio
import time
from typing import Any

import asyncpg
import psutil
import pytest

from docrefinery.embedded import locate
from tests.e2e.conftest import Start
from tests.support.faults import PAST_LEASE_SECONDS, frozen
from tests.support.ground import LEASE_SECONDS
from tests.support.pdfs import slow
from tests.support.processes import wait_until
from tests.support.refinery import DEFAULT_KINDS, Refinery, fresh

PAGES = 48
LEASED = """
SELECT w.pid, w.id = l.owner AS owns FROM slices s JOIN leases l ON l.job_id = s.job_id JOIN workers w ON w.id = s.owner
WHERE s.token IS NOT NULL AND s.job_id = $1
"""


@pytest.fixture(scope="module")
def own(make_shared: Start) -> Refinery:
    """One with two workers that these tests break."""
    settings = {"LEASE_SECONDS": str(LEASE_SECONDS), "SWEEP_SECONDS": "0.5", "SLICE_PAGES": "16"}
    return make_shared("long", workers=2, **{f"DOCREFINERY_{name}": value for name, value in settings.items()}).start()


def rows(own: Refinery, sql: str, *args: object) -> list[Any]:
    """Ask the installation's database."""

    async def asked() -> list[Any]:
        endpoints = locate(own.data_dir)
        assert endpoints is not None
        connection = await asyncpg.connect(endpoints.migration_database_url, timeout=10)
        try:
            return list(await connection.fetch(sql, *args))
        finally:
            await connection.close()

    return asyncio.run(asked())


def shared(own: Refinery) -> tuple[int, psutil.Process, psutil.Process]:
    """Return a job of which both workers read pages, the worker that has it, and the one that helps."""
    wait_until(lambda: len(own.converters) == 2, 30, "both converters run")
    job_id = own.client.submit(fresh(slow(PAGES)), profile="fast_text")["job_id"]
    found: dict[bool, int] = {}

    def both() -> bool:
        found.clear()
        found.update({row["owns"]: row["pid"] for row in rows(own, LEASED, job_id)})
        return len(found) == 2

    wait_until(both, 30, "both workers read pages")
    return job_id, psutil.Process(found[True]), psutil.Process(found[False])


def assert_removed(own: Refinery) -> None:
    """Fail unless pages go that were read, but for those that came too late: they are noted, and go later."""

    def removed() -> bool:
        late = [row["prefix"] for row in rows(own, "SELECT prefix FROM unreferenced_blobs WHERE removable_at > now()")]
        return all(str(path).endswith(tuple(late)) for path in own.blobs("/pages/"))

    wait_until(removed, 20, "what was read is removed")


def assert_finished_once(own: Refinery, job_id: int) -> None:
    """Fail unless the job has one set of artifacts, and nothing is left of its pages."""
    job = own.client.finished(job_id, 120)
    assert (job["status"], job["attempt"], job["pages_done"]) == ("SUCCEEDED", 1, PAGES), job
    own.client.assert_converted(job_id)
    stored = [path for path in own.blobs(f"/jobs/{job['uuid']}/") if "/pages/" not in str(path)]
    assert len(stored) == len(DEFAULT_KINDS), stored
    assert_removed(own)


def test_it_is_shared_and_told_as_one(own: Refinery) -> None:
    job_id, _, _ = shared(own)
    seen = [own.client.job(job_id)]
    while seen[-1]["status"] == "RUNNING":
        seen.append(own.client.job(job_id, wait=5))
    assert [job["pages_done"] for job in seen] == sorted(job["pages_done"] for job in seen)
    assert seen[-1]["engine"]["workers"] == "2"
    assert_finished_once(own, job_id)


def test_a_helper_that_is_killed_loses_no_more_than_its_pages(own: Refinery) -> None:
    job_id, _, helper = shared(own)
    helper.kill()
    assert_finished_once(own, job_id)


def test_an_owner_that_is_killed_loses_no_page_that_was_read(own: Refinery) -> None:
    job_id, owner, _ = shared(own)
    wait_until(lambda: own.blobs("/pages/"), 30, "pages are read")
    read = {row["blob_key"] for row in rows(own, "SELECT blob_key FROM slices WHERE blob_key IS NOT NULL")}
    owner.kill()
    wait_until(lambda: own.client.job(job_id)["stage"] != "CONVERTING", 30, "the job is taken from it")
    kept = {row["blob_key"] for row in rows(own, "SELECT blob_key FROM slices WHERE blob_key IS NOT NULL")}
    assert read
    assert read <= kept
    assert_finished_once(own, job_id)


@pytest.mark.parametrize("which", ["owner", "helper"])
def test_one_that_is_frozen_beyond_its_lease_publishes_nothing_late(own: Refinery, which: str) -> None:
    job_id, owner, helper = shared(own)
    with frozen([owner if which == "owner" else helper]):
        time.sleep(PAST_LEASE_SECONDS)
    assert_finished_once(own, job_id)


def test_a_cancel_kills_everybody_who_reads_within_two_seconds(own: Refinery) -> None:
    job_id, _, _ = shared(own)
    at_work = own.converters
    assert own.client.post(f"/v1/jobs/{job_id}/cancel/").status_code == 202
    wait_until(lambda: not any(process in at_work for process in own.converters), 2, "both converters are gone")
    assert own.client.finished(job_id)["status"] == "CANCELED"
    assert_removed(own)
