"""The first minutes of somebody who has just started it."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital, with_figure
from tests.support.refinery import Client, Refinery, fresh

# The integration guide's own example, word for word.
GUIDE_EXAMPLE = """
import json
import requests

BASE = "https://docex.nfx-systems.com"
API_KEY = "NFX_DOC_EX_API_KEY"

with open("/path/to/file.pdf", "rb") as f:
    resp = requests.post(
        f"{BASE}/v1/documents/",
        headers={"Authorization": f"Api-Key {API_KEY}"},
        files={"file": f},
        data={
            "ingest": "true",
            "options_json": json.dumps({
                "exports": ["markdown", "text", "doctags"],
                "max_num_pages": 50,
            }),
        },
        timeout=60,
    )
resp.raise_for_status()
payload = resp.json()
print(payload)
"""

# Its poll, and what it says to do next, in the same words.
GUIDE_POLL = """
import time

job_id = payload["job_id"]
for _ in range(600):
    job = requests.get(
        f"{BASE}/v1/jobs/{job_id}/",
        headers={"Authorization": f"Api-Key {API_KEY}"},
        timeout=30,
    ).json()
    if job["status"] not in ("QUEUED", "RUNNING"):
        break
    time.sleep(0.1)
print(json.dumps({"document_id": payload["document_id"], "job": job}))
"""


def test_the_printed_curl_can_be_pasted_and_its_job_succeeds_with_all_artifacts(refinery: Refinery) -> None:
    pasted = subprocess.run(
        ["sh", "-c", refinery.curl + " --silent --show-error --write-out '\\n%{http_code}'"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        cwd="/",
    )
    body, status = pasted.stdout.rsplit("\n", 1)
    assert status == "201", pasted.stdout
    uploaded = json.loads(body)
    assert uploaded["original_filename"] == "sample.pdf"
    refinery.assert_one_set(uploaded["job_id"])
    (markdown,) = [a for a in refinery.client.artifacts(uploaded["job_id"]) if a["kind"] == "markdown"]
    assert "DocumentRefinery" in refinery.client.get(f"/v1/artifacts/{markdown['id']}/").text


def test_the_key_is_printed_at_the_first_start_alone(make: Start) -> None:
    own = make("a 'home'").start()
    key = own.key
    assert key in own.out.read_text()
    own.stop()
    own.start()
    assert own.key == key
    shown = own.out.read_text() + own.log.read_text(errors="replace")
    assert key not in shown
    assert f"The API key of the tenant `default` is in {own.data_dir / 'api-key'}\n" in shown
    pasted = subprocess.run(
        ["sh", "-c", own.curl + " --silent --write-out '%{http_code}' --output /dev/null"],
        capture_output=True, text=True, check=True, timeout=30, cwd="/",
    )  # fmt: skip
    assert pasted.stdout == "201"


def test_fast_text_gives_the_artifacts_of_the_guide(refinery: Refinery) -> None:
    job_id = refinery.client.submit(fresh(born_digital(3, "Fast text.")), profile="fast_text")["job_id"]
    refinery.assert_one_set(job_id)
    job = refinery.client.job(job_id)
    assert (job["profile"], job["pages_total"], job["pages_done"]) == ("fast_text", 3, 3)


def test_every_exporter_delivers_through_the_whole_pipeline(refinery: Refinery) -> None:
    kinds = ["markdown", "text", "doctags", "chunks_json", "figures_zip"]
    job_id = refinery.client.submit(fresh(with_figure()), options_json=json.dumps({"exports": kinds}))["job_id"]
    refinery.assert_one_set(job_id, [*kinds, "docling_json"])
    job = refinery.client.job(job_id)
    assert job["chunk_ms"] is not None
    assert None not in (job["scan_ms"], job["convert_ms"], job["export_ms"])


def test_the_guides_python_example_runs_unchanged(client: Client, refinery: Refinery, tmp_path: Path) -> None:
    file = tmp_path / "file.pdf"
    file.write_bytes(fresh(born_digital(2, "From the guide's example.")))
    program = (
        (GUIDE_EXAMPLE + GUIDE_POLL)
        .replace("https://docex.nfx-systems.com", refinery.url)
        .replace("NFX_DOC_EX_API_KEY", refinery.key)
        .replace("/path/to/file.pdf", str(file))
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])
    assert said["job"]["status"] == "SUCCEEDED"
    assert said["job"]["options"]["max_num_pages"] == 50
    assert re.match(r"\{'id': \d+", ran.stdout)
    document = client.get(f"/v1/documents/{said['document_id']}/").json()
    assert document["status"] == "READY"
    assert document["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    client.assert_converted(said["job"]["id"])
