"""Encryption at rest, from the settings to the bytes on the disk."""

import base64
import json
import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.support.pdfs import born_digital
from tests.support.processes import docrefinery
from tests.support.refinery import Refinery, fresh

WORD = "zwetschgendatschi"
KEYS = [base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2)]


def assert_nothing_readable(own: Refinery) -> None:
    """Fail if a file in the storage has the word, or begins as something known does."""
    blobs = own.blobs()
    assert blobs
    for blob in blobs:
        content = blob.read_bytes()
        assert content.startswith(b"DRBLOB")
        for known in (WORD.encode(), b"%PDF", b"schema_name", b"DoclingDocument"):
            assert known not in content, blob


def a_report() -> bytes:
    """Return a PDF with the word in its text, stored uncompressed, and that no tenant has yet."""
    return fresh(born_digital(2, text=f"The {WORD} of this year.")) + b"%% " + WORD.encode() + b"\n"


@pytest.fixture
def own(make: Start) -> Refinery:
    """One that encrypts whoever does not say otherwise."""
    return make(DOCREFINERY_ENCRYPT="on", DOCREFINERY_SECRET_KEYS=KEYS[0])


def test_after_upload_and_job_nothing_readable_is_on_the_disk(own: Refinery) -> None:
    own.start()
    content = a_report()
    uploaded = own.client.submit(content)
    own.client.assert_converted(uploaded["job_id"])
    [text] = [artifact for artifact in own.client.artifacts(uploaded["job_id"]) if artifact["kind"] == "text"]
    assert WORD in own.client.get(f"/v1/artifacts/{text['id']}/").text
    assert own.client.get(f"/v1/documents/{uploaded['id']}/file/").content == content
    assert_nothing_readable(own)
    left = [path for path in own.data_dir.joinpath("scratch").rglob("*") if path.is_file()]
    assert [path for path in left if WORD.encode() in path.read_bytes()] == []


def test_a_running_installation_is_switched_on_and_brought_over(own: Refinery) -> None:
    own.environ["DOCREFINERY_ENCRYPT"] = "off"
    own.start()
    content = a_report()
    uploaded = own.client.submit(content)
    own.client.assert_converted(uploaded["job_id"])
    refused = own.command("storage", "encrypt", "--tenant", "default")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "--encrypt on" in refused.stderr
    switched = own.command("tenant", "set", "default", "--encrypt", "on", "--json")
    assert json.loads(switched.stdout)["encrypt"] is True
    plain = set(own.blobs())
    brought = own.command("storage", "encrypt", "--tenant", "default")
    assert (brought.returncode, "5 blobs of default encrypted" in brought.stderr) == (0, True), brought
    for path in plain:
        # The sweep does this in an hour.
        path.unlink()
    assert_nothing_readable(own)
    own.client.assert_converted(uploaded["job_id"])
    assert own.client.get(f"/v1/documents/{uploaded['id']}/file/").content == content


def test_an_installation_is_given_another_key(own: Refinery) -> None:
    own.start()
    content = a_report()
    uploaded = own.client.submit(content)
    own.stop()
    own.environ["DOCREFINERY_SECRET_KEYS"] = f"{KEYS[1]},{KEYS[0]}"
    own.start()
    rewrapped = own.command("storage", "rewrap")
    assert (rewrapped.returncode, "The keys of 1 tenants" in rewrapped.stderr) == (0, True), rewrapped
    own.stop()
    own.environ["DOCREFINERY_SECRET_KEYS"] = KEYS[1]
    own.start()
    own.client.assert_converted(uploaded["job_id"])
    assert own.client.get(f"/v1/documents/{uploaded['id']}/file/").content == content
    assert "ok" in next(line for line in own.command("doctor").stdout.splitlines() if "encryption at rest" in line)
    assert not [key for key in KEYS if key in own.log.read_text()]


def test_a_start_with_another_key_is_refused_in_one_line(own: Refinery) -> None:
    own.start().client.submit(a_report())
    own.stop()
    own.environ["DOCREFINERY_SECRET_KEYS"] = KEYS[1]
    refused = own.command("up", "--port", "0")
    assert refused.returncode == 1
    [line] = [line for line in refused.stderr.splitlines() if line.startswith("docrefinery: ")]
    assert "DOCREFINERY_SECRET_KEYS lacks the key that default is encrypted under" in line
    # An operator who does not have it any more gets on without those files.
    own.environ["DOCREFINERY_SECRET_KEYS"] = KEYS[0]
    own.start()
    assert own.command("storage", "shred", "--tenant", "default").returncode == 1
    assert own.command("storage", "shred", "--tenant", "default", "--yes").returncode == 0
    own.stop()
    own.environ["DOCREFINERY_SECRET_KEYS"] = KEYS[1]
    own.start()
    own.client.assert_converted(own.client.submit(a_report())["job_id"])


@pytest.mark.parametrize("process", ["api", "worker"])
def test_no_process_starts_that_should_encrypt_and_has_no_key(process: str, tmp_path: Path) -> None:
    environ = os.environ | {
        "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1:1/0",
        "DOCREFINERY_DATA_DIR": str(tmp_path), "DOCREFINERY_ENCRYPT": "on",
    }  # fmt: skip
    refused = docrefinery(process, environ=environ, cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr == "docrefinery: DOCREFINERY_ENCRYPT is on and no key is set: set DOCREFINERY_SECRET_KEYS.\n"
