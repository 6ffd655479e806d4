"""What is read of a page through pdfium: words, how they are set, and where."""

from pathlib import Path

import pytest

from docrefinery.engine.geometric import Layout, assemble
from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.layout.lines import Line
from tests.support.drawn import LETTER, composite_font, drawn, glyphs, layouts_of, paragraph, shown, words_of

_TURNS = {0: "1 0 0 1", 90: "0 -1 1 0", 180: "-1 0 0 -1", 270: "0 1 -1 0"}


def read_one(folder: Path, content: bytes, page: bytes = LETTER) -> Layout:
    (layout,) = layouts_of(folder, drawn(content, page=page))
    return layout


def only(layout: Layout) -> Line:
    (line,) = layout.lines
    return line


def test_a_line_has_its_place_and_its_size(tmp_path: Path) -> None:
    line = only(read_one(tmp_path, shown("Some words here", 72, 700, size=11)))
    assert line.text == "Some words here"
    assert line.size == 11
    assert line.left == pytest.approx(72, abs=1)
    assert 80 < line.top < 792 - 700 < line.bottom < 96


@pytest.mark.parametrize(
    ("font", "flags"),
    [
        ("F1", (False, False, False)),
        ("F2", (True, False, False)),
        ("F3", (False, False, True)),
        ("F4", (False, True, False)),
    ],
    ids=["plain", "bold", "mono", "italic"],
)
def test_the_fonts_name_tells_how_it_looks(tmp_path: Path, font: str, flags: tuple[bool, bool, bool]) -> None:
    line = only(read_one(tmp_path, shown("Some words here", 72, 700, font=font)))
    assert (line.bold, line.italic, line.mono) == flags


def test_letters_with_an_outline_as_well_are_bold(tmp_path: Path) -> None:
    assert only(read_one(tmp_path, b"2 Tr " + shown("Some words", 72, 700))).bold


def test_text_drawn_twice_for_boldness_is_there_once(tmp_path: Path) -> None:
    content = shown("Some words here", 72, 700) + shown("Some words here", 72.3, 700)
    assert only(read_one(tmp_path, content)).text == "Some words here"


def test_hidden_text_is_read_and_known_as_such(tmp_path: Path) -> None:
    layout = read_one(tmp_path, b"3 Tr " + shown("Some words", 72, 700))
    assert only(layout).text == "Some words"
    assert layout.styles[only(layout).style].hidden


def test_hidden_text_beside_what_shows_is_not_read_unless_it_is_that_of_a_bitmap(tmp_path: Path) -> None:
    hidden = b"q 3 Tr " + shown("Nobody sees this", 72, 500) + b" Q "
    seen = shown("Some words", 72, 700)
    image = b"q 300 0 0 100 60 450 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x80 EI Q "
    assert [line.text for line in read_one(tmp_path, hidden + seen).lines] == ["Some words"]
    found = read_one(tmp_path, image + hidden + seen)
    labels = [
        line.text for column in found.columns for each in column if isinstance(each, Figure) for line in each.lines
    ]
    assert sorted([*[line.text for line in found.lines], *labels]) == ["Nobody sees this", "Some words"]


def test_a_size_is_that_on_the_page(tmp_path: Path) -> None:
    assert only(read_one(tmp_path, b"q 2 0 0 2 0 0 cm " + shown("Some words", 36, 300, size=6) + b" Q")).size == 12


def test_letterspaced_text_has_its_words(tmp_path: Path) -> None:
    assert words_of(read_one(tmp_path, b"4 Tc " + shown("Some words here are letterspaced", 72, 700))) == [
        "Some",
        "words",
        "here",
        "are",
        "letterspaced",
    ]


def test_words_without_a_space_between_them_are_parted_by_their_distance(tmp_path: Path) -> None:
    content = shown("Some", 72, 700) + shown("words", 106, 700)
    assert only(read_one(tmp_path, content)).text == "Some words"


def test_a_word_in_two_styles_is_one(tmp_path: Path) -> None:
    content = shown("Some", 72, 700) + shown("what", 72 + 29.95, 700, font="F2")
    assert only(read_one(tmp_path, content)).text == "Somewhat"


@pytest.mark.parametrize("turn", _TURNS)
def test_a_page_whose_text_is_turned_is_read_as_if_it_were_upright(tmp_path: Path, turn: int) -> None:
    steps = {0: (0, -14), 90: (-14, 0), 180: (0, 14), 270: (14, 0)}[turn]
    lines = [f"Line number {at} goes on from here" for at in range(4)]
    content = b"".join(
        shown(line, 300 + steps[0] * at, 400 + steps[1] * at, turn=_TURNS[turn]) for at, line in enumerate(lines)
    )
    layout = read_one(tmp_path, content)
    assert layout.turn == turn
    assert [line.text for line in layout.lines] == lines
    (item,) = assemble([layout]).texts
    (box,) = [place.bbox for place in item.prov]
    assert box.l <= 300 <= box.r + 14
    assert box.b - 14 <= 400 <= box.t + 14


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_page_has_its_places_as_shown(tmp_path: Path, rotation: int) -> None:
    page = LETTER + b" /Rotate %d" % rotation
    (layout,) = layouts_of(tmp_path, drawn(paragraph(["Some words here", "and some below"]), page=page))
    document = assemble([layout])
    size = document.pages[1].size
    assert (size.width, size.height) == ((792, 612) if rotation != 180 else (612, 792))
    box = document.texts[0].prov[0].bbox
    corner = {90: (700, 540), 180: (540, 92), 270: (92, 72)}[rotation]
    assert abs((box.r if rotation != 270 else box.l) - corner[0]) < 20
    assert abs((box.t if rotation == 90 else box.b) - corner[1]) < 20


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_page_whose_text_is_turned_against_it_is_upright(tmp_path: Path, rotation: int) -> None:
    content = shown("Some words here", 300, 400, turn=_TURNS[360 - rotation])
    layout = read_one(tmp_path, content, LETTER + b" /Rotate %d" % rotation)
    assert layout.turn == 0
    assert only(layout).text == "Some words here"


def test_a_cropped_page_has_what_is_shown_and_its_places(tmp_path: Path) -> None:
    content = shown("Some words here", 72, 700) + shown("Outside", 72, 100)
    layout = read_one(tmp_path, content, LETTER + b" /CropBox [50 600 400 760]")
    assert (layout.width, layout.height) == (350, 160)
    line = only(layout)
    assert line.text == "Some words here"
    assert line.left == pytest.approx(22, abs=1)


def test_a_page_that_begins_elsewhere_has_its_places(tmp_path: Path) -> None:
    line = only(read_one(tmp_path, shown("Some words", -50, 500), b"/MediaBox [-100 -100 512 692]"))
    assert line.left == pytest.approx(50, abs=1)
    assert 180 < line.top < 192


@pytest.mark.parametrize(
    ("letters", "text"),
    [("a😀b", "a😀b"), ("e\ufb03cient", "efficient"), ("河流带着小船", "河流带着小船"), ("ÅéñçØ", "ÅéñçØ")],
    ids=["surrogates", "a ligature", "ideographs", "accents"],
)
def test_letters_are_what_their_font_says(tmp_path: Path, letters: str, text: str) -> None:
    content = f"BT /F9 12 Tf 72 700 Td {glyphs(len(letters))} Tj ET".encode()
    file = drawn(content, fonts=b"/F9 7 0 R", extra=composite_font(letters, 7))
    document = assemble(layouts_of(tmp_path, file))
    assert [item.text for item in document.texts] == [text]


@pytest.mark.parametrize("text", ["שלום עולם", "مرحبا بكم"], ids=["Hebrew", "Arabic"])
def test_text_that_runs_leftwards_reads_in_its_own_order(tmp_path: Path, text: str) -> None:
    """Its letters stand in the file from left to right, as they are seen."""
    lines = "".join(f"BT /F9 12 Tf 300 {700 - 14 * at} Td {glyphs(len(text))} Tj ET\n" for at in range(2))
    file = drawn(lines.encode(), fonts=b"/F9 7 0 R", extra=composite_font(text[::-1], 7))
    assert [line.text for layout in layouts_of(tmp_path, file) for line in layout.lines] == [text, text]


def test_words_that_run_leftwards_read_in_their_own_order(tmp_path: Path) -> None:
    text = "שלום עולם"
    parts = f"BT /F9 12 Tf 327 700 Td {glyphs(4, 6)} Tj ET BT /F9 12 Tf 300 700 Td {glyphs(4)} Tj ET"
    file = drawn(parts.encode(), fonts=b"/F9 7 0 R", extra=composite_font(text[::-1], 7))
    assert [line.text for layout in layouts_of(tmp_path, file) for line in layout.lines] == [text]


def test_no_letter_of_text_that_runs_downwards_is_lost(tmp_path: Path) -> None:
    content = f"BT /F9 12 Tf 300 700 Td {glyphs(6)} Tj ET".encode()
    file = drawn(content, fonts=b"/F9 7 0 R", extra=composite_font("abcdef", 7, vertical=True))
    assert [word for layout in layouts_of(tmp_path, file) for word in words_of(layout)] == list("abcdef")


def test_text_within_a_form_is_read(tmp_path: Path) -> None:
    form = shown("Within a form", 10, 10)
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 300 300] /Resources << /Font << /F1 3 0 R >> >>"
    extra = [b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(form), entries, form)]
    content = b"q 1 0 0 1 100 600 cm /X0 Do Q " + shown("Outside of it", 72, 700)
    (layout,) = layouts_of(tmp_path, drawn(content, resources=b"/XObject << /X0 7 0 R >>", extra=extra))
    inner = next(line for line in layout.lines if line.text == "Within a form")
    assert inner.left == pytest.approx(110, abs=1)


def test_links_lead_out_of_the_document(tmp_path: Path) -> None:
    link = (
        b"<< /Type /Annot /Subtype /Link /Rect [70 690 160 712] /Border [0 0 0] "
        b"/A << /S /URI /URI (https://rivers.example/) >> >>"
    )
    file = drawn(shown("Some words here", 72, 700), page=LETTER + b" /Annots [7 0 R]", extra=[link])
    (item,) = assemble(layouts_of(tmp_path, file)).texts
    assert str(item.hyperlink) == "https://rivers.example/"
