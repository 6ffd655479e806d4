"""What an operator sets for a tenant, and sees of the work, while everything runs."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital, slow
from tests.support.processes import environment, wait_until
from tests.support.refinery import Client, Refinery, fresh


def said(refinery: Refinery, *arguments: str) -> Any:
    """Return what a command printed as JSON."""
    ran = refinery.command(*arguments, "--json")
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    return json.loads(ran.stdout)


def metric(refinery: Refinery, name: str, **labels: str) -> float:
    """Return a sample of ``/metrics``, 0 if there is none."""
    text = httpx.get(f"{refinery.url}/metrics", trust_env=False).text
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    sample = f"docrefinery_{name}" + (f"{{{inside}}}" if inside else "")
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.fixture
def acme(refinery: Refinery, request: pytest.FixtureRequest) -> Iterator[tuple[str, Client]]:
    """A tenant of the test's own, and a client of it."""
    name = request.node.name[:60].rstrip("_").replace("_", "-")
    said(refinery, "tenant", "create", name)
    key = said(refinery, "key", "create", "--tenant", name, "--scope", "all")["key"]
    with Client(refinery.url, key) as client:
        yield name, client


def test_a_profile_is_switched_off_and_on_while_everything_runs(refinery: Refinery, acme: tuple[str, Client]) -> None:
    name, client = acme
    # The key is in the API's memory by now.
    client.assert_converted(client.submit(fresh(born_digital()), profile="fast_text")["job_id"])
    assert said(refinery, "profile", "disable", "fast_text", "--tenant", name)["enabled"] is False
    refused = client.post(
        "/v1/documents/", files={"file": ("a.pdf", fresh(born_digital()))}, data={"profile": "fast_text"}
    )
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PROFILE_DISABLED")
    listed = {profile["name"]: profile["enabled"] for profile in client.get("/v1/profiles/").json()["results"]}
    assert listed["fast_text"] is False
    shown = {row["name"]: row["enabled"] for row in said(refinery, "profile", "list", "--tenant", name)}
    assert shown == listed
    assert said(refinery, "profile", "enable", "fast_text", "--tenant", name)["enabled"] is True
    client.assert_converted(client.submit(fresh(born_digital()), profile="fast_text")["job_id"])


def test_limits_hold_at_once(refinery: Refinery, acme: tuple[str, Client]) -> None:
    name, client = acme
    client.assert_converted(client.submit(fresh(born_digital(3)))["job_id"])
    limits = ("--max-upload-mb", "1", "--max-pages", "2", "--max-running-jobs", "1")
    tenant = said(refinery, "tenant", "set", name, *limits)
    assert (tenant["max_upload_mb"], tenant["max_pages"], tenant["max_running_jobs"]) == (1, 2, 1)
    job = client.finished(client.submit(fresh(born_digital(3)))["job_id"])
    assert (job["error_code"], job["options"]["max_num_pages"]) == ("PAGE_LIMIT_EXCEEDED", 2)
    large = fresh(born_digital()).ljust(1024 * 1024 + 1, b"\n")
    assert client.post("/v1/documents/", files={"file": ("a.pdf", large)}).status_code == 413
    for job_id in [client.submit(fresh(born_digital()))["job_id"] for _ in range(3)]:
        client.assert_converted(job_id)
    none = said(refinery, "tenant", "set", name, "--max-upload-mb", "0", "--max-pages", "0", "--max-running-jobs", "0")
    assert (none["max_upload_mb"], none["max_pages"], none["max_running_jobs"]) == (None, None, None)
    client.assert_converted(client.submit(fresh(born_digital(3)))["job_id"])


def test_retention_and_quotas_are_set_shown_and_taken_back(refinery: Refinery, acme: tuple[str, Client]) -> None:
    name, client = acme
    client.assert_converted(client.submit(fresh(born_digital()))["job_id"])
    keep = ("--keep-files", "30d", "--keep-artifacts", "36h", "--keep-jobs", "forever")
    quotas = ("--requests-per-minute", "6000", "--max-queued-jobs", "5", "--max-pages-in-flight", "100")
    said(refinery, "tenant", "set", name, *keep, *quotas, "--max-stored-mb", "10")
    (listed,) = [row for row in said(refinery, "tenant", "list") if row["name"] == name]
    assert (listed["keep_files"], listed["keep_artifacts"], listed["keep_jobs"]) == ("30d", "36h", "forever")
    assert [listed[what] for what in ("requests_per_minute", "max_queued_jobs", "max_pages_in_flight")] == [
        6000, 5, 100,
    ]  # fmt: skip
    assert (listed["max_stored_mb"], listed["documents"]) == (10, 1)
    volume = client.get("/v1/dashboard/summary").json()["volume"]
    assert listed["document_bytes"] + listed["artifact_bytes"] == volume["bytes_stored"] > 0
    assert "q=6000" in client.get("/v1/profiles/").headers["ratelimit-policy"]
    client.assert_converted(client.submit(fresh(born_digital()))["job_id"])
    none = said(refinery, "tenant", "set", name, "--keep-files", "default", "--max-queued-jobs", "unlimited")
    assert (none["keep_files"], none["keep_artifacts"], none["max_queued_jobs"]) == (None, "36h", "unlimited")
    assert said(refinery, "tenant", "set", name, "--max-queued-jobs", "default")["max_queued_jobs"] is None


def test_storage_is_checked_while_the_service_runs(refinery: Refinery, acme: tuple[str, Client]) -> None:
    _, client = acme
    client.assert_converted(client.submit(fresh(born_digital()))["job_id"])
    report = said(refinery, "storage", "check")
    assert report["blobs"] >= report["rows"] > 1
    assert [report[what] for what in ("orphans", "half_written", "missing", "miscounted")] == [[], [], [], []]
    ran = refinery.command("storage", "check")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "all is well" in ran.stderr


def test_a_key_is_given_other_defaults(refinery: Refinery, acme: tuple[str, Client]) -> None:
    name, client = acme
    (key,) = [row for row in said(refinery, "key", "list") if row["tenant"] == name]
    changed = said(refinery, "key", "set", str(key["id"]), "--name", "renamed", "--options", '{"exports": ["text"]}')
    assert (changed["name"], changed["options"]) == ("renamed", {"exports": ["text"]})
    client.assert_converted(client.submit(fresh(born_digital()))["job_id"], ["text", "docling_json"])


def test_what_is_listed_fits_a_terminal_and_a_typo_is_explained(refinery: Refinery, acme: tuple[str, Client]) -> None:
    name, _ = acme
    said(refinery, "tenant", "set", name, "--options", '{"exports": ["text", "markdown"], "max_num_pages": 10}')
    narrow = environment(**{**refinery.environ, "COLUMNS": "80"})
    refinery.environ, before = narrow, refinery.environ
    try:
        for arguments in (("tenant", "list"), ("key", "list"), ("profile", "list", "--tenant", name)):
            lines = refinery.command(*arguments).stdout.splitlines()
            assert lines
            assert max(map(len, lines)) <= 80
        typos = {
            ("profile", "disable", "fasttext"): "did you mean `fast_text`?",
            ("profile", "list", "--tenant", "nobody"): "docrefinery tenant list",
            ("tenant", "set", name, "--max-pages", "-1"): "default (0)",
            ("tenant", "set", name, "--max-stored-mb", "99999999999999999999"): "unlimited, or default",
            ("tenant", "set", name, "--keep-files", "1.5d"): "--keep-files: `1.5d` is no duration; use whole days",
            ("tenant", "set", name, "--keep-jobs", "-3d"): "`-3d` is no duration",
            ("tenant", "set", name, "--keep-artifacts", "2w"): "30d or 12h, or forever, or default",
            ("key", "set", "999999"): "docrefinery key list",
            ("key", "set", "1", "--profile", "fast_txt"): "did you mean `fast_text`?",
        }
        for words, hint in typos.items():
            ran = refinery.command(*words)
            assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1), ran
            assert hint in ran.stderr
    finally:
        refinery.environ = before


def test_dashboard_and_metrics_tell_of_the_workers_work(refinery: Refinery, acme: tuple[str, Client]) -> None:
    _, client = acme
    job_id = client.submit(fresh(born_digital(2)), profile="fast_text")["job_id"]
    client.assert_converted(job_id)
    summary = client.get("/v1/dashboard/summary").json()
    assert summary["jobs"]["by_status"]["SUCCEEDED"] == summary["last_hour"]["finished"] == 1
    assert summary["volume"]["pages"] == 2
    assert summary["stages"]["convert"]["p50_ms"] == client.job(job_id)["convert_ms"]
    (worker,) = client.get("/v1/dashboard/workers").json()["results"]
    assert worker["pid"] in {process.pid for process in refinery.workers}
    assert metric(refinery, "workers") == 1
    wait_until(lambda: metric(refinery, "jobs_finished_total", profile="fast_text", status="SUCCEEDED") >= 1, 5)
    memory = metric(refinery, "worker_resident_memory_bytes", hostname=worker["hostname"], worker=worker["id"])
    assert memory > 10_000_000


def test_metrics_survive_a_killed_worker_and_count_what_it_lost(make: Start) -> None:
    own = make(workers=1, DOCREFINERY_LEASE_SECONDS="3", DOCREFINERY_SWEEP_SECONDS="0.5").start()
    own.client.assert_converted(own.client.submit(fresh(born_digital()))["job_id"])
    job_id = own.client.submit(fresh(slow(40)))["job_id"]
    own.client.running(job_id)
    (first,) = own.client.get("/v1/dashboard/workers").json()["results"]
    wait_until(lambda: own.client.get("/v1/dashboard/workers").json()["results"][0]["current_job_id"] == job_id, 5)
    (worker,) = own.workers
    worker.kill()
    wait_until(lambda: _status(own, first["id"]) == "SILENT", 10, "the worker falls silent")
    own.client.assert_converted(job_id)
    wait_until(lambda: metric(own, "jobs_finished_total", profile="(none)", status="SUCCEEDED") == 2, 5)
    assert metric(own, "jobs_recovered_total") == 1
    # The converter of the worker that took over is killed, and the new one is counted with that worker's heartbeat.
    wait_until(lambda: len(own.converters) == 1, 10)
    own.converters[0].kill()
    wait_until(lambda: metric(own, "converters_replaced_total", reason="died") == 1, 10)


def _status(refinery: Refinery, worker_id: str) -> str | None:
    rows = refinery.client.get("/v1/dashboard/workers").json()["results"]
    return next((row["status"] for row in rows if row["id"] == worker_id), None)
