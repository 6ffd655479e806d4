"""Rows that must not contradict each other, whatever happened."""

from docrefinery.model import TRANSITIONS, JobStatus
from docrefinery.store.database import Database
from tests.support.counted import assert_counted


async def assert_in_order(db: Database) -> None:
    """Fail if a row contradicts another."""
    assert not await db.fetch("SELECT FROM leases l JOIN jobs j ON j.id = l.job_id WHERE j.status <> 'RUNNING'")
    assert not await db.fetch("SELECT FROM jobs j WHERE status = 'RUNNING' AND id NOT IN (SELECT job_id FROM leases)")
    assert not await db.fetch("SELECT FROM artifacts a JOIN jobs j ON j.id = a.job_id WHERE j.status <> 'SUCCEEDED'")
    assert not await db.fetch(
        "SELECT FROM artifacts a JOIN documents d ON d.id = a.document_id WHERE d.deleted_at IS NOT NULL"
    )
    for job in await db.fetch("SELECT * FROM jobs"):
        events = await db.fetch("SELECT * FROM job_events WHERE job_id = $1 ORDER BY sequence", job["id"])
        assert [event["sequence"] for event in events] == list(range(1, job["event_sequence"] + 1))
        before = ("QUEUED", "SCANNING")
        for event in events:
            assert (event["previous_status"], event["previous_stage"]) == before
            before = (event["status"], event["stage"])
            was = JobStatus(event["previous_status"])
            assert event["status"] == was or JobStatus(event["status"]) in TRANSITIONS[was]
        assert before == (job["status"], job["stage"])
    for document in await db.fetch("SELECT * FROM documents WHERE deleted_at IS NULL"):
        rows = await db.fetch("SELECT status FROM jobs WHERE document_id = $1", document["id"])
        statuses = {row["status"] for row in rows}
        if "SUCCEEDED" in statuses:
            assert document["status"] == "READY"
        elif statuses and statuses <= {"QUEUED", "RUNNING"}:
            # A retry is on its way; the quarantine lasts until it has found nothing.
            assert document["status"] in ("PROCESSING", "QUARANTINED")
        elif not statuses:
            assert document["status"] == "UPLOADED"
    await assert_counted(db)
