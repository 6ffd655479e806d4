"""Pages that one engine cannot be shown are another's."""

from pathlib import Path
from typing import Any

from docrefinery.capabilities import Models
from docrefinery.engine.base import Engine, EngineResult, Help, TooLarge
from docrefinery.engine.geometric_engine import GeometricEngine
from docrefinery.pipeline.conversion import convert
from docrefinery.pipeline.protocol import Convert, Done
from docrefinery.plugin.registry import load
from tests.support import pdfs


class Shortsighted:
    """An engine to which every page is too large."""

    def convert(self, *_: Any) -> EngineResult:
        """Refuse."""
        raise TooLarge([1])


def test_a_document_with_pages_that_are_too_large_is_converted_by_the_geometric_engine(tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(pdfs.giant_page())
    request = Convert(str(source), "a.pdf", str(tmp_path), {}, ("text",), 60)
    engines: dict[str, Engine] = {"docling": Shortsighted(), "geometric": GeometricEngine()}
    done = convert(engines, Models(), load(()), request, lambda _: None, Help())
    assert isinstance(done, Done)
    assert done.engine["name"] == "geometric"
    assert [warning.code for warning in done.warnings] == ["PAGE_TOO_LARGE"]
    assert "page 1" in done.warnings[0].message
    assert "tiny" in tmp_path.joinpath("text.txt").read_text()
