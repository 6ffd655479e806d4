"""Tenants, documents and jobs made in the store, without the API."""

import itertools
from uuid import uuid4

from docrefinery.store import documents, jobs, tenants
from docrefinery.store.database import Database
from docrefinery.store.records import DocumentRecord, JobRecord

OPTIONS = '{"document_timeout": 600}'
_numbers = itertools.count(1)


async def make_tenant(db: Database, name: str) -> int:
    """Make a tenant and return its number."""
    tenant = await tenants.create_tenant(db, name)
    assert tenant is not None
    return tenant.id


async def make_document(db: Database, tenant_id: int) -> DocumentRecord:
    """Make a document whose bytes are not there."""
    uuid = uuid4()
    document = await documents.insert(
        db,
        tenant_id,
        documents.NewDocument(
            uuid=uuid,
            external_uuid=None,
            original_filename="a.pdf",
            sha256=f"{next(_numbers):064x}",
            size_bytes=1,
            blob_key=f"{tenant_id}/{uuid}.pdf",
        ),
    )
    assert document is not None
    return document


async def make_job(db: Database, tenant_id: int, document_id: int | None = None) -> JobRecord:
    """Make a queued job, on a document of its own unless given one."""
    if document_id is None:
        document_id = (await make_document(db, tenant_id)).id
    new = jobs.NewJob(
        document_id=document_id, external_uuid=None, profile=None, options=OPTIONS, exports=[], ignored_options="{}"
    )
    async with db.transaction():
        await documents.get(db, tenant_id, document_id, lock=True)
        job = await jobs.insert(db, tenant_id, new)
        await documents.refresh_status(db, tenant_id, document_id)
    return job
