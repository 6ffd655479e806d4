"""What docs/backup.md says, done: a backup of an installation at work comes back on other servers."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import msgspec
import pytest

from docrefinery.bootstrap.operator import operator
from docrefinery.embedded import EmbeddedServices
from docrefinery.embedded.binaries import postgres_programs
from docrefinery.model import Scope
from docrefinery.settings import Settings
from docrefinery.store import audit
from docrefinery.store.database import Database
from docrefinery.store.restored import settle
from tests.support import hooks
from tests.support.api import running
from tests.support.calls import uploaded
from tests.support.encrypted import a_file, content, folder
from tests.support.processes import environment
from tests.support.work import RESULTS, HandWorker

PAGE = Path(__file__).parents[2] / "docs/backup.md"
BACK_UP, RESTORE = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
_PROGRAMS = os.pathsep.join((str(postgres_programs(None)), str(Path(sys.executable).parent), os.defpath))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings under which every file is encrypted."""
    return msgspec.structs.replace(settings, secret_keys=hooks.KEYS[:1], encrypt=True)


def run(commands: str, settings: Settings, backup: Path) -> str:
    """Run commands of the page for an installation, as an operator's shell does."""
    variables = environment(
        PATH=_PROGRAMS,
        BACKUP=str(backup),
        BLOBS=str(folder(settings)),
        DATABASE_URL=settings.database_url,
        DOCREFINERY_MIGRATION_DATABASE_URL=settings.migration_database_url,
        REDIS_URL=settings.redis_url,
        DOCREFINERY_DATA_DIR=str(settings.data_dir),
        DOCREFINERY_SECRET_KEYS=",".join(settings.secret_keys),
    )
    ran = subprocess.run(["sh", "-eu"], input=commands, env=variables, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return ran.stdout


async def test_a_backup_comes_back_on_other_servers(
    settings: Settings, db: Database, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    backup, elsewhere = tmp_path / "backup", tmp_path_factory.mktemp("elsewhere")
    backup.mkdir()
    file = a_file()
    async with operator(settings) as services:
        await services.tenants.create("acme")
        key = (await services.tenants.issue_key("acme", tuple(Scope))).key
    headers = {"Authorization": f"Api-Key {key}"}
    async with running(settings) as api, api.anonymous(headers) as client:
        document = await uploaded(client, file, ingest="true")
        worker = HandWorker.of(db, settings)
        assert await worker.publish(await worker.claim())
        waiting = await uploaded(client, a_file(), ingest="true")
        # The copy before this one broke off.
        for stored in [path for path in folder(settings).rglob("*") if path.is_file()]:
            half = backup / "blobs" / stored.relative_to(folder(settings))
            half.parent.mkdir(parents=True, exist_ok=True)
            half.write_bytes(stored.read_bytes()[:10])
        run(BACK_UP, settings, backup)
        # Nobody's backup has it, and nobody misses it.
        await uploaded(client, a_file())

    with EmbeddedServices(elsewhere / "services", durable=False) as servers:
        restored = msgspec.structs.replace(
            settings,
            data_dir=elsewhere,
            database_url=servers.database_url,
            migration_database_url=servers.migration_database_url,
            redis_url=servers.redis_url,
        )
        folder(restored).mkdir()
        said = await asyncio.to_thread(run, RESTORE, restored, backup)
        assert "the schema is up to date" in said
        async with running(restored) as api, api.anonymous(headers) as client:
            assert (await content(client, document["id"])).content == file
            found = (await client.get("/v1/artifacts/", params={"job_id": document["job_id"]})).json()["results"]
            assert {artifact["kind"] for artifact in found} == RESULTS.keys()
            for artifact in found:
                answer = await client.get(f"/v1/artifacts/{artifact['id']}/")
                assert answer.content == RESULTS[artifact["kind"]]
            assert (await client.get(f"/v1/jobs/{waiting['job_id']}/")).json()["status"] == "QUEUED"
            # The application's role has its rights again.
            assert (await uploaded(client, a_file(), ingest="true"))["status"] == "PROCESSING"
        stranger = msgspec.structs.replace(restored, secret_keys=hooks.KEYS[1:2])
        async with running(stranger) as api, api.anonymous(headers) as client:
            assert (await content(client, document["id"])).status_code == 503


async def test_an_audit_log_of_another_cluster_is_followed(db: Database, settings: Settings) -> None:
    owner = await asyncpg.connect(settings.migration_database_url)
    try:
        # As the transactions of a cluster that is older than this one left it.
        await owner.execute(
            """ALTER TABLE audit_log DISABLE TRIGGER audit_is_now;
               INSERT INTO audit_log (xid, actor_kind, actor, action, outcome)
               VALUES ('9000000000', 'system', 'older', 'key.created', 'done');
               ALTER TABLE audit_log ENABLE TRIGGER audit_is_now"""
        )
        assert await audit.after(db, audit.Filters(), (0, 0), 10) == []
        await settle(owner)
        followed = await audit.after(db, audit.Filters(), (0, 0), 10)
        assert [entry.actor for entry in followed] == ["older"]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute("UPDATE audit_log SET actor = 'somebody else'")
    finally:
        await owner.close()
