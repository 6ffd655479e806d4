"""``docrefinery push`` against the service: a hundred small PDFs, and everything that may come between."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from docrefinery.cli.app import app
from docrefinery.model import JOB_QUEUES
from docrefinery.settings import Settings
from docrefinery.store import claims
from docrefinery.store.database import Database
from tests.support.calls import a_pdf
from tests.support.processes import DOCREFINERY, environment
from tests.support.server import Serving, serving_beside
from tests.support.waiting import until, until_true
from tests.support.work import LEASE, RESULTS, HandWorker

FILES = 100


class Said:
    """What a push has said, as JSON."""

    def __init__(self) -> None:
        self.outcomes: list[dict[str, Any]] = []
        self.summary: dict[str, int] = {}
        self.errors = ""
        self.code = -1

    def take(self, line: str | bytes) -> None:
        """Take a line."""
        said = json.loads(line)
        if "summary" in said:
            self.summary = said["summary"]
        else:
            self.outcomes.append(said)

    def named(self, status: str) -> list[str]:
        """Return the names of the files that ended so."""
        return sorted(Path(each["path"]).name for each in self.outcomes if each["status"] == status)


class Push(Said):
    """A push as a process of its own, for what is done to it while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__()
        self.process = process
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.take(line)

    async def ended(self) -> int:
        """Wait for its end and return the exit code."""
        assert self.process.stderr is not None
        self.errors = (await self.process.stderr.read()).decode()
        await self._reading
        return await self.process.wait()


Run = Callable[..., Any]


@pytest.fixture
async def start(tmp_path: Path, key: str) -> AsyncIterator[Run]:
    """Start a push as a process; it ends with the test."""
    pushes: list[Push] = []

    async def start(*arguments: str, url: str) -> Push:
        process = await asyncio.create_subprocess_exec(
            *DOCREFINERY,
            "push",
            *arguments,
            "--json",
            env=environment(DOCREFINERY_API_KEY=key, DOCREFINERY_SERVER=url),
            cwd=tmp_path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        pushes.append(Push(process))
        return pushes[-1]

    yield start
    for push in pushes:
        if push.process.returncode is None:
            push.process.kill()
            await push.ended()


@pytest.fixture
def run(tmp_path: Path, key: str, served: Serving, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a push to its end, in a thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCREFINERY_API_KEY", key)
    monkeypatch.setenv("DOCREFINERY_SERVER", served.url)

    async def run(*arguments: str, stdin: str = "") -> Said:
        done = await asyncio.to_thread(CliRunner().invoke, app, ["push", *arguments, "--json"], input=stdin)
        said = Said()
        said.code, said.errors = done.exit_code, done.stderr
        # The service, which runs in this process, writes its log there too.
        for line in filter(lambda line: line.startswith("{"), done.stdout.splitlines()):
            said.take(line)
        return said

    return run


@asynccontextmanager
async def working(worker: HandWorker, *, as_asked: bool = False) -> AsyncIterator[None]:
    """Publish results of every job that comes, until the block ends.

    :param as_asked: whether a job gets what its ``exports`` say, and not the same as every other.
    """
    over = asyncio.Event()

    async def one() -> bool:
        claim = await claims.claim(worker.db, JOB_QUEUES, worker.id, LEASE)
        if claim is not None:
            made = {kind: kind.encode() for kind in ("docling_json", *claim.exports)} if as_asked else None
            await worker.publish(claim, made)
        return over.is_set()

    task = asyncio.create_task(until_true(one, 55))
    try:
        yield
    finally:
        over.set()
        await task


def make(folder: Path, files: int) -> None:
    folder.mkdir(parents=True)
    for number in range(files):
        (folder / f"f{number:03}.pdf").write_bytes(a_pdf())


def complete(out: Path, stems: list[str]) -> bool:
    """Whether every file has its results, and nothing half done lies about."""
    left = [path for path in out.rglob("*") if path.name.endswith(".part")]
    return not left and all(
        (out / stem / f"{stem}.{kind}").read_bytes() == content for stem in stems for kind, content in RESULTS.items()
    )


async def uploads(db: Database) -> tuple[int, int]:
    """Return how many documents there are, and how many uploads were answered: as created, or as there already."""
    documents = await db.fetch("SELECT FROM documents")
    answered = await db.fetch("SELECT FROM idempotency_records")
    return len(documents), len(answered)


async def test_interrupted_and_started_again_nothing_is_sent_twice(
    start: Run, served: Serving, worker: HandWorker, db: Database, tmp_path: Path
) -> None:
    make(tmp_path / "in", FILES)
    stems = [f"f{number:03}" for number in range(FILES)]
    async with working(worker):
        push = await start("in", "--out", "out", url=served.url)
        await until(lambda: len(push.named("done")) >= 10, 40)
        push.process.send_signal(signal.SIGINT)
        assert await push.ended() == 130
        assert "the next run goes on" in push.errors
        assert push.summary["done"] == len(push.named("done"))
        first = set(push.named("done"))
        assert len(first) < FILES
        again = await start("in", "--out", "out", url=served.url)
        assert await again.ended() == 0, again.errors
    assert first <= set(again.named("kept"))
    assert again.summary["kept"] + again.summary["done"] == FILES
    assert complete(tmp_path / "out", stems)
    # Whatever the service had answered was not sent again: no upload met a duplicate.
    assert await uploads(db) == (FILES, FILES)


async def test_a_service_that_is_killed_and_started_again_is_waited_for(
    start: Run, settings: Settings, worker: HandWorker, db: Database, tmp_path: Path
) -> None:
    make(tmp_path / "in", 40)
    async with working(worker):
        async with serving_beside(settings) as served:
            push = await start("in", "--out", "out", url=served.url)
            port = int(served.url.rpartition(":")[2])
            await until(lambda: push.outcomes, 40)
        assert push.process.returncode is None
        async with serving_beside(settings, port):
            assert await push.ended() == 0, push.errors
    assert complete(tmp_path / "out", [f"f{number:03}" for number in range(40)])
    documents, _ = await uploads(db)
    assert documents == 40


async def test_what_cannot_be_pushed_is_told_and_the_others_go_on(
    run: Run, worker: HandWorker, db: Database, tmp_path: Path
) -> None:
    make(tmp_path / "in", 2)
    make(tmp_path / "in/deep/er", 2)
    copied = (tmp_path / "in/f000.pdf").read_bytes()
    (tmp_path / "in/other name.PDF").write_bytes(copied)
    (tmp_path / "in/text.pdf").write_text("no PDF")
    (tmp_path / "in/empty.pdf").touch()
    (tmp_path / "in/notes.txt").touch()
    (tmp_path / "in/gone.pdf").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in/deep/loop").symlink_to(tmp_path / "in")
    os.mkfifo(tmp_path / "in/pipe.pdf")
    (tmp_path / "list.txt").write_text("in\nmissing.pdf\n")
    async with working(worker):
        push = await run("-", "--from-file", "list.txt", "--out", "out", stdin="in/f001.pdf\n\n")
    assert push.code == 1
    assert push.named("skipped") == ["loop"]
    codes = {Path(each["path"]).name: each["error_code"] for each in push.outcomes if each["status"] == "failed"}
    assert codes == {
        "text.pdf": "NOT_A_PDF",
        "empty.pdf": "EMPTY_FILE",
        "gone.pdf": "NO_SUCH_FILE",
        "pipe.pdf": "NOT_A_PDF",
        "missing.pdf": "NO_SUCH_FILE",
    }
    assert push.summary == {
        "files": 11,
        "done": 5,
        "failed": 5,
        "skipped": 1,
        "kept": 0,
        "submitted": 0,
        "sent": 4,
        "duplicates": 1,
    }
    places = sorted(str(path.parent.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.markdown"))
    assert places == ["deep/er/f000", "deep/er/f001", "f000", "f001", "other name"]
    assert (tmp_path / "out/other name/other name.markdown").read_bytes() == RESULTS["markdown"]
    assert (await uploads(db))[0] == 4


async def test_failed_jobs_are_listed_with_what_to_do_and_tried_again_by_the_next_run(
    run: Run, worker: HandWorker, tmp_path: Path
) -> None:
    make(tmp_path / "in", 1)
    running = asyncio.create_task(run("in", "--out", "out", "--artifacts", "markdown"))

    async def failed() -> bool:
        claim = await claims.claim(worker.db, JOB_QUEUES, worker.id, LEASE)
        return claim is not None and await worker.fail(claim, "WORKER_CRASHED")

    await until_true(failed, 40)
    push = await running
    assert (push.code, [each["error_code"] for each in push.outcomes]) == (1, ["WORKER_CRASHED"])
    async with working(worker):
        again = await run("in", "--out", "out", "--artifacts", "markdown")
    assert (again.code, again.summary["sent"], again.summary["done"]) == (0, 0, 1)
    last = await run("in", "--out", "out", "--artifacts", "markdown")
    assert (last.code, last.summary["kept"]) == (0, 1)
    assert [path.name for path in (tmp_path / "out/f000").iterdir()] == ["f000.markdown"]


async def test_what_every_file_would_meet_ends_it_at_once(run: Run, tmp_path: Path) -> None:
    make(tmp_path / "in", 3)
    (tmp_path / "key").write_text("dr_wrong_wrong\n")
    (tmp_path / "empty").write_text(" \n")
    for arguments, said in (
        (("in", "--profile", "nope"), "UNKNOWN_PROFILE"),
        (("in", "--options", "[]"), "--options"),
        (("in", "--api-key-file", "list"), "cannot be read"),
        (("in", "--api-key-file", "key"), "UNAUTHENTICATED"),
        (("in", "--api-key-file", "empty"), "There is no key in empty: it is empty."),
        (("in", "--server", "nowhere"), "not a URL"),
        (("in", "--server", ""), "name it with --server, or set DOCREFINERY_SERVER"),
        (("in", "--options", '{"exports": ["nonsense"]}'), "/options_json/exports/0"),
        (("in", "--options", '{"max_num_pages": -1}'), "/options_json/max_num_pages"),
        (("in", "--artifacts", "markdwn,text"), "kind markdwn; there are: chunks_json, docling_json, doctags"),
        ((), "nothing to push"),
    ):
        push = await run(*arguments)
        assert (push.code, push.outcomes, push.summary) == (2, [], {}), push.errors
        assert said in push.errors
        assert len(push.errors.splitlines()) == 1
        assert "dr_wrong" not in push.errors


async def test_without_waiting_files_are_only_sent(run: Run, db: Database, tmp_path: Path) -> None:
    make(tmp_path / "in", 3)
    push = await run("in", "--no-wait", "--profile", "fast_text")
    assert (push.code, push.summary["submitted"], push.summary["sent"]) == (0, 3, 3)
    again = await run("in", "--no-wait", "--profile", "fast_text")
    assert (again.code, again.summary["submitted"], again.summary["sent"]) == (0, 3, 0)
    assert [job["profile"] for job in await db.fetch("SELECT profile FROM jobs")] == ["fast_text"] * 3
    assert not (tmp_path / "converted").exists()


async def test_known_files_are_done_again_unless_the_same_was_asked_of_them(
    run: Run, worker: HandWorker, db: Database, tmp_path: Path
) -> None:
    make(tmp_path / "in", 1)

    def kinds(out: str) -> set[str]:
        return {path.suffix[1:] for path in (tmp_path / out / "f000").iterdir()}

    text = {"docling_json", "text", "markdown", "doctags"}
    figures = '{"exports": ["figures_zip"], "ocr": true}'
    asked = [
        (("--profile", "fast_text"), text),
        (("--options", '{"exports": ["chunks_json"]}'), {"docling_json", "chunks_json"}),
        (("--options", figures), {"docling_json", "figures_zip"}),
        ((), text),
        (("--options", '{"max_num_pages": 1}'), text),
    ]
    async with working(worker, as_asked=True):
        # The second time there are jobs for all of it.
        for time in ("first", "second"):
            for number, (arguments, expected) in enumerate(asked):
                push = await run("in", "--out", f"{time}{number}", *arguments)
                assert (push.code, push.named("done")) == (0, ["f000.pdf"]), push.errors
                assert kinds(f"{time}{number}") == expected
        assert len(await db.fetch("SELECT FROM jobs")) == len(asked)
        assert await uploads(db) == (1, len(asked))


async def test_a_limit_that_a_known_file_breaks_is_told(run: Run, worker: HandWorker, tmp_path: Path) -> None:
    make(tmp_path / "in", 1)
    async with working(worker):
        assert (await run("in")).code == 0
    running = asyncio.create_task(run("in", "--options", '{"max_num_pages": 1}'))

    async def failed() -> bool:
        claim = await claims.claim(worker.db, JOB_QUEUES, worker.id, LEASE)
        return claim is not None and await worker.fail(claim, "PAGE_LIMIT_EXCEEDED")

    await until_true(failed, 40)
    push = await running
    assert (push.code, [each["error_code"] for each in push.outcomes]) == (1, ["PAGE_LIMIT_EXCEEDED"])


async def test_kinds_that_a_job_has_not_fail_its_file_and_are_named(
    run: Run, worker: HandWorker, tmp_path: Path
) -> None:
    make(tmp_path / "in", 1)
    async with working(worker):
        push = await run("in", "--artifacts", "chunks_json,markdown")
    assert push.code == 1
    assert [each["error_code"] for each in push.outcomes] == ["MISSING_ARTIFACT"]
    assert "chunks_json; there are: docling_json, markdown" in push.outcomes[0]["message"]
    assert not (tmp_path / "converted/f000").exists()


async def test_a_second_push_into_the_same_folder_is_refused_while_the_first_runs(
    start: Run, run: Run, served: Serving, worker: HandWorker, tmp_path: Path
) -> None:
    make(tmp_path / "in", 1)
    first = await start("in", "--out", "out", url=served.url)
    await until_true(lambda: _queued(worker.db), 40)
    second = await run("in", "--out", "out")
    assert (second.code, second.errors) == (
        2,
        "docrefinery: Another push writes to out; wait for its end, or name another folder with --out.\n",
    )
    async with working(worker):
        assert await first.ended() == 0, first.errors
    assert complete(tmp_path / "out", ["f000"])
    assert (await run("in", "--out", "out")).summary["kept"] == 1


async def test_a_file_whose_name_is_in_no_known_encoding_is_done_like_any_other(
    run: Run, worker: HandWorker, tmp_path: Path
) -> None:
    make(tmp_path / "in", 2)
    odd = os.fsdecode(b"b\xff")
    (tmp_path / "in" / f"{odd}.pdf").write_bytes(a_pdf())
    (tmp_path / "in" / f"{odd}-gone.pdf").symlink_to(tmp_path / odd)
    async with working(worker):
        push = await run("in", "--out", "out")
    assert push.named("done") == ["b\\udcff.pdf", "f000.pdf", "f001.pdf"], push.errors
    assert [each["error_code"] for each in push.outcomes if each["status"] == "failed"] == ["NO_SUCH_FILE"]
    assert complete(tmp_path / "out", [odd, "f000", "f001"])
    (tmp_path / "in" / f"{odd}-gone.pdf").unlink()
    again = await run("in", "--out", "out")
    assert (again.code, again.summary["kept"]) == (0, 3)


async def test_results_of_an_earlier_run_are_neither_replaced_nor_moved(
    run: Run, worker: HandWorker, tmp_path: Path
) -> None:
    for folder in ("s1", "s2", "s2/deep"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.pdf").write_bytes(a_pdf())

    def placed(push: Said) -> dict[str, tuple[str, str]]:
        assert push.code == 0, push.errors
        return {each["path"]: (each["status"], each["folder"]) for each in push.outcomes}

    async with working(worker):
        assert placed(await run("s1", "--out", "out")) == {"s1/x.pdf": ("done", "out/x")}
        assert placed(await run("s2/x.pdf", "--out", "out")) == {"s2/x.pdf": ("done", "out/x-2")}
        assert placed(await run("s2", "s1", "--out", "out")) == {
            "s1/x.pdf": ("kept", "out/x"),
            "s2/x.pdf": ("kept", "out/x-2"),
            "s2/deep/x.pdf": ("done", "out/deep/x"),
        }
    assert sorted(path.parent.name for path in (tmp_path / "out").rglob("*.markdown")) == ["x", "x", "x-2"]


async def test_a_folder_that_was_begun_when_a_push_was_killed_is_gone_on_with_and_nobody_elses(
    run: Run, start: Run, served: Serving, worker: HandWorker, tmp_path: Path
) -> None:
    for folder in ("s1", "s2"):
        make(tmp_path / folder, 1)
    (tmp_path / "out/f000").mkdir(parents=True)
    # Its results cannot be put where this pipe is: it stops in the middle.
    os.mkfifo(tmp_path / "out/f000/f000.markdown")
    async with working(worker):
        push = await start("s1", "--out", "out", url=served.url)
        await until((tmp_path / "out/.docrefinery-push.jsonl").exists, 40)
        await until(lambda: (tmp_path / "out/.docrefinery-push.jsonl").read_bytes().strip(), 40)
        push.process.kill()
        await push.ended()
        (tmp_path / "out/f000/f000.markdown").unlink()
        swapped = await run("s2", "s1", "--out", "out")
    assert {each["path"]: each["folder"] for each in swapped.outcomes} == {
        "s1/f000.pdf": "out/f000",
        "s2/f000.pdf": "out/f000-2",
    }
    assert complete(tmp_path / "out", ["f000"])


async def _queued(db: Database) -> bool:
    return bool(await db.fetch("SELECT FROM jobs"))


async def test_results_of_a_copy_do_not_pass_for_those_of_the_file_whose_folder_it_has(
    run: Run, worker: HandWorker, tmp_path: Path
) -> None:
    make(tmp_path / "in", 1)
    (tmp_path / "copy.pdf").write_bytes((tmp_path / "in/f000.pdf").read_bytes())
    chunks = ("--out", "out", "--options", '{"exports": ["chunks_json"]}')
    async with working(worker, as_asked=True):
        await run("in", "--out", "out", "--profile", "fast_text")
        await run("copy.pdf", *chunks)
        push = await run("in", *chunks)
    assert push.named("done") == ["f000.pdf"]
    assert (tmp_path / "out/f000/f000.chunks_json").is_file()
