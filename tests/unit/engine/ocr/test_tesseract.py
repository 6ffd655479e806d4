"""Tesseract's answers, read; and Tesseract itself, asked."""

import pytest
from PIL import Image

from docrefinery.capabilities import Ocr, installed_ocr
from docrefinery.engine.ocr.base import OcrFailed
from docrefinery.engine.ocr.orientation import Orientation, orientation_of
from docrefinery.engine.ocr.tesseract import Tesseract, read_tsv
from tests.support.packages import require_package
from tests.support.pdfs import born_digital
from tests.support.scans import ENGLISH, pages_as_images, similarity

HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"


def word(place: str, box: str, confidence: float, text: str) -> str:
    return "\t".join(["5", *place.split(), *box.split(), str(confidence), text])


def test_words_are_joined_to_lines_with_their_box_and_confidence() -> None:
    rows = [
        HEAD,
        "1\t1\t0\t0\t0\t0\t0\t0\t99\t99\t-1\t",
        word("1 1 1 1 1", "10 20 30 8", 90, "Good"),
        word("1 1 1 1 2", "50 18 40 12", 96, "morning,"),
        word("1 1 1 1 3", "95 18 5 5", 3, "~"),
        word("1 1 1 2 1", "10 40 30 8", 80, "you"),
        word("1 2 1 1 1", "10 80 30 8", 20, "noise"),
        word("1 2 1 2 1", "10 90 30 8", 95, " "),
    ]
    lines, confidence = read_tsv("\n".join(rows))
    assert [line.text for line in lines] == ["Good morning,", "you"]
    assert (lines[0].left, lines[0].top, lines[0].right, lines[0].bottom) == (10, 18, 90, 30)
    assert 0.8 < confidence < 0.96


@pytest.mark.parametrize("output", ["", HEAD, "5\t1\t2", "nonsense\nmore"])
def test_an_answer_without_words_has_no_lines(output: str) -> None:
    assert read_tsv(output) == ([], 0.0)


@pytest.mark.parametrize(
    ("output", "seen"),
    [
        ("Rotate: 90\nOrientation confidence: 9.3\nScript: Cyrillic\n", Orientation(90, "Cyrl")),
        ("Rotate: 180\nOrientation confidence: 0.3\nScript: Latin\n", Orientation(0, "Latn")),
        ("Rotate: 0\nOrientation confidence: 20\nScript: Katakana\n", Orientation(0, "Jpan")),
        ("Rotate: 0\nOrientation confidence: 20\nScript: Nonesuch\n", Orientation(0, None)),
        ("", Orientation(0, None)),
    ],
)
def test_orientation_is_believed_when_it_is_sure(output: str, seen: Orientation) -> None:
    assert orientation_of(output) == seen


@pytest.fixture(scope="module")
def ocr() -> Ocr:
    require_package("tesseract", "tesseract-ocr")
    found = installed_ocr("tesseract")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def page() -> Image.Image:
    return pages_as_images(born_digital(1, ENGLISH))[0]


@pytest.mark.parametrize("languages", [["auto"], ["eng"]])
@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_clean_print_is_read_however_it_lies(ocr: Ocr, page: Image.Image, clockwise: int, languages: list[str]) -> None:
    reading = Tesseract(ocr, languages).read(page.rotate(-clockwise, expand=True), 200)
    assert reading.rotation == (360 - clockwise) % 360
    assert similarity("\n".join(line.text for line in reading.lines), f"Page 1\n{ENGLISH}") > 0.97
    assert reading.confidence > 0.85
    assert "eng" in reading.languages


def test_the_scripts_own_file_is_preferred_and_english_comes_first() -> None:
    assert Tesseract(Ocr("tesseract", "5", ("deu", "eng", "script/Latin")), ["auto"])._of_script("Latn") == (
        "script/Latin",
    )
    many = ("afr", "deu", "eng", "fra", "ita", "rus")
    assert Tesseract(Ocr("tesseract", "5", many), ["auto"])._of_script("Latn") == ("eng", "afr", "deu", "fra")
    assert Tesseract(Ocr("tesseract", "5", many), ["auto"])._of_script("Cyrl") == ("rus",)
    assert Tesseract(Ocr("tesseract", "5", ("rus",)), ["auto"])._of_script(None) == ("rus",)


def test_what_tesseract_refuses_is_an_error_without_paths(ocr: Ocr, page: Image.Image) -> None:
    with pytest.raises(OcrFailed, match="Tesseract ended with"):
        Tesseract(ocr, ["nonesuch"]).read(page, 200)
