"""The pieces of ``make bench-quality``, on two made PDFs and a made scorer."""

import io
import os
import sys
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from docling_core.types.doc import DocItemLabel, DoclingDocument, Size
from rich.console import Console

from bench import quality
from bench.engines import Converted, Engine, alone, convert_all, geometric, peak_mib
from bench.long import join_pages
from bench.scoring import QualityError, QualitySet, Scores, check_scorer, quality_set, score
from tests.support.pdfs import born_digital, truncated

SCORER = """
import json, sys
from pathlib import Path
if "--help" not in sys.argv:
    found = sorted(path.stem for path in Path(sys.argv[1]).iterdir())
    means = {"docs": len(found), "body": 0.5, "false_t": 2}
    print("a table", sys.argv[sys.argv.index("--collection") + 1])
    print(json.dumps({"all": means, "collections": {name.split("__")[0]: means for name in found}}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a quality set with two documents that have text, and one that has none."""
    tmp_path.joinpath("pdfs").mkdir()
    tmp_path.joinpath("ground-truth").mkdir()
    tmp_path.joinpath("score.py").write_text(SCORER)
    for name in ("a__one", "b__two", "ocr_a__one"):
        tmp_path.joinpath("pdfs", f"{name}.pdf").write_bytes(born_digital(text=f"Words of {name}."))
    return tmp_path


@pytest.fixture
def found(folder: Path) -> QualitySet:
    return quality_set(folder, image_only=False)


def fickle() -> Engine:
    """Return an engine that fails on the first document and finds nothing in the second."""

    def document(path: Path) -> DoclingDocument:
        if "one" in path.stem:
            raise ValueError("no such luck")
        made = DoclingDocument(name=path.stem)
        made.add_page(page_no=1, size=Size(width=1, height=1))
        made.add_text(DocItemLabel.TEXT, "words")
        return made

    return Engine(document, lambda _: " \n")


def test_documents_without_text_are_left_out_unless_asked_for(folder: Path, found: QualitySet) -> None:
    assert [path.stem for path in found.paths] == ["a__one", "b__two"]
    assert [path.stem for path in found.left_out] == ["ocr_a__one"]
    assert found.collections == ["a", "b"]
    assert quality_set(folder, image_only=True).collections == ["a", "b", "ocr_a"]


@pytest.mark.parametrize(
    ("missing", "said"),
    [("pdfs", "has no pdfs"), ("score.py", "has no score.py"), ("pdfs/*.pdf", "no PDFs"), (".", "no folder")],
)
def test_what_a_folder_lacks_is_said_in_one_line(
    folder: Path, missing: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in [folder] if missing == "." else list(folder.glob(missing)):
        path.rename(folder.parent / f"{folder.name}-{path.name}-away")
    monkeypatch.setattr(sys, "argv", ["bench-quality", str(folder)])
    with pytest.raises(SystemExit, match=said) as ended:
        quality.main()
    assert "\n" not in str(ended.value)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import no_such_package", "needs the package no_such_package: install"),
        ("raise SystemExit('no truth')", "no truth"),
        ("raise SystemExit(1)", "it says nothing"),
    ],
)
def test_a_scorer_that_does_not_run_is_found_out_before_anything_is_converted(
    folder: Path, program: str, said: str
) -> None:
    folder.joinpath("score.py").write_text(program)
    with pytest.raises(QualityError, match=said):
        check_scorer(folder)


def test_scores_are_the_last_line_of_the_scorer(found: QualitySet, tmp_path: Path) -> None:
    check_scorer(found.folder)
    predictions = tmp_path / "predictions"
    predictions.mkdir()
    predictions.joinpath("a__one.md").touch()
    means = {"docs": 1, "body": 0.5, "false_t": 2}
    assert score(found, predictions) == Scores(all=means, collections={"a": means})
    found.folder.joinpath("score.py").write_text("print('fine')")
    with pytest.raises(QualityError, match="no scores"):
        score(found, predictions)


def test_every_document_is_converted_and_measured(found: QualitySet, tmp_path: Path) -> None:
    converted = convert_all(geometric, found.paths, tmp_path)
    assert (converted.pages, converted.failed, converted.empty) == (2, {}, [])
    assert converted.document_ms > 0
    assert converted.exports_ms > 0
    assert "Words of b" in tmp_path.joinpath("b__two.md").read_text()
    assert peak_mib(geometric, found.paths[0]) > 10


def test_a_failed_and_an_empty_document_are_told_and_the_others_counted(found: QualitySet, tmp_path: Path) -> None:
    converted = convert_all(fickle, found.paths, tmp_path)
    assert converted.failed == {"a__one": "ValueError: no such luck"}
    assert (converted.empty, converted.pages) == (["b__two"], 1)
    assert not tmp_path.joinpath("a__one.md").exists()


def test_a_long_document_repeats_the_pages_that_there_are(folder: Path) -> None:
    bad, target = folder / "bad.pdf", folder / "long.pdf"
    bad.write_bytes(truncated())
    paths = [bad, *sorted(folder.joinpath("pdfs").iterdir())]
    assert join_pages(paths, 9, target) == 9
    with pdfium.PdfDocument(target) as document:
        assert len(document) == 9
    assert join_pages([bad], 9, target) == 0


def test_a_measurement_has_a_process_of_its_own() -> None:
    assert alone(os.getpid) != os.getpid()


def test_the_tables_show_engines_side_by_side(found: QualitySet) -> None:
    good = Scores(all={"body": 0.75, "false_t": 3}, collections={"a": {"body": 0.5}})
    none = Scores(all={"body": 0.0, "false_t": 0}, collections={})
    converted = {
        "ours": Converted(pages=4, document_ms=10, exports_ms=2),
        "Docling": Converted(failed={"a__one": "ValueError"}, empty=["b__two"]),
    }
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(quality.quality_table(found, {"ours": good, "Docling": none}, converted))
    console.print(quality.cost_table(converted, {"ours": "100", "Docling": "200"}, 400))
    rows = [line.split() for line in console.export_text().splitlines()]
    assert ["a", "(1)", "ours", "0.500", *["-"] * 7, "0", "0"] in rows
    assert ["all", "(2)", "ours", "0.750", *["-"] * 6, "3", "0", "0"] in rows
    assert ["Docling", "0.000", *["-"] * 6, "0", "1", "1"] in rows
    assert ["CPU", "ms", "a", "page,", "to", "the", "document", "2.5", "0.0"] in rows
    assert ["peak", "memory", "of", "400", "pages,", "MiB", "100", "200"] in rows
