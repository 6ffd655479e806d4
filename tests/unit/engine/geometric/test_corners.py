"""Small things that once went wrong."""

from pathlib import Path

import pytest
from docling_core.types.doc import ContentLayer

from docrefinery.engine.geometric import assemble, read
from docrefinery.engine.geometric.assembly.text import append
from docrefinery.engine.geometric.reading.styles import looks_of
from tests.support.drawn import drawn, shown
from tests.support.pages import Sheet, assembled, items, prose


def test_a_table_and_a_logo_in_an_imprint_stay_what_they_are() -> None:
    sheet = Sheet()
    sheet.column(200, 72, 340).put(prose(24))
    sheet.text("DOI: 10.1/x\nReceived: May\nAccepted: June\nLicence: free", 40, 100, 120, size=7)
    sheet.image(40, 160, 120, 200)
    document = assembled(sheet)
    assert len(document.pictures) == 1
    furniture = [item.text for item in document.texts if item.content_layer is ContentLayer.FURNITURE]
    assert any("DOI" in text for text in furniture)
    assert "" not in furniture


def test_a_bitmap_with_bars_around_it_is_one_picture() -> None:
    sheet = Sheet()
    sheet.column(72, 72, 468).put(prose(4))
    sheet.image(150, 250, 400, 400)
    for left, top, right, bottom in (
        (140, 240, 410, 246),
        (140, 404, 410, 410),
        (140, 240, 146, 410),
        (404, 240, 410, 410),
    ):
        sheet.shape(left, top, right, bottom, fill=0x3366AA)
    assert len(assembled(sheet).pictures) == 1


def test_ticks_of_a_table_are_text_however_many() -> None:
    sheet = Sheet()
    for row in range(12):
        sheet.text(f"Feature {row}", 72, 100 + 20 * row, 100)
        for column in range(8):
            sheet.text("●", 200 + 40 * column, 100 + 20 * row, 12)
    found = " ".join(items(assembled(sheet, tables=False)))
    assert found.count("●") == 96


def test_a_sentence_that_begins_with_o_is_no_item() -> None:
    sheet = Sheet()
    sheet.text(
        "A cidade ficava longe do mar, e quem queria ver os barcos dizia que\no rio era mais bonito do que o mar.",
        72,
        100,
    )
    assert items(assembled(sheet), "list_item") == []


def test_headings_with_coloured_numbers_are_no_listing() -> None:
    sheet = Sheet()
    for number in range(1, 5):
        sheet.text(str(number), 72, 60 + 40 * number, 10, size=14, bold=True, colour=0x0000FF)
        sheet.text("Introduction to it", 86, 60 + 40 * number, 300, size=14, bold=True)
        sheet.text(prose(1, number), 72, 80 + 40 * number)
    assert items(assembled(sheet), "code") == []


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("EncodeSans-Regular", ""), ("MonotypeCorsiva", ""), ("DigitalSans", ""), ("PlayfairCapitals", ""),
        ("AcademiaSerif", ""), ("SourceCodePro-Regular", "mono"), ("DejaVuSansMono", "mono"),
        ("CourierNewPS-BoldMT", "bold mono"),
        ("CMTT10", "mono"), ("CMBX12", "bold"), ("CMTI10", "italic"), ("TimesNewRoman,BoldItalic", "bold italic"),
        ("NimbusRomNo9L-Medi", "bold"), ("SourceSans3-BoldIt", "bold italic"), ("HiraKakuStdN-W8", "bold"),
        ("Menlo-Regular", "mono"),
    ],
)  # fmt: skip
def test_names_of_faces(name: str, looks: str) -> None:
    bold, italic, mono = looks_of(name)
    assert " ".join(word for word, on in (("bold", bold), ("italic", italic), ("mono", mono)) if on) == looks


def test_tiny_print_in_a_fixed_pitch_divides_by_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tiny.pdf"
    path.write_bytes(drawn(shown("tiny print", 72, 700, size=0.04) + shown("Some words", 72, 600)))
    assert "Some words" in items(assemble(read(path)))


def test_a_long_paragraph_without_spaces_is_put_together_in_steps_of_its_lines() -> None:
    line = "漢字" * 20
    text = ""
    for _ in range(2_000):
        text = append(text, line, set())
    assert text == line * 2_000
