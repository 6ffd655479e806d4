"""Counters, compared with what they count."""

from docrefinery.store.database import Database

NOW = {
    "jobs": """
        SELECT tenant_id, status, stage, coalesce(profile, '') AS profile, count(*) AS n FROM jobs
        GROUP BY 1, 2, 3, 4""",
    "running": "SELECT tenant_id, count(*)::integer AS n FROM jobs WHERE status = 'RUNNING' GROUP BY 1",
    "queued pages": """
        SELECT tenant_id, sum(pages_expected)::bigint AS n FROM jobs WHERE status = 'QUEUED' GROUP BY 1""",
    "documents": """
        SELECT tenant_id, count(*) AS n, sum(size_bytes)::bigint AS bytes FROM documents WHERE deleted_at IS NULL
        GROUP BY 1""",
    "artifacts": "SELECT tenant_id, sum(size_bytes)::bigint AS bytes FROM artifacts GROUP BY 1",
}
COUNTED = {
    "jobs": "SELECT tenant_id, status, stage, profile, n FROM tenant_job_counts WHERE n <> 0",
    "running": "SELECT tenant_id, running AS n FROM tenant_clocks WHERE running <> 0",
    "queued pages": "SELECT tenant_id, queued_pages AS n FROM tenant_clocks WHERE queued_pages <> 0",
    "documents": "SELECT tenant_id, documents AS n, document_bytes AS bytes FROM tenant_volumes WHERE documents <> 0",
    "artifacts": "SELECT tenant_id, artifact_bytes AS bytes FROM tenant_volumes WHERE artifact_bytes <> 0",
}


async def assert_counted(db: Database) -> None:
    """Fail unless every count of what is there is right, by one look at both: others may be at work."""
    for what, there in NOW.items():
        wrong = await db.fetch(
            f"""WITH there AS ({there}), counted AS ({COUNTED[what]})
                (SELECT 'there', * FROM there EXCEPT ALL SELECT 'there', * FROM counted)
                UNION ALL (SELECT 'counted', * FROM counted EXCEPT ALL SELECT 'counted', * FROM there)"""
        )
        assert [tuple(row.values()) for row in wrong] == [], what
