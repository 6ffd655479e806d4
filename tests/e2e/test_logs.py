"""What the logs of all processes tell, and what they keep to themselves."""

import json
import re
from urllib.parse import urlsplit

import httpx
import pytest

from docrefinery.embedded import locate
from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital, eicar_pdf
from tests.support.processes import ended, wait_until
from tests.support.refinery import Json, Refinery, fresh

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
TOKEN = "an-internal-token-of-this-test"


@pytest.fixture(scope="module")
def own(make_shared: Start) -> Refinery:
    """One that logs everything."""
    settings = {"DOCREFINERY_LOG_FORMAT": "json", "DOCREFINERY_LOG_LEVEL": "debug", "INTERNAL_ENDPOINTS_TOKEN": TOKEN}
    return make_shared("logs", **settings).start()


def lines(own: Refinery) -> list[Json]:
    """Return every line; each has to be JSON."""
    return [json.loads(line) for line in own.log.read_text().splitlines()]


def submitted(own: Refinery, content: bytes, **headers: str) -> tuple[int, httpx.Response]:
    files = {"file": ("traced.pdf", content)}
    answer = own.client.post("/v1/documents/", files=files, data={"ingest": "true"}, headers=headers)
    own.client.finished(answer.json()["job_id"])
    return answer.json()["job_id"], answer


def of_worker(own: Refinery, job_id: int) -> list[Json]:
    return [line for line in lines(own) if line["process"] == "worker" and line.get("job_id") == job_id]


def test_request_and_trace_ids_reach_the_workers_lines(own: Refinery) -> None:
    job_id, answer = submitted(own, fresh(born_digital()), **{"X-Request-ID": "order-4711", "traceparent": TRACEPARENT})
    assert answer.headers["X-Request-ID"] == "order-4711"
    wait_until(lambda: "job_left" in {line["event"] for line in of_worker(own, job_id)}, 10, "the worker says it all")
    told = of_worker(own, job_id)
    assert "job_claimed" in {line["event"] for line in told}
    assert {(line["request_id"], line["trace_id"]) for line in told} == {("order-4711", TRACE)}
    (request,) = [line for line in lines(own) if line["process"] == "api" and line.get("request_id") == "order-4711"]
    assert (request["event"], request["status"], request["trace_id"]) == ("request", 201, TRACE)


def test_a_request_without_ids_gets_one_that_the_worker_says_too(own: Refinery) -> None:
    job_id, answer = submitted(own, fresh(eicar_pdf()))
    request_id = answer.headers["X-Request-ID"]
    told = of_worker(own, job_id)
    assert {line["request_id"] for line in told} == {request_id}
    assert not any("trace_id" in line for line in told)


@pytest.mark.parametrize("given", ["two\twords", "x" * 200, "ünï", '"}{'])
def test_a_request_id_that_would_disturb_a_log_is_replaced(own: Refinery, given: str) -> None:
    answer = own.client.get("/v1/jobs/", headers=[(b"X-Request-ID", given.encode("latin-1"))])
    assert re.fullmatch(r"[0-9a-f-]{32,36}", answer.headers["X-Request-ID"])


def test_no_secret_is_ever_in_a_log(own: Refinery) -> None:
    assert own.client.get(f"/healthz?token={TOKEN}").status_code == 200
    assert own.client.get("/metrics", headers={"X-Internal-Token": TOKEN}).status_code == 200
    assert own.client.get("/readyz?token=a-wrong-one-of-this-test").status_code == 403
    # A key in the wrong places, and a wrong key in the right one.
    own.client.get(f"/v1/jobs/{own.key}/")
    own.client.get("/v1/jobs/", params={"profile": own.key})
    own.client.get("/v1/jobs/", headers={"X-Request-ID": own.key})
    wrong = own.key[:-1] + ("a" if own.key[-1] != "a" else "b")
    assert own.client.get("/v1/jobs/", headers={"Authorization": f"Api-Key {wrong}"}).status_code == 401
    running = locate(own.data_dir)
    assert running is not None
    passwords = {urlsplit(url).password for url in (running.database_url, running.migration_database_url)}
    assert None not in passwords
    # Something to be logged about the database: its connections break.
    backends = own.processes("postgres", "docrefinery_app")
    assert backends
    for process in backends:
        process.terminate()
    wait_until(lambda: all(map(ended, backends)), 10, "the connections break")
    wait_until(lambda: own.client.get("/readyz", headers={"X-Internal-Token": TOKEN}).status_code == 200, 10)
    own.client.assert_converted(own.client.submit(fresh(born_digital()))["job_id"])
    own.stop()
    logged = own.log.read_text() + "".join(file.read_text() for file in own.data_dir.joinpath("logs").iterdir())
    for secret in (own.key, wrong, TOKEN, "a-wrong-one-of-this-test", *map(str, passwords)):
        assert secret not in logged
    assert all(line["event"] and line["level"] and line["timestamp"].endswith("Z") for line in lines(own))
