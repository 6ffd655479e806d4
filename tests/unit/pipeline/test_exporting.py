"""Exporters side by side: whoever takes which, the parent hears of the stages in their order."""

from collections.abc import Callable
from pathlib import Path

import pytest
from docling_core.types.doc import DoclingDocument

from docrefinery.engine.base import EngineResult
from docrefinery.model import Stage
from docrefinery.pipeline import exporting
from docrefinery.pipeline.protocol import Convert, Reply, Working
from docrefinery.plugin.registry import load


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
    result = EngineResult(
        document=DoclingDocument(name="empty"), page_count=1, pages_total=1, failed_pages=(), warnings=(), engine={}
    )
    request = Convert("", "", str(tmp_path), {}, kinds, 1.0, processes=3)
    exporting.export_all(registry, exporters, result, request, told.append)
    stages = {exporter.stage for exporter in exporters}
    assert [reply.stage for reply in told if isinstance(reply, Working)] == [
        stage for stage in (Stage.EXPORTING, Stage.CHUNKING) if stage in stages
    ]
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == set(map(exporting.file_name, exporters))
