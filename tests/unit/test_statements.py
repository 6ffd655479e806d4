"""Every statement of the store says which tenant it is about, or is on a list with the reason why not."""

import pytest

from tests.support import statements
from tests.support.across_tenants import ACROSS_TENANTS


def test_every_statement_is_held_to_a_tenant_or_has_a_reason() -> None:
    unheld = {found.place for found in statements.written() if statements.unheld(found.sql)}
    assert sorted(unheld - ACROSS_TENANTS.keys()) == []
    assert sorted(ACROSS_TENANTS.keys() - unheld) == [], "these need no reason any more"


def test_every_select_that_is_built_begins_with_the_tenant() -> None:
    found = list(statements.selects())
    assert len(found) >= 5
    assert [place for place, held in found if not held] == []


def test_statements_are_found_in_functions_and_constants() -> None:
    places = {found.place for found in statements.written()}
    assert {"jobs.get", "documents.refresh_status", "claims.CLAIM", "dashboard.SUMMARY", "garbage.note"} <= places
    assert len(places) > 60


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM jobs WHERE id = $1",
        "SELECT * FROM documents d WHERE d.tenant_id = $1 OR d.id = $2",
        "SELECT * FROM documents WHERE tenant_id = $1 AND id IN (SELECT document_id FROM jobs WHERE id = $2)",
        "SELECT * FROM workers w LEFT JOIN jobs j ON j.id = w.current_job_id",
        "UPDATE jobs SET status = 'CANCELED', tenant_id = $1 WHERE id = $2",
        "DELETE FROM artifacts WHERE (tenant_id = $1 OR true)",
        "INSERT INTO idempotency_records (key) VALUES ($1)",
        "WITH a AS (SELECT id FROM jobs) SELECT * FROM documents WHERE tenant_id = $1",
        "SELECT (SELECT count(*) FROM artifacts) FROM jobs WHERE tenant_id = $1",
        "SELECT * FROM tenants WHERE name = $1",
        # A table that is put in later may be any.
        f"SELECT id FROM {statements.PLACEHOLDER} WHERE id > $1",
        f"UPDATE {statements.PLACEHOLDER} SET data_key = $1 WHERE id = $2",
        f"SELECT * FROM tenants WHERE {statements.PLACEHOLDER} = $1",
        # What is joined otherwise than by the tenant may be another's.
        "SELECT * FROM jobs j JOIN documents d ON d.id = j.document_id WHERE j.tenant_id = $1",
        "SELECT * FROM jobs j, documents d WHERE j.tenant_id = $1",
        "SELECT * FROM jobs j JOIN documents d ON d.tenant_id = j.tenant_id OR true WHERE j.tenant_id = $1",
        "SELECT * FROM jobs j LEFT JOIN documents d ON j.tenant_id = $1 AND d.tenant_id = j.tenant_id",
        "SELECT * FROM jobs a JOIN jobs b ON b.id = a.retry_of WHERE a.tenant_id = $1",
        "SELECT * FROM unnest($2::text[]) listed (name), jobs j JOIN tenants t ON t.name = listed.name WHERE t.id = $1",
        "SELECT * FROM jobs WHERE tenant_id = $1 UNION SELECT * FROM jobs",
        "SELECT * FROM jobs j WHERE j.tenant_id = $1 AND EXISTS (SELECT FROM artifacts a WHERE a.job_id = j.id)",
        "INSERT INTO artifacts (tenant_id, job_id) SELECT $1, id FROM jobs WHERE id = $2",
        "UPDATE jobs SET stage = $2 FROM documents WHERE documents.tenant_id = $1 AND jobs.document_id = documents.id",
        "SELECT e.* FROM job_events e JOIN jobs j ON j.tenant_id = $1 WHERE e.id > $2",
    ],
)
def test_statement_without_a_tenant_is_noticed(sql: str) -> None:
    assert statements.unheld(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM jobs WHERE tenant_id = $1 AND id = $2",
        'SELECT "jobs"."id" FROM "jobs" WHERE "jobs"."tenant_id" = $1 AND ("jobs"."id" = $2 OR "jobs"."id" = $3)',
        "SELECT e.* FROM job_events e JOIN jobs j ON j.id = e.job_id WHERE j.tenant_id = $1",
        "INSERT INTO jobs (tenant_id, document_id) VALUES ($1, $2)",
        "UPDATE tenants SET options = $2 WHERE id = $1",
        "SELECT * FROM workers WHERE id = $1",
        "SELECT * FROM jobs j JOIN documents d ON d.tenant_id = j.tenant_id WHERE j.tenant_id = $1",
        "SELECT * FROM jobs j JOIN tenants t ON t.id = j.tenant_id WHERE t.id = $1",
        "SELECT * FROM jobs j LEFT JOIN leases l ON l.job_id = j.id WHERE j.tenant_id = $1",
        "SELECT * FROM jobs j WHERE j.tenant_id = $1 AND EXISTS (SELECT FROM leases l WHERE l.job_id = j.id)",
        "INSERT INTO artifacts (uuid, tenant_id) SELECT $2, tenant_id FROM jobs WHERE tenant_id = $1",
    ],
)
def test_statement_with_its_tenant_is_fine(sql: str) -> None:
    assert statements.unheld(sql) == []
