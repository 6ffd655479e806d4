"""Run in the API's container: a document goes its whole way. Prints what became of it."""

import sys

import httpx

from docrefinery.cli.sample import sample_pdf

with httpx.Client(
    base_url="http://api:8000", headers={"Authorization": f"Api-Key {sys.argv[1]}"}, timeout=60
) as client:
    sent = client.post("/v1/documents/", files={"file": ("sample.pdf", sample_pdf())}, data={"ingest": "true"})
    sent.raise_for_status()
    job = {"status": "QUEUED"}
    while job["status"] in ("QUEUED", "RUNNING"):
        job = client.get(f"/v1/jobs/{sent.json()['job_id']}/", params={"wait": 30}).json()
    artifacts = client.get("/v1/artifacts/", params={"job_id": job["id"]}).json()["results"]
    kinds = sorted(artifact["kind"] for artifact in artifacts)
    handed = client.get(f"/v1/artifacts/{artifacts[0]['id']}/").headers["X-Accel-Redirect"]
    print(job["status"], ",".join(kinds), handed)
