"""A ClamAV daemon in front of the pipeline, and one that is away."""

import socket
import socketserver
import threading
from typing import Self

from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital
from tests.support.processes import wait_until
from tests.support.refinery import Refinery, fresh


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        command = self.rfile.read(6)
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
            return
        assert command + self.rfile.read(4) == b"zINSTREAM\0"
        content = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(length)
        self.wfile.write(b"stream: Test.Signature FOUND\0" if b"INFECTED" in content else b"stream: OK\0")


class Daemon(socketserver.ThreadingTCPServer):
    """Says of everything that it is clean, but of what has the word INFECTED in it."""

    daemon_threads = True
    allow_reuse_address = True

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()


def test_the_daemons_verdict_counts(make: Start) -> None:
    with Daemon(("127.0.0.1", 0), _Connection) as daemon:
        own = make(DOCREFINERY_CLAMD_ADDRESS=f"127.0.0.1:{daemon.server_address[1]}").start()
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
    with Daemon(address, _Connection):
        own.assert_one_set(job_id)
    assert own.client.job(job_id)["attempt"] == 1


def test_a_daemon_that_stays_away_fails_the_job_unconverted(make: Start) -> None:
    own = make(DOCREFINERY_CLAMD_ADDRESS="unix:/nowhere/clamd.sock", DOCREFINERY_SCANNER_WAIT_SECONDS="0.1").start()
    job_id = own.client.submit(fresh(born_digital()))["job_id"]
    job = own.client.finished(job_id)
    assert (job["status"], job["error_code"]) == ("FAILED", "SCANNER_UNAVAILABLE")
    assert job["convert_ms"] is None
    assert own.client.artifacts(job_id) == []
