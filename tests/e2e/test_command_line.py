"""The commands, as an operator types them and as a script reads them."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.support.pdfs import born_digital, eicar_pdf, encrypted, with_figure
from tests.support.processes import docrefinery, environment
from tests.support.refinery import Client, Refinery, fresh

Completed = subprocess.CompletedProcess[str]


def succeeds(refinery: Refinery, *arguments: str) -> str:
    ran = refinery.command(*arguments)
    assert (ran.returncode, ran.stderr) == (0, ""), ran
    return ran.stdout


def said(refinery: Refinery, *arguments: str) -> Any:
    """Return what a command printed as JSON."""
    return json.loads(succeeds(refinery, *arguments, "--json"))


def all_of(refinery: Refinery, *commands: tuple[str, ...]) -> list[Completed]:
    """Run commands side by side: each takes a second to start."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda arguments: refinery.command(*arguments), commands))


def test_a_tenant_and_its_key_work_at_once(refinery: Refinery) -> None:
    tenant = said(refinery, "tenant", "create", "acme")
    assert tenant["name"] == "acme"
    key = said(
        refinery, "key", "create", "--tenant", "acme", "--name", "reader",
        "--scope", "documents:read", "--scope", "jobs:read",
    )  # fmt: skip
    assert {"id", "uuid", "key", "scopes", "expires_at"} <= key.keys()
    assert sorted(key["scopes"]) == ["documents:read", "jobs:read"]
    with Client(refinery.url, key["key"]) as client:
        assert client.get("/v1/documents/").json()["results"] == []
        refused = client.post("/v1/documents/", files={"file": ("a.pdf", born_digital())})
        assert (refused.status_code, refused.json()["error_code"]) == (403, "INSUFFICIENT_SCOPE")
        # Used, so it is in the API's memory by now; revoking works all the same.
        assert said(refinery, "key", "revoke", str(key["id"]))["revoked_at"]
        revoked = client.get("/v1/documents/")
        assert (revoked.status_code, revoked.headers["WWW-Authenticate"]) == (401, "Api-Key")


def test_lists_are_tables_for_people_and_json_for_programs(refinery: Refinery) -> None:
    job_id = refinery.client.submit(fresh(born_digital()))["job_id"]
    refinery.client.assert_converted(job_id)
    lists = {
        "tenant": "default", "key": "first start", "job": str(job_id), "plugin": "builtin", "profile": "fast_text",
    }  # fmt: skip
    commands = [(noun, "list", *more) for noun in lists for more in ((), ("--json",))]
    ran = iter(all_of(refinery, *commands))
    for noun, word in lists.items():
        table, as_json = next(ran), next(ran)
        assert (table.returncode, as_json.returncode) == (0, 0), (table, as_json)
        assert word in table.stdout, noun
        rows = json.loads(as_json.stdout)
        assert isinstance(rows, list)
        assert word in json.dumps(rows)
        assert refinery.key not in as_json.stdout


def test_a_key_ends_when_it_says(refinery: Refinery) -> None:
    past = said(
        refinery, "key", "create", "--tenant", "default", "--scope", "all", "--expires-at", "2020-01-01T00:00:00Z"
    )
    answer = httpx.get(f"{refinery.url}/v1/jobs/", headers={"Authorization": f"Api-Key {past['key']}"}, trust_env=False)
    assert answer.status_code == 401


def test_jobs_are_canceled_and_retried(refinery: Refinery) -> None:
    job_id = refinery.client.submit(fresh(encrypted("secret")))["job_id"]
    assert refinery.client.finished(job_id)["error_code"] == "ENCRYPTED_PDF"
    assert said(refinery, "job", "retry", str(job_id))["attempt"] == 2
    assert refinery.client.finished(job_id)["status"] == "FAILED"
    (listed, *_) = said(refinery, "job", "list", "--status", "failed", "--limit", "1")
    assert listed["id"] == job_id
    refused = refinery.command("job", "cancel", str(job_id))
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "FAILED" in refused.stderr


def test_tenant_defaults_hold_for_the_next_upload(refinery: Refinery) -> None:
    said(refinery, "tenant", "create", "defaults")
    key = said(refinery, "key", "create", "--tenant", "defaults", "--scope", "all")["key"]
    with Client(refinery.url, key) as client:
        client.assert_converted(client.submit(fresh(born_digital()))["job_id"])
        said(refinery, "tenant", "set", "defaults", "--options", '{"exports": ["text"]}')
        client.assert_converted(client.submit(fresh(born_digital()))["job_id"], ["text", "docling_json"])


def test_errors_are_one_line_and_exit_with_one(refinery: Refinery) -> None:
    commands = [
        ("tenant", "create", "default"),
        ("tenant", "create", "No Spaces Please"),
        ("tenant", "set", "default", "--profile", "no_such"),
        ("key", "create", "--tenant", "nobody", "--scope", "all"),
        ("key", "create", "--tenant", "default", "--scope", "documents:eat"),
        ("key", "create", "--tenant", "default", "--scope", "all", "--expires-at", "tomorrow"),
        ("key", "revoke", "seven"),
        ("key", "revoke", "99999999999999999999"),
        ("job", "retry", "99999999999999999999"),
        ("job", "cancel", "999999"),
        ("job", "list", "--status", "tired"),
    ]
    for arguments, ran in zip(commands, all_of(refinery, *commands), strict=True):
        assert (ran.returncode, ran.stdout) == (1, ""), (arguments, ran)
        assert len(ran.stderr.splitlines()) == 1, (arguments, ran.stderr)
        assert ran.stderr.startswith("docrefinery: ")


def test_misuse_exits_with_two(refinery: Refinery) -> None:
    commands = [
        ("tenants",),
        ("key", "create", "--scope", "all"),
        ("up", "--workers", "many"),
        ("convert",),
    ]
    for arguments, ran in zip(commands, all_of(refinery, *commands), strict=True):
        assert ran.returncode == 2, (arguments, ran)
        assert "Usage:" in ran.stderr


def test_a_command_without_anything_running_says_what_to_do(tmp_path: Path) -> None:
    ran = docrefinery("job", "list", environ=environment(DOCREFINERY_DATA_DIR=str(tmp_path)))
    assert (ran.returncode, ran.stdout) == (1, "")
    (line,) = ran.stderr.splitlines()
    assert "docrefinery up" in line
    assert "DATABASE_URL" in line


def test_help_fits_a_terminal_and_lists_every_command() -> None:
    shown = docrefinery("--help", environ=environment(COLUMNS="80", TERM="xterm")).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    for command in ("up", "api", "worker", "migrate", "convert", "tenant", "key", "profile", "job", "plugin"):
        assert f" {command} " in shown


class Workbench:
    """A folder with PDFs in it and no server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def convert(self, *arguments: str) -> Completed:
        return docrefinery("convert", *arguments, environ=environment(TMPDIR=str(self.folder)), cwd=self.folder)

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in self.folder.joinpath(folder).iterdir())


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    tmp_path.joinpath("report.pdf").write_bytes(born_digital(2, "A report."))
    tmp_path.joinpath("figure.pdf").write_bytes(with_figure())
    tmp_path.joinpath("locked.pdf").write_bytes(encrypted("secret"))
    tmp_path.joinpath("other").mkdir()
    tmp_path.joinpath("other", "report.pdf").write_bytes(born_digital(1, "Another report."))
    return Workbench(tmp_path)


def test_convert_does_the_good_files_and_says_which_failed(bench: Workbench) -> None:
    ran = bench.convert("report.pdf", "locked.pdf", "missing.pdf", "other/report.pdf", "--profile", "fast_text")
    assert ran.returncode == 1
    words = {"locked.pdf": "ENCRYPTED_PDF", "missing.pdf": "no such file", "2 of 4": "failed"}
    assert [word for word, reason in words.items() if word not in ran.stderr or reason not in ran.stderr] == []
    names = ["report.doctags.txt", "report.json", "report.md", "report.txt"]
    assert bench.names("converted") == ["report", "report-2"]
    assert bench.names("converted/report") == names
    assert "Another report." in bench.folder.joinpath("converted/report-2/report.md").read_text()
    assert [path.name for path in bench.folder.glob("docrefinery-*/*")] == []


def test_convert_removes_what_a_killed_one_left(bench: Workbench) -> None:
    left = bench.folder / f"docrefinery-{os.geteuid()}" / "worker-killed" / "docrefinery-child-killed"
    left.mkdir(parents=True, mode=0o700)
    left.parents[1].chmod(0o700)
    left.joinpath("source.pdf").write_bytes(b"%PDF-secret")
    assert bench.convert("report.pdf", "--profile", "fast_text").returncode == 0
    assert list(left.parents[1].iterdir()) == []


def test_convert_converts_nothing_that_the_scanner_recognises(bench: Workbench) -> None:
    bench.folder.joinpath("bad.pdf").write_bytes(eicar_pdf())
    ran = bench.convert("bad.pdf", "report.pdf")
    assert ran.returncode == 1
    assert "MALWARE_DETECTED" in ran.stderr
    assert bench.names("converted") == ["report"]


def test_convert_goes_on_after_a_file_whose_results_cannot_be_written(bench: Workbench) -> None:
    bench.folder.joinpath("converted").mkdir()
    bench.folder.joinpath("converted", "report").write_text("in the way")
    ran = bench.convert("report.pdf", "figure.pdf")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "1 of 2 files failed." in ran.stderr
    assert "figure.md" in bench.names("converted/figure")


def test_convert_writes_every_export_under_its_name(bench: Workbench) -> None:
    exports = '{"exports": ["markdown", "text", "doctags", "chunks_json", "figures_zip"]}'
    ran = bench.convert("figure.pdf", "--options", exports, "--out", "results")
    assert ran.returncode == 0, ran.stderr
    suffixes = [".chunks.json", ".doctags.txt", ".figures.zip", ".json", ".md", ".txt"]
    assert bench.names("results/figure") == [f"figure{suffix}" for suffix in suffixes]


def test_convert_draws_each_page_of_each_file_into_one_folder(bench: Workbench) -> None:
    ran = bench.convert("report.pdf", "other/report.pdf", "--debug-layout", "drawn/pages")
    assert ran.returncode == 0, ran.stderr
    assert bench.names("drawn/pages") == ["report-0001.png", "report-0002.png", "report-2-0001.png"]
    with Image.open(bench.folder / "drawn/pages/report-0001.png") as drawing:
        assert drawing.height > 792


@pytest.mark.parametrize(("folder", "reason"), [("report.pdf", "File exists"), ("report.pdf/a", "Not a directory")])
def test_convert_refuses_a_folder_for_drawings_that_is_none(bench: Workbench, folder: str, reason: str) -> None:
    ran = bench.convert("figure.pdf", "--debug-layout", folder)
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert reason in line
    assert not bench.folder.joinpath("converted").exists()


@pytest.mark.parametrize(
    "arguments", [("--profile", "no_such"), ("--options", "{"), ("--options", '{"exports": ["pictures"]}')]
)
def test_convert_refuses_options_before_it_starts(bench: Workbench, arguments: tuple[str, ...]) -> None:
    ran = bench.convert("report.pdf", *arguments)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("docrefinery: ")
    assert "Traceback" not in ran.stderr
    assert not bench.folder.joinpath("converted").exists()
