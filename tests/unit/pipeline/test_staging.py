"""What a child is given stays until it is forgotten, whoever waits for it meanwhile."""

import asyncio
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from docrefinery.pipeline import protocol, staging
from docrefinery.pipeline.outcomes import Parts
from docrefinery.pipeline.process import ChildProcess
from docrefinery.pipeline.staging import Staged, Staging
from tests.support.waiting import until


@dataclass
class Nearby:
    """A child that nobody starts."""

    folder: Path
    owner: int | None = None
    alive: bool = True
    told: list[protocol.Request] = field(default_factory=list)

    def send(self, message: protocol.Request) -> None:
        """Note what it is told."""
        self.told.append(message)


@pytest.fixture
def child(tmp_path: Path) -> Nearby:
    folder = tmp_path / "child"
    folder.mkdir()
    return Nearby(folder)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "document.pdf"
    path.write_bytes(b"%PDF-")
    return path


async def given(keeping: Staging, child: Nearby, source: Path, parts: Parts | None = None) -> Path:
    async with keeping.given(cast(ChildProcess, child), source, parts or {}) as staged:
        assert all(path.read_bytes() == b"pages" for path in staged.parts.values())
        return staged.source


async def test_a_copy_stays_for_what_comes_next_and_goes_when_it_is_forgotten(child: Nearby, source: Path) -> None:
    keeping, pages = Staging(), source.with_name("pages")
    pages.write_bytes(b"pages")
    copy = await given(keeping, child, source)
    assert await given(keeping, child, source) == copy
    for _ in range(2):
        assert await given(keeping, child, source, {(1, 8): pages, (9, 16): pages}) == copy
    await keeping.forget()
    assert list(child.folder.iterdir()) == []
    assert child.told == [protocol.Forget()]


async def test_another_file_or_another_child_takes_it_back(tmp_path: Path, child: Nearby, source: Path) -> None:
    keeping, other = Staging(), Nearby(tmp_path / "other")
    other.folder.mkdir()
    copies = [await given(keeping, child, source)]
    source.write_bytes(b"%PDF-1.7")  # noqa: ASYNC240 - as a job's file that is another one
    copies.append(await given(keeping, child, source))
    copies.append(await given(keeping, other, source))
    assert [copy.exists() for copy in copies] == [False, False, True]
    assert child.told == [protocol.Forget()] * 2


async def test_nothing_stays_of_a_child_that_is_gone(child: Nearby, source: Path) -> None:
    keeping, child.alive = Staging(), False
    assert not (await given(keeping, child, source)).exists()
    await keeping.forget()
    assert child.told == []


@pytest.mark.parametrize("parts", [{}, {(1, 8): Path("pages")}])
async def test_a_folder_that_nobody_waits_for_any_more_goes_when_it_is_filled(
    child: Nearby, source: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts
) -> None:
    began, go, give = threading.Event(), threading.Event(), Staged.give

    def slowly(self: Staged, _: Parts) -> None:
        began.set()
        assert go.wait(20)
        give(self, {(1, 8): source})

    keeping = Staging()
    if parts:
        await given(keeping, child, source)
    monkeypatch.setattr(staging.Staged, "give", slowly)
    waiting = asyncio.create_task(given(keeping, child, source, parts))
    await asyncio.to_thread(began.wait, 20)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    await keeping.forget()
    assert len(list(child.folder.iterdir())) == 1
    go.set()
    await until(lambda: list(child.folder.iterdir()) == [])


async def test_files_are_handed_over_by_no_name(child: Nearby, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is the child's already, a name may be that of another file."""
    handed, child.owner, pages = list[int](), os.getuid(), source.with_name("pages")
    pages.write_bytes(b"pages")
    monkeypatch.setattr(os, "chown", lambda *_, **__: pytest.fail("by its name"))
    monkeypatch.setattr(os, "fchown", lambda descriptor, *_: handed.append(descriptor))
    await given(Staging(), child, source, {(1, 8): pages})
    # The document, the folder for results, its own, and the pages.
    assert len(handed) == 4
