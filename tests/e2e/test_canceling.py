"""Cancel and delete: the process ends, not only the row."""

import time

import psutil
import pytest

from tests.support.pdfs import born_digital, slow
from tests.support.processes import ended, wait_until
from tests.support.refinery import Json, Refinery, fresh

LIMIT = 2.0


def converting(refinery: Refinery) -> tuple[Json, psutil.Process]:
    """Submit what takes minutes, and return it and the process that is at work on it."""
    uploaded = refinery.client.submit(fresh(slow(600)))
    refinery.client.running(uploaded["job_id"])
    wait_until(lambda: len(refinery.converters) == 1, 20, "one converter is at work")
    (converter,) = refinery.converters
    return uploaded, converter


def assert_next_job_runs(refinery: Refinery) -> None:
    refinery.assert_one_set(refinery.client.submit(fresh(born_digital()))["job_id"])


def test_cancel_of_a_running_job_ends_its_process_within_two_seconds(refinery: Refinery) -> None:
    uploaded, converter = converting(refinery)
    job_id = uploaded["job_id"]
    queued = refinery.client.submit(fresh(born_digital()))["job_id"]
    started = time.monotonic()
    canceled = refinery.client.post(f"/v1/jobs/{job_id}/cancel/")
    wait_until(lambda: ended(converter), LIMIT, "the converter ends")
    assert time.monotonic() - started < LIMIT
    assert canceled.status_code == 202
    job = refinery.client.finished(job_id, 5)
    assert (job["status"], job["error_code"]) == ("CANCELED", "")
    assert refinery.client.artifacts(job_id) == []
    # Pages that were read of it go with the next sweep.
    wait_until(lambda: refinery.blobs(f"/jobs/{job['uuid']}/") == [], 10, "nothing is left of it")
    again = refinery.client.post(f"/v1/jobs/{job_id}/cancel/")
    assert (again.status_code, again.json()["status"]) == (200, "CANCELED")
    assert refinery.client.get(f"/v1/documents/{uploaded['id']}/").json()["status"] == "UPLOADED"
    refinery.assert_one_set(queued)


def test_cancel_of_a_queued_job_is_done_at_once(refinery: Refinery) -> None:
    running, _ = converting(refinery)
    queued = refinery.client.submit(fresh(born_digital()))["job_id"]
    canceled = refinery.client.post(f"/v1/jobs/{queued}/cancel/")
    assert (canceled.status_code, canceled.json()["status"]) == (200, "CANCELED")
    refinery.client.post(f"/v1/jobs/{running['job_id']}/cancel/")
    assert_next_job_runs(refinery)
    assert refinery.client.job(queued)["started_at"] is None
    finished = refinery.client.post(f"/v1/jobs/{refinery.client.submit(fresh(born_digital()))['job_id']}/retry/")
    assert finished.json()["error_code"] == "INVALID_JOB_STATE"


def test_delete_of_a_document_ends_the_process_that_converts_it(refinery: Refinery) -> None:
    uploaded, converter = converting(refinery)
    job = refinery.client.job(uploaded["job_id"])
    started = time.monotonic()
    assert refinery.client.delete(f"/v1/documents/{uploaded['id']}/").status_code == 204
    wait_until(lambda: ended(converter), LIMIT, "the converter ends")
    assert time.monotonic() - started < LIMIT
    assert refinery.client.finished(job["id"], 5)["status"] == "CANCELED"
    assert refinery.client.get(f"/v1/documents/{uploaded['id']}/").status_code == 404
    wait_until(lambda: refinery.blobs(uploaded["uuid"]) == [], 10, "the file is gone")
    wait_until(lambda: refinery.blobs(job["uuid"]) == [], 10, "nothing is left of the job")
    assert_next_job_runs(refinery)


def test_delete_takes_a_finished_documents_artifacts_along(refinery: Refinery) -> None:
    uploaded = refinery.client.submit(fresh(born_digital()))
    refinery.assert_one_set(uploaded["job_id"])
    job = refinery.client.job(uploaded["job_id"])
    (artifact, *_) = refinery.client.artifacts(job["id"])
    assert refinery.client.delete(f"/v1/documents/{uploaded['id']}/").status_code == 204
    assert refinery.client.get(f"/v1/artifacts/{artifact['id']}/").status_code == 404
    assert refinery.client.artifacts(job["id"]) == []
    assert refinery.client.job(job["id"])["status"] == "SUCCEEDED"
    wait_until(lambda: refinery.blobs(job["uuid"]) + refinery.blobs(uploaded["uuid"]) == [], 10, "the bytes are gone")


@pytest.mark.parametrize("cancel_at", ["QUEUED", "SCANNING", "CONVERTING"])
def test_cancel_at_any_moment_ends_as_canceled(refinery: Refinery, cancel_at: str) -> None:
    job_id = refinery.client.submit(fresh(slow(600)))["job_id"]
    if cancel_at != "QUEUED":
        wait_until(lambda: refinery.client.job(job_id)["status"] == "RUNNING", 20)
    if cancel_at == "CONVERTING":
        wait_until(lambda: refinery.client.job(job_id)["stage"] == "CONVERTING", 20)
    assert refinery.client.post(f"/v1/jobs/{job_id}/cancel/").status_code in (200, 202)
    assert refinery.client.finished(job_id, 5)["status"] == "CANCELED"
    assert_next_job_runs(refinery)
