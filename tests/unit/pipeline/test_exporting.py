"""Exporters side by side: whoever takes which, the parent hears of the stages in their order."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
import pytest
from docling_core.types.doc import DoclingDocument

from docrefinery.engine.base import EngineResult
from docrefinery.model import Stage
from docrefinery.pipeline import exporting
from docrefinery.pipeline.protocol import Convert, Reply, Working
from docrefinery.plugin import Exporter
from docrefinery.plugin.registry import load

EMPTY = EngineResult(
    document=DoclingDocument(name="empty"), page_count=1, pages_total=1, failed_pages=(), warnings=(), engine={}
)


@pytest.mark.parametrize("kinds", [("chunks_json", "text", "markdown"), ("text",), ("chunks_json",), ()])
def test_stages_are_told_in_order_however_hasty_the_others_are(
    kinds: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[Reply]()

    class Hasty:
        """A fork that has done everything before whoever made it goes on."""

        def __init__(self, work: Callable[[], bytes]) -> None:
            # Else whoever made it would take the chunks, and tell of them first.
            assert told
            self._answer = work()

        def answer(self) -> bytes:
            return self._answer

    monkeypatch.setattr(exporting, "Fork", Hasty)
    monkeypatch.setattr(exporting, "processes", lambda wanted: wanted)
    registry = load(())
    exporters = [registry.exporters[kind] for kind in kinds]
    request = Convert("", "", str(tmp_path), {}, kinds, 1.0, processes=3)
    exporting.export_all(registry, exporters, EMPTY, request, told.append)
    stages = {exporter.stage for exporter in exporters}
    assert [reply.stage for reply in told if isinstance(reply, Working)] == [
        stage for stage in (Stage.EXPORTING, Stage.CHUNKING) if stage in stages
    ]
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == set(map(exporting.file_name, exporters))


def test_exporters_that_take_long_begin_first_where_there_are_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = list[str]()

    def exporter(kind: str, cost: float, stage: Literal[Stage.EXPORTING, Stage.CHUNKING] = Stage.EXPORTING) -> Exporter:
        def write(_document: DoclingDocument, _stream: BinaryIO) -> None:
            began.append(kind)

        return Exporter(
            kind=kind, summary="Notes when it begins.", content_type="text/plain", suffix=f".{kind}", stage=stage,
            write=write, cost=cost,
        )  # fmt: skip

    class Late:
        """A fork that finds nothing left to do."""

        def __init__(self, _work: Callable[[], bytes]) -> None:
            self.answer = lambda: msgspec.msgpack.encode({})

    monkeypatch.setattr(exporting, "Fork", Late)
    monkeypatch.setattr(exporting, "processes", lambda wanted: wanted)
    exporters = [
        exporter("short", 1),
        exporter("pieces", 99, Stage.CHUNKING),
        exporter("long", 16),
        exporter("some", 4),
    ]
    for processes, order in ((1, "short long some pieces"), (2, "long some short pieces")):
        began.clear()
        folder = tmp_path / str(processes)
        folder.mkdir()
        request = Convert("", "", str(folder), {}, (), 1.0, processes=processes)
        exporting.export_all(load(()), exporters, EMPTY, request, lambda _: None)
        assert began == order.split()
