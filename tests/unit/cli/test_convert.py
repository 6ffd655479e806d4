"""Placing what a conversion made."""

from pathlib import Path

from docrefinery.cli.convert import _placed
from docrefinery.pipeline.outcomes import Artifact, Converted
from docrefinery.plugin import Exporter
from docrefinery.plugin.registry import Registry


def exporter(kind: str) -> Exporter:
    return Exporter(
        kind=kind, summary="A test.", content_type="text/plain", suffix=".md", write=lambda _document, _stream: None
    )


def test_two_exporters_of_one_suffix_do_not_overwrite_each_other(tmp_path: Path) -> None:
    kinds = ("markdown", "fancy")
    made = tmp_path / "made"
    made.mkdir()
    for kind in kinds:
        (made / kind).write_text(kind)
    converted = Converted(
        page_count=1, pages_total=1, convert_ms=1, export_ms=1, chunk_ms=None, warnings=(), engine={}, partial=False,
        failed_pages=(),
        artifacts=tuple(Artifact(kind=kind, path=made / kind, size_bytes=1, sha256="") for kind in kinds),
    )  # fmt: skip
    registry = Registry(profiles={}, exporters={kind: exporter(kind) for kind in kinds}, scanners={}, plugins=())
    folder = tmp_path / "report"
    assert _placed(converted, registry, Path("report.pdf"), folder) == ""
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "report.md": "markdown",
        "report.fancy.md": "fancy",
    }
