from pathlib import Path

import pytest

from docrefinery.engine.base import EngineOptions, EngineResult, Help
from docrefinery.engine.geometric_engine import GeometricEngine
from docrefinery.errors import (
    ConversionFailed,
    EncryptedPdf,
    FileTooLarge,
    InvalidPdf,
    JobError,
    PageLimitExceeded,
)
from tests.support import pdfs


@pytest.fixture(scope="module")
def engine() -> GeometricEngine:
    return GeometricEngine()


def run(engine: GeometricEngine, folder: Path, content: bytes, options: EngineOptions | None = None) -> EngineResult:
    source = folder / "0f3a"
    source.write_bytes(content)
    return engine.convert(source, "My report.pdf", options or EngineOptions(), lambda _done, _total: None, Help())


def texts(result: EngineResult) -> list[str]:
    return [item.text for item in result.document.texts]


def test_text_is_there_with_its_place_and_the_documents_own_name(engine: GeometricEngine, tmp_path: Path) -> None:
    result = run(engine, tmp_path, pdfs.born_digital(2, text="Some words."))
    assert texts(result) == ["Page 1", "Some words.", "Page 2", "Some words."]
    assert [item.prov[0].page_no for item in result.document.texts] == [1, 1, 2, 2]
    assert (result.page_count, result.pages_total, result.failed_pages) == (2, 2, ())
    assert result.document.name == "My report"
    assert result.document.origin is not None
    assert result.document.origin.filename == "My report.pdf"
    assert result.engine["name"] == "geometric"


def test_boxes_are_in_points_from_the_bottom_of_the_page(engine: GeometricEngine, tmp_path: Path) -> None:
    result = run(engine, tmp_path, pdfs.born_digital(1))
    box = result.document.texts[0].prov[0].bbox
    assert 70 < box.l < 75
    assert 755 < box.b < box.t < 775


def test_lines_that_follow_each_other_are_one_paragraph(engine: GeometricEngine, tmp_path: Path) -> None:
    lines = ["The first line of a paragraph goes on", "in the second line of it, before it will", "end in its third."]
    text = "\n".join([*lines, "", "Another paragraph."])
    result = run(engine, tmp_path, pdfs.born_digital(1, text=text))
    assert texts(result)[1:] == [
        " ".join(lines),
        "Another paragraph.",
    ]


def test_progress_counts_the_pages_that_are_converted(engine: GeometricEngine, tmp_path: Path) -> None:
    source = tmp_path / "file.pdf"
    source.write_bytes(pdfs.born_digital(5))
    seen: list[tuple[int, int]] = []
    engine.convert(
        source, "x.pdf", EngineOptions(page_range=(2, 4)), lambda done, total: seen.append((done, total)), Help()
    )
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("page_range", "pages"),
    [((1, 1), [1]), ((2, 3), [2, 3]), ((3, 99), [3, 4]), ((4, 4), [4]), ((1, 4), [1, 2, 3, 4])],
)
def test_a_page_range_is_cut_at_the_end(
    engine: GeometricEngine, tmp_path: Path, page_range: tuple[int, int], pages: list[int]
) -> None:
    result = run(engine, tmp_path, pdfs.born_digital(4), EngineOptions(page_range=page_range))
    assert [text for text in texts(result) if text.startswith("Page")] == [f"Page {page}" for page in pages]
    assert (result.page_count, result.pages_total) == (4, len(pages))


@pytest.mark.parametrize(
    "options",
    [
        EngineOptions(max_num_pages=3),
        EngineOptions(max_num_pages=0),
        EngineOptions(max_num_pages=1, page_range=(2, 2)),
        EngineOptions(max_num_pages=2, page_range=(2, 9)),
        EngineOptions(max_file_size=0),
    ],
)
def test_within_the_limits(engine: GeometricEngine, tmp_path: Path, options: EngineOptions) -> None:
    assert run(engine, tmp_path, pdfs.born_digital(3), options).failed_pages == ()


@pytest.mark.parametrize(
    ("content", "options", "error"),
    [
        (pdfs.born_digital(3), EngineOptions(max_num_pages=2), PageLimitExceeded),
        (pdfs.born_digital(3), EngineOptions(max_num_pages=1, page_range=(2, 3)), PageLimitExceeded),
        (pdfs.born_digital(3), EngineOptions(page_range=(4, 5)), ConversionFailed),
        (pdfs.born_digital(3), EngineOptions(page_range=(3, 2)), ConversionFailed),
        (pdfs.born_digital(1), EngineOptions(max_file_size=100), FileTooLarge),
        (pdfs.encrypted("secret"), EngineOptions(), EncryptedPdf),
        (pdfs.no_pages(), EngineOptions(), InvalidPdf),
        (pdfs.truncated(), EngineOptions(), InvalidPdf),
        (b"", EngineOptions(), InvalidPdf),
        (b"%PDF-1.7\n", EngineOptions(), InvalidPdf),
        (b"<html>Not found</html>", EngineOptions(), InvalidPdf),
        (pdfs.broken_page(1), EngineOptions(), ConversionFailed),
        (pdfs.broken_page(2), EngineOptions(fail_on_partial=True), ConversionFailed),
    ],
)
def test_what_cannot_be_converted_says_why(
    engine: GeometricEngine, tmp_path: Path, content: bytes, options: EngineOptions, error: type[JobError]
) -> None:
    with pytest.raises(error) as caught:
        run(engine, tmp_path, content, options)
    assert len(caught.value.message) > 20
    assert str(tmp_path) not in caught.value.message


def test_no_pages_after_an_encrypted_file_is_still_invalid(engine: GeometricEngine, tmp_path: Path) -> None:
    """Of a document without pages pdfium reports the error of the one before."""
    with pytest.raises(EncryptedPdf):
        run(engine, tmp_path, pdfs.encrypted("secret"))
    with pytest.raises(InvalidPdf):
        run(engine, tmp_path, pdfs.no_pages())


def test_an_empty_user_password_opens_for_everybody(engine: GeometricEngine, tmp_path: Path) -> None:
    assert texts(run(engine, tmp_path, pdfs.encrypted("", text="Not really secret."))) == ["Not really secret."]


def test_a_failed_page_leaves_the_others(engine: GeometricEngine, tmp_path: Path) -> None:
    result = run(engine, tmp_path, pdfs.broken_page(3))
    assert result.failed_pages == (1,)
    assert [text for text in texts(result) if text.startswith("Page")] == ["Page 2", "Page 3"]
    assert [warning.code for warning in result.warnings] == ["PAGES_FAILED"]


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (EngineOptions(), []),
        (EngineOptions(do_ocr=False, do_table_structure=False), []),
        (EngineOptions(do_ocr=True), []),
        (EngineOptions(do_table_structure=True), []),
        (EngineOptions(do_picture_classification=True), ["PICTURE_CLASSIFICATION_NOT_AVAILABLE"]),
        (EngineOptions(do_picture_description=True), ["PICTURE_DESCRIPTION_NOT_AVAILABLE"]),
    ],
)
def test_what_was_asked_for_and_is_not_here_is_said(
    engine: GeometricEngine, tmp_path: Path, options: EngineOptions, codes: list[str]
) -> None:
    result = run(engine, tmp_path, pdfs.born_digital(), options)
    assert [warning.code for warning in result.warnings] == codes


def test_a_picture_has_its_place_and_its_image_only_if_asked_for(engine: GeometricEngine, tmp_path: Path) -> None:
    (picture,) = run(engine, tmp_path, pdfs.with_figure()).document.pictures
    assert picture.image is None
    box = picture.prov[0].bbox
    assert [round(side) for side in (box.l, box.b, box.r, box.t)] == [72, 300, 272, 500]


@pytest.mark.parametrize(("scale", "pixels"), [(None, 200), (2.0, 400)])
def test_images_scale_is_pixels_a_point(
    engine: GeometricEngine, tmp_path: Path, scale: float | None, pixels: int
) -> None:
    options = EngineOptions(generate_picture_images=True, images_scale=scale)
    result = run(engine, tmp_path, pdfs.with_figure(), options)
    image = result.document.pictures[0].get_image(result.document)
    assert image is not None
    assert image.size == (pixels, pixels)
    red, green, blue = image.convert("RGB").getpixel((pixels // 8, pixels // 8))  # type: ignore[misc]
    assert red > 150 > max(green, blue)
