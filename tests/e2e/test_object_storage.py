"""The whole service on object storage, with one tenant encrypted, and what becomes of it when that storage dies."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.e2e.conftest import Start
from tests.support import hooks
from tests.support.pdfs import born_digital, slow
from tests.support.processes import docrefinery, environment, wait_until
from tests.support.refinery import Client, Json, Refinery, fresh
from tests.support.s3 import BUCKET, SECRET, ObjectStorage

PREFIX = "the/service"
URL = f"s3://{BUCKET}/{PREFIX}"


class Place(NamedTuple):
    """An installation and the storage it is on."""

    own: Refinery
    storage: ObjectStorage


@pytest.fixture(scope="module")
def place(make_shared: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Run both."""
    storage = ObjectStorage(tmp_path_factory.mktemp("s3"))
    try:
        storage.start()
        own = make_shared(
            "on-s3",
            DOCREFINERY_STORAGE_URL=URL,
            DOCREFINERY_STORAGE_TIMEOUT_SECONDS="4",
            DOCREFINERY_PRESIGNED_DOWNLOADS="true",
            DOCREFINERY_SECRET_KEYS=hooks.KEYS[0],
            **storage.environ(),
        )
        yield Place(own.start(), storage)
    finally:
        storage.kill()


def sealed(own: Refinery) -> Client:
    """Return a client of a tenant that is encrypted."""
    assert own.command("tenant", "create", "sealed", "--encrypt").returncode == 0
    issued = own.command("key", "create", "--tenant", "sealed", "--scope", "all", "--json")
    return Client(own.url, json.loads(issued.stdout)["key"])


def fetch(client: Client, url: str) -> tuple[bool, bytes]:
    """Return whether the storage sent something, and what."""
    answer = client.get(url)
    if answer.status_code == 200:
        return False, answer.content
    assert answer.status_code == 307, answer.text
    return True, httpx.get(answer.headers["location"], trust_env=False).content


def assert_all_there(client: Client, uploaded: Json, content: bytes, *, lent: bool) -> None:
    """Fail unless a job succeeded and all its bytes come, from the storage itself or not."""
    assert client.finished(uploaded["job_id"])["status"] == "SUCCEEDED"
    assert fetch(client, f"/v1/documents/{uploaded['id']}/file/") == (lent, content)
    artifacts = client.artifacts(uploaded["job_id"])
    assert len(artifacts) == 4
    for artifact in artifacts:
        from_storage, result = fetch(client, f"/v1/artifacts/{artifact['id']}/")
        assert (from_storage, hashlib.sha256(result).hexdigest()) == (lent, artifact["sha256"])


def assert_lives_and_dies(client: Client, storage: ObjectStorage, *, lent: bool) -> None:
    """Fail unless a document and its artifacts are in the bucket, come back, and leave nothing there."""
    content = fresh(born_digital(2))
    uploaded = client.submit(content)
    assert_all_there(client, uploaded, content, lent=lent)
    keys = storage.keys(PREFIX)
    assert len(keys) == 5
    for key in keys:
        head = bytes(storage.store(PREFIX).get(key).bytes())[:6]
        assert (head == b"DRBLOB") is not lent
    assert client.delete(f"/v1/documents/{uploaded['id']}/").status_code == 204
    assert storage.keys(PREFIX) == []
    assert storage.unfinished() == 0


def test_plain_and_encrypted_documents_live_and_die_in_a_bucket(place: Place) -> None:
    own, storage = place
    with sealed(own) as other:
        for client, lent in ((own.client, True), (other, False)):
            assert_lives_and_dies(client, storage, lent=lent)
    assert own.blobs() == []
    assert SECRET not in own.log.read_text()


def test_doctor_writes_to_the_bucket(place: Place) -> None:
    told = {row["part"]: row for row in json.loads(place.own.command("doctor", "--json").stdout)}
    assert told["object storage"]["detail"] == "can be written; downloads are redirected to it, for 300 s at a time"


def test_a_job_outlives_the_storages_death(place: Place) -> None:
    own, storage = place
    content = fresh(slow(40))
    uploaded = own.client.submit(content)
    own.client.running(uploaded["job_id"])
    storage.kill()
    wait_until(lambda: "job_put_off" in own.log.read_text(), 30, "the job is put off")
    assert own.client.get("/readyz").status_code == 503
    refused = own.client.post("/v1/documents/", files={"file": ("a.pdf", fresh(born_digital(1)), "application/pdf")})
    assert (refused.status_code, refused.json()["error_code"]) == (503, "UNAVAILABLE")
    storage.start()
    assert_all_there(own.client, uploaded, content, lent=True)
    job = own.client.job(uploaded["job_id"])
    assert (job["attempt"], job["error_code"]) == (1, "")
    assert "Traceback" not in own.log.read_text()
    assert own.client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("process", "url", "secret", "said"),
    [
        ("worker", "s3://nowhere/x", SECRET, "there is no bucket or container of this name"),
        ("api", URL, "not-this", "the secret key is wrong"),
    ],
)
def test_no_process_starts_on_storage_that_refuses_it(
    object_storage: ObjectStorage, tmp_path: Path, process: str, url: str, secret: str, said: str
) -> None:
    environ = environment(
        DATABASE_URL="postgresql://u:p@127.0.0.1:1/x",
        REDIS_URL="redis://127.0.0.1:1/0",
        DOCREFINERY_DATA_DIR=str(tmp_path),
        DOCREFINERY_STORAGE_URL=url,
        **object_storage.environ(secret=secret),
    )
    refused = docrefinery(process, environ=environ, cwd=tmp_path)
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    assert line.startswith(f"docrefinery: DOCREFINERY_STORAGE_URL: The storage cannot be written: {said}")
