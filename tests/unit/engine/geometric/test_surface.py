"""The documented way to use the engine by itself."""

import re
import shutil
from pathlib import Path

import pytest

from docrefinery.engine.geometric import assemble, decode, encode, read, read_outline

ROOT = Path(__file__).parents[4]
REPORT = ROOT / "tests/data/harbour-report.pdf"


def test_the_example_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/geometric-engine.md").read_text()
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert example is not None
    shutil.copy(REPORT, tmp_path / "report.pdf")
    monkeypatch.chdir(tmp_path)
    exec(compile(example[1], "example", "exec"), {})
    assert "## 3 Tolls and tides" in capsys.readouterr().out


def test_pages_read_by_several_processes_are_the_same(tmp_path: Path) -> None:
    alone = list(read(REPORT))
    assert [decode(encode(layout)) for layout in alone] == alone
    assert list(read(REPORT, [2, 1] * 9, processes=2)) == [*alone[::-1]] * 9


def test_only_the_pages_that_are_asked_for_are_read() -> None:
    document = assemble(read(REPORT, [2]), "second", read_outline(REPORT))
    assert list(document.pages) == [2]
    assert document.name == "second"
    assert len(document.tables) == 1


def test_without_tables_each_row_is_a_line_of_text() -> None:
    document = assemble(read(REPORT, tables=False))
    assert document.tables == []
    texts = [item.text for item in document.texts]
    assert "October 31 104.50 3.37" in texts
    assert "Wool and hides 12 4 15 6" in texts
