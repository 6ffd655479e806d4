"""One document through the API, without a worker."""

import httpx

from tests.support.pdfs import born_digital


async def test_upload_creates_document_and_job(client: httpx.AsyncClient) -> None:
    uploaded = await client.post("/v1/documents/", files={"file": ("a.pdf", born_digital())}, data={"ingest": "true"})
    assert uploaded.status_code == 201, uploaded.text
    job = await client.get(f"/v1/jobs/{uploaded.json()['job_id']}/")
    assert job.json()["status"] == "QUEUED"
