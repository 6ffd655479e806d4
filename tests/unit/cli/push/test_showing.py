"""What a person sees on a terminal of 80 columns, and in a log."""

import io
import re
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import pytest
from rich.console import Console

from docrefinery.cli.push import showing
from docrefinery.cli.push.outcomes import Outcome, State, Summary, advice
from docrefinery.client import Job

AT = datetime(2027, 1, 1, tzinfo=UTC)
JOB = Job(
    id=123456,
    uuid=UUID(int=1),
    document_id=1,
    status="RUNNING",
    stage="CONVERTING",
    created_at=AT,
    modified_at=AT,
    pages_done=17,
    pages_total=440,
)
FAILED = Outcome(path="in/[x].pdf", status=State.FAILED, error_code="ENCRYPTED_PDF", message="It needs a password.")


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    made = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None, legacy_windows=False)
    monkeypatch.setattr(showing, "errors", made)
    return made


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue()).replace("\r", "\n")


def test_a_terminal_has_a_bar_that_fits_and_the_failures_with_what_to_do(console: Console) -> None:
    bars, summary = showing.Bars(console), Summary(files=2)
    bars.begin(2)
    bars.moved(Counter({"sending": 4, "waiting": 987, "fetching": 4}))
    bars.job(JOB)
    bars.outcome(FAILED)
    summary.add(FAILED)
    bars._progress.refresh()
    bars.waits("429 QUOTA_EXCEEDED: too many jobs are queued already", 30)
    bars._progress.refresh()
    bars.end(summary)
    lines = text(console).splitlines()
    bar = [line for line in lines if "1/2" in line]
    assert any("4 sending, 987 waiting, 4 fetching" in line for line in bar)
    assert any("waiting 30 s: 429 QUOTA_EXCEEDED" in line for line in bar)
    assert all(len(line) <= 80 for line in bar)
    assert any(line.startswith("failed in/[x].pdf: ENCRYPTED_PDF") for line in lines)
    assert any("-> remove the password" in line for line in lines)
    assert lines[-1] == "2 files: 1 failed, 0 sent, 1 left."


@pytest.mark.parametrize("bars", [True, False])
def test_what_a_name_has_that_a_terminal_obeys_is_spelled_out(console: Console, *, bars: bool) -> None:
    evil = Outcome(
        path="in/\x1b[2Ja\nb\x9b\u202e\u00a0é.pdf",
        status=State.FAILED,
        error_code="X",
        message="first\nsecond\x1b]0;t\x07",
    )
    show: showing.Shown = showing.Bars(console) if bars else showing.Lines()
    summary = Summary(files=1)
    show.begin(1)
    show.waits("say\x1b[1m", 1)
    show.outcome(evil)
    summary.add(evil)
    show.end(summary)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert not {"\x1b[2J", "\x1b[1m", "\x1b]0;", "\x9b", "\x07", "\u202e"} & {
        said[i : i + n] for i in range(len(said)) for n in (1, 4)
    }
    name = r"in/\u001b[2Ja\nb\u009b\u202e" + "\u00a0é.pdf"
    assert [line for line in text(console).splitlines() if name in line] == [
        rf"failed {name}: X: first\nsecond\u001b]0;t\u0007",
        rf"  {name}: X: first\nsecond\u001b]0;t\u0007 -> {advice('X')}",
    ]
    assert text(console).splitlines()[-1].startswith("1 file: 1 failed")


def test_a_log_has_a_line_for_each_file(console: Console) -> None:
    lines = showing.Lines()
    lines.waits("503 UNAVAILABLE", 5)
    lines.outcome(Outcome(path="in/a.pdf", status=State.DONE, folder="out/a"))
    lines.outcome(FAILED)
    assert text(console).splitlines() == [
        "waiting 5 s: 503 UNAVAILABLE",
        "done in/a.pdf out/a",
        "failed in/[x].pdf: ENCRYPTED_PDF: It needs a password.",
    ]
