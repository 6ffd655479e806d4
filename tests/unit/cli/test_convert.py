"""Placing what a conversion made."""

import os
from pathlib import Path

from docrefinery.cli.convert import _placed
from docrefinery.pipeline.outcomes import Artifact, Converted
from docrefinery.plugin import Exporter
from docrefinery.plugin.registry import Registry
from tests.support.calls import a_pdf
from tests.support.processes import docrefinery, environment


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


def test_a_file_whose_name_is_in_no_known_encoding_is_done_like_any_other(tmp_path: Path) -> None:
    odd = os.fsdecode(b"b\xff")
    stems = ("a", odd, "c")
    for stem in stems:
        (tmp_path / f"{stem}.pdf").write_bytes(a_pdf())
    names = [f"{stem}.pdf" for stem in (*stems, f"{odd}-gone")]
    done = docrefinery("convert", *names, "--profile", "fast_text", "--out", "out", environ=environment(), cwd=tmp_path)
    assert done.returncode == 1
    assert "1 of 4 files failed" in done.stderr
    assert r"failed b\udcff-gone.pdf: there is no such file" in done.stderr
    assert "Traceback" not in done.stderr
    assert all((tmp_path / "out" / stem / f"{stem}.md").read_text() for stem in stems)
