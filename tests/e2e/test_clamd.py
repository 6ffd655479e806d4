"""A ClamAV daemon in front of the pipeline, and one that is away."""

import socket

from tests.e2e.conftest import Start
from tests.support.clamd import Daemon
from tests.support.pdfs import born_digital
from tests.support.processes import wait_until
from tests.support.refinery import Refinery, fresh


def test_the_daemons_verdict_counts(make: Start) -> None:
    with Daemon() as daemon:
        own = make(DOCREFINERY_CLAMD_ADDRESS=daemon.address).start()
        clean = own.client.submit(fresh(born_digital()))["job_id"]
        infected = own.client.submit(fresh(born_digital()) + b"% INFECTED\n")["job_id"]
        own.assert_one_set(clean)
        assert {warning["code"] for warning in own.client.job(clean)["warnings"]} == {"MODELS_NOT_INSTALLED"}
        job = own.client.finished(infected)
        assert (job["status"], job["error_details_json"]) == ("QUARANTINED", {"signature": "Test.Signature"})
        assert own.client.get("/readyz").json()["checks"]["scanner"]["status"] == "ok"


def scanner_is_missed(own: Refinery, job_id: int) -> bool:
    job = own.client.job(job_id)
    assert job["status"] in ("QUEUED", "RUNNING"), job
    return "job_put_off" in own.log.read_text()


def test_a_job_waits_for_a_daemon_that_is_away_and_goes_on_when_it_comes(make: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address: tuple[str, int] = free.getsockname()
    own = make(DOCREFINERY_CLAMD_ADDRESS=f"{address[0]}:{address[1]}").start()
    job_id = own.client.submit(fresh(born_digital()))["job_id"]
    wait_until(lambda: scanner_is_missed(own, job_id), 20, "the scanner is missed")
    check = own.client.get("/readyz")
    assert (check.status_code, check.json()["checks"]["scanner"]["status"]) == (200, "degraded")
    assert own.client.artifacts(job_id) == []
    with Daemon(address):
        own.assert_one_set(job_id)
    assert own.client.job(job_id)["attempt"] == 1


def test_a_daemon_that_stays_away_fails_the_job_unconverted(make: Start) -> None:
    own = make(DOCREFINERY_CLAMD_ADDRESS="unix:/nowhere/clamd.sock", DOCREFINERY_SCANNER_WAIT_SECONDS="0.1").start()
    job_id = own.client.submit(fresh(born_digital()))["job_id"]
    job = own.client.finished(job_id)
    assert (job["status"], job["error_code"]) == ("FAILED", "SCANNER_UNAVAILABLE")
    assert job["convert_ms"] is None
    assert own.client.artifacts(job_id) == []
