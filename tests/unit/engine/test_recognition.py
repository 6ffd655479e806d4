"""Conversions in which pages are read from their pictures, with each engine."""

import io
from pathlib import Path

import pytest
from PIL import Image

from docrefinery.engine.base import EngineOptions, EngineResult, Help, OcrLanguages
from docrefinery.engine.describing import encoded
from docrefinery.engine.geometric_engine import GeometricEngine
from docrefinery.errors import ConversionFailed, OcrLanguageUnavailable
from docrefinery.settings import OcrEngine
from tests.support import pdfs, scans
from tests.support.packages import require_package
from tests.support.scans import ENGLISH, similarity

OCR = EngineOptions(do_ocr=True)


@pytest.fixture(params=["tesseract", "rapidocr"])
def engine(request: pytest.FixtureRequest) -> OcrEngine:
    if request.param == "tesseract":
        require_package("tesseract", "tesseract-ocr")
    chosen: OcrEngine = request.param
    return chosen


class Run:
    """Converts, and keeps the progress."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.progress: list[tuple[int, int]] = []

    def __call__(
        self, content: bytes, options: EngineOptions = OCR, engine: OcrEngine = "auto", threads: int = 2
    ) -> EngineResult:
        source = self._folder / "source.pdf"
        source.write_bytes(content)
        self.progress.clear()
        aid = Help(ocr_engine=engine, ocr_threads=threads)
        return GeometricEngine().convert(
            source, "a.pdf", options, lambda done, total: self.progress.append((done, total)), aid
        )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def texts(result: EngineResult, page: int | None = None) -> str:
    return "\n".join(item.text for item in result.document.texts if page in (None, item.prov[0].page_no))


def test_a_scan_reads_as_its_source_and_is_no_figure(run: Run, engine: OcrEngine) -> None:
    result = run(scans.english_scan(), engine=engine)
    assert similarity(texts(result), f"Page 1 {ENGLISH}") >= 0.95
    assert result.engine["ocr"].startswith(engine)
    assert result.document.pictures == []
    assert (result.failed_pages, result.warnings) == ((), ())


def test_recognised_text_has_its_place_on_the_page(run: Run, engine: OcrEngine) -> None:
    ours, theirs = run(pdfs.born_digital(1, ENGLISH)), run(scans.english_scan(), engine=engine)
    one, other = (result.document.texts[0].prov[0].bbox for result in (ours, theirs))
    assert [abs(a - b) < 6 for a, b in zip(one.as_tuple(), other.as_tuple(), strict=True)] == [True] * 4


def test_a_page_that_was_scanned_on_its_side_reads_all_the_same(run: Run, engine: OcrEngine) -> None:
    result = run(scans.english_scan(clockwise=90), engine=engine)
    assert similarity(texts(result), f"Page 1 {ENGLISH}") >= 0.95
    box = result.document.texts[-1].prov[0].bbox
    size = result.document.pages[1].size
    assert size.width > size.height
    assert 0 <= box.l < box.r <= size.width
    assert 0 <= box.b < box.t <= size.height
    assert box.height > box.width


def test_only_pages_without_text_are_read_and_each_text_is_on_its_page(run: Run) -> None:
    digital, scan = pdfs.born_digital(1, "Born digital."), scans.english_scan()
    result = run(scans.joined(digital, scan, digital, scan, digital), threads=3)
    for page in (1, 3, 5):
        assert texts(result, page) == "Page 1\nBorn digital."
    for page in (2, 4):
        assert similarity(texts(result, page), f"Page 1 {ENGLISH}") >= 0.95
    assert run.progress == [(done, 5) for done in range(6)]


def test_born_digital_pages_are_not_read(run: Run) -> None:
    result = run(pdfs.born_digital(2))
    assert "ocr" not in result.engine
    assert texts(result) == texts(run(pdfs.born_digital(2), EngineOptions()))


def test_without_ocr_a_scan_has_no_text_and_its_picture_is_there(run: Run) -> None:
    result = run(scans.english_scan(), EngineOptions())
    assert texts(result) == ""
    assert len(result.document.pictures) == 1


def test_every_page_is_read_if_that_is_asked_for(run: Run) -> None:
    result = run(pdfs.born_digital(1, ENGLISH), EngineOptions(do_ocr=True, force_full_page_ocr=True))
    assert "ocr" in result.engine
    assert similarity(texts(result), f"Page 1 {ENGLISH}") >= 0.95


def test_a_stamp_over_a_scan_does_not_keep_it_from_being_read(run: Run) -> None:
    image = scans.pages_as_images(pdfs.born_digital(1, ENGLISH))[0]
    result = run(pdfs.with_picture(image, (0, 0, 612, 792), text="Nr. 7"))
    assert similarity(texts(result), f"Page 1 {ENGLISH}") > 0.9


def test_half_a_page_that_is_a_picture_is_read_in_its_place(run: Run) -> None:
    image = scans.pages_as_images(pdfs.born_digital(1, ENGLISH))[0].crop((150, 100, 1650, 1100))
    page = pdfs.with_picture(image, (72, 150, 540, 462), text="Born digital text stands above the picture.")
    found = [item.text for item in run(page).document.texts]
    assert found[0] == "Born digital text stands above the picture."
    assert "The harbour master kept a ledger" in " ".join(found[1:])


def test_a_small_figure_is_not_read_and_stays_a_figure(run: Run) -> None:
    image = scans.pages_as_images(pdfs.born_digital(1, ENGLISH))[0].crop((150, 100, 1650, 1100))
    result = run(pdfs.with_picture(image, (72, 500, 272, 633), text="Born digital text stands above the figure."))
    assert texts(result) == "Born digital text stands above the figure."
    assert "ocr" not in result.engine
    assert len(result.document.pictures) == 1


@pytest.mark.parametrize(
    "content",
    [scans.blank_scan(), pdfs.giant_page(), scans.of_images([Image.effect_noise((400, 400), 90)])],
    ids=["blank", "giant", "noise"],
)
def test_pages_without_text_come_out_empty_and_do_not_fail(run: Run, engine: OcrEngine, content: bytes) -> None:
    result = run(content, EngineOptions(do_ocr=True, force_full_page_ocr=True), engine)
    assert len(texts(result)) < 40
    assert (result.failed_pages, len(result.document.pages)) == ((), 1)


def test_a_language_that_is_not_installed_is_named(run: Run) -> None:
    options = EngineOptions(do_ocr=True, ocr_options=OcrLanguages(lang=("en", "tlh")))
    with pytest.raises(OcrLanguageUnavailable, match="'tlh'"):
        run(pdfs.born_digital(), options)


def test_a_page_on_which_the_engine_fails_is_told_and_the_others_are_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "tesseract"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\ncase "$1" in\n--version) echo "tesseract 9.9";;\n--list-langs) printf "List\\neng\\n";;\n'
        '*) echo "it hurts" >&2; exit 7;;\nesac\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/bin:/usr/bin")
    result = run(scans.joined(pdfs.born_digital(1, "Born digital."), scans.english_scan()), engine="tesseract")
    assert result.failed_pages == (2,)
    assert [warning.code for warning in result.warnings] == ["PAGES_FAILED"]
    assert "Tesseract ended with 7" in result.warnings[0].message
    assert "it hurts" not in result.warnings[0].message
    assert "Born digital." in texts(result)
    with pytest.raises(ConversionFailed, match="Tesseract ended with 7"):
        run(scans.english_scan(), engine="tesseract")


def test_pictures_are_written_small_enough_to_be_sent() -> None:
    for image in (Image.effect_noise((3000, 2000), 90), Image.new("RGBA", (10, 10)), Image.new("L", (5000, 3))):
        sent = encoded(image)
        assert len(sent) < 2 * 1024 * 1024
        assert max(Image.open(io.BytesIO(sent)).size) <= 1024
