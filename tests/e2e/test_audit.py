"""What an operator sees of who did what; and that what is stored of a tenant is stored under its name."""

import json
import re
import subprocess
import sys

from tests.e2e.test_tenants import said
from tests.support.pdfs import born_digital
from tests.support.processes import COMMAND, wait_until
from tests.support.refinery import Client, Refinery, fresh


def test_files_of_a_tenant_lie_under_its_uuid_until_it_deletes_them(refinery: Refinery) -> None:
    made = [said(refinery, "tenant", "create", f"stored-{number}") for number in range(2)]
    content = fresh(born_digital())
    for tenant in made:
        key = said(refinery, "key", "create", "--tenant", tenant["name"], "--scope", "all")["key"]
        with Client(refinery.url, key) as client:
            before = set(refinery.blobs())
            document = client.submit(content)
            client.assert_converted(document["job_id"])
            new = set(refinery.blobs()) - before
            assert len(new) == 5
            root = refinery.data_dir / "blobs" / tenant["uuid"]
            assert all(root in path.parents for path in new), new
            if tenant is made[0]:
                assert client.delete(f"/v1/documents/{document['id']}/").status_code == 204
                wait_until(lambda root=root: not refinery.blobs(root.name), 20, "the files are gone")  # type: ignore[misc]
    assert len(refinery.blobs(made[1]["uuid"])) == 5


def test_operator_follows_who_does_what(refinery: Refinery, client: Client) -> None:
    job = client.submit(fresh(born_digital()))["job_id"]
    document = client.finished(job)["document_id"]
    command = [sys.executable, *COMMAND, "audit", "--follow", "--action", "document.deleted", "--json"]
    with subprocess.Popen(command, env=refinery.environ, cwd=refinery.home, stdout=subprocess.PIPE) as following:
        try:
            assert client.delete(f"/v1/documents/{document}/").status_code == 204
            assert following.stdout is not None
            found: dict[str, str] = {}
            while found.get("object") != f"document {document}":
                found = json.loads(following.stdout.readline())
        finally:
            following.terminate()
    assert (found["tenant"], found["actor_kind"], found["client"]) == ("default", "key", "127.0.0.1")


def test_operators_own_acts_are_told_and_old_ones_pruned(refinery: Refinery) -> None:
    said(refinery, "tenant", "create", "watched")
    made = said(refinery, "key", "create", "--tenant", "watched", "--scope", "jobs:read", "--name", "poller")
    entries = said(refinery, "audit", "--tenant", "watched")
    assert [(one["actor_kind"], one["action"]) for one in entries] == [
        ("operator", "tenant.created"),
        ("operator", "key.created"),
    ]
    assert entries[1]["details"]["name"] == "poller"
    assert made["key"] not in str(entries)
    assert said(refinery, "audit", "prune", "--older-than", "7") == {"removed": 0}
    [line] = refinery.command("audit", "--limit", "1").stdout.splitlines()
    assert re.search(r"^\d{4}-\S+ \S+  audit.pruned  audit log  done  by operator \S+", line)


def test_mistyped_action_is_explained(refinery: Refinery) -> None:
    mistyped = refinery.command("audit", "--action", "key.made")
    assert mistyped.returncode == 1
    assert "key.created" in mistyped.stderr
