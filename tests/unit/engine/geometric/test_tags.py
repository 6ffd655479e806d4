"""What a tagged PDF says of its text."""

from pathlib import Path

import pypdfium2 as pdfium
import pytest

from docrefinery.engine.geometric.model import Page, Tag
from docrefinery.engine.geometric.reading.page import read_page
from tests.support.structured import Bookmark, Element, Text, element, structured
from tests.unit.engine.geometric.conftest import Assembled

LINES = [
    "A paragraph of plain text goes on for as long as it takes to fill a whole line of it,",
    "and in its second line it still goes on, because it is to be as long as others are so,",
    "and then it ends.",
]
PARAGRAPH = "\n".join(LINES)
ONE = " ".join(LINES)


def content(tmp_path: Path, file: bytes) -> Page:
    source = tmp_path / "a.pdf"
    source.write_bytes(file)
    with pdfium.PdfDocument(source) as document:
        page = document[0]
        try:
            return read_page(document, page, 1)
        finally:
            page.close()


def roles(page: Page) -> list[tuple[str, Tag]]:
    """Return of each word whether it is tagged, and as what."""
    words = [word for segment in page.segments for word in segment.words]
    return [(word.text, page.tags.get(word.tag, Tag("none"))) for word in words]


def below(*parts: tuple[str, str], top: float = 150) -> list[Element]:
    """Return elements of a kind with a text, below each other as the lines of one paragraph are."""
    elements = []
    for kind, text in parts:
        elements.append(element(kind, Text(text, top)))
        top += 1.2 * 11 * (1 + text.count("\n"))
    return elements


def test_words_know_what_they_are_part_of(tmp_path: Path) -> None:
    page = content(
        tmp_path,
        structured(
            [
                element("H2", Text("Heading", 100)),
                element("P", Text("Some", 130), element("Span", Text("text", 130, 110))),
                element("L", element("LI", element("Lbl", Text("1.", 160)), element("LBody", Text("Item", 160, 90)))),
                element("Sect", Text("Outside", 190)),
                Text("Header", 40, kind="Artifact"),
                Text("Unsaid", 220, kind=None),
            ]
        ),
    )
    assert roles(page) == [
        ("Heading", Tag("H2", 1)),
        ("Some", Tag("P", 2)),
        ("text", Tag("P", 2)),
        ("1.", Tag("LI", 3)),
        ("Item", Tag("LI", 3)),
        ("Outside", Tag("Div")),
        ("Header", Tag("Artifact")),
        ("Unsaid", Tag("none")),
    ]


def test_names_of_the_files_own_are_looked_up(tmp_path: Path) -> None:
    page = content(tmp_path, structured([element("Titel2", Text("Heading", 100))], roles={"Titel2": "H2"}))
    assert roles(page) == [("Heading", Tag("H2", 1))]


def test_a_heading_without_a_level_is_as_deep_as_its_section(tmp_path: Path) -> None:
    inner = element("Sect", element("H", Text("Inner", 130)))
    page = content(tmp_path, structured([element("Sect", element("H", Text("Outer", 100)), inner)]))
    assert roles(page) == [("Outer", Tag("H1", 1)), ("Inner", Tag("H2", 2))]


def test_the_first_paragraph_of_an_item_is_the_item(tmp_path: Path) -> None:
    body = element("LBody", element("P", Text("First", 100, 90)), element("P", Text("Second", 130, 90)))
    page = content(tmp_path, structured([element("L", element("LI", element("Lbl", Text("1.", 100)), body))]))
    assert roles(page) == [("1.", Tag("LI", 1)), ("First", Tag("LI", 1)), ("Second", Tag("P", 2))]


def test_a_tree_that_goes_round_in_a_circle_ends(tmp_path: Path) -> None:
    page = content(tmp_path, structured(below(("H1", "Heading"), ("P", "Text")), endless=True))
    assert [text for text, _ in roles(page)] == ["Heading", "Text"]


def test_a_tree_of_any_depth_is_read_up_to_a_bound(tmp_path: Path) -> None:
    nested = element("P", Text("Deep", 130))
    for _ in range(300):
        nested = element("Div", nested)
    page = content(tmp_path, structured([element("P", Text("Flat", 100)), nested]))
    assert roles(page)[0] == ("Flat", Tag("P", 1))


def test_more_tags_than_a_page_can_have_are_not_looked_up(tmp_path: Path) -> None:
    many = [element("P", Text("x", 7 * (1 + at // 100), 6 * (at % 100), 5)) for at in range(10_001)]
    assert content(tmp_path, structured(many)).tags == {}


def test_a_file_without_a_tree_has_no_tags(tmp_path: Path) -> None:
    assert content(tmp_path, structured(below(("P", "Text")), tagged=False)).tags == {}


def test_one_element_is_one_block(assembled: Assembled) -> None:
    """Typography alone would join all of it, but for the space inside of the last one."""
    body = [
        *below(("H2", "A heading that looks like text"), ("P", LINES[0] + "\n" + LINES[1]), ("P", PARAGRAPH)),
        element("P", Text(LINES[0], 300), Text(LINES[1], 350)),
    ]
    assert assembled(structured(body)) == [
        ("heading 1", "A heading that looks like text"),
        ("text", f"{LINES[0]} {LINES[1]}"),
        ("text", ONE),
        ("text", f"{LINES[0]} {LINES[1]}"),
    ]


def test_levels_are_those_of_the_tags_without_gaps(assembled: Assembled) -> None:
    parts = [("H1", "One"), ("P", PARAGRAPH), ("H3", "Below"), ("P", PARAGRAPH), ("H1", "Two"), ("P", PARAGRAPH)]
    texts = assembled(structured(below(*parts)))
    assert [label for label, _ in texts if label != "text"] == ["heading 1", "heading 2", "heading 1"]


def test_what_is_tagged_as_text_is_no_heading_if_headings_are_tagged(assembled: Assembled) -> None:
    body = below(("H1", "One"), ("P", PARAGRAPH), ("H1", "Two"), ("P", PARAGRAPH))
    bold = element("P", Text("Set as a heading is", 300, bold=True))
    after = element("P", Text(PARAGRAPH, 318))
    assert ("text", "Set as a heading is") in assembled(structured([*body, bold, after]))


def test_headings_are_found_where_none_is_tagged(assembled: Assembled) -> None:
    body = [element("P", Text("One", 100, size=16, bold=True)), *below(("P", PARAGRAPH), ("P", PARAGRAPH))]
    body += [element("P", Text("Two", 300, size=16, bold=True)), element("P", Text(PARAGRAPH, 320))]
    assert [label for label, _ in assembled(structured(body)) if label != "text"] == ["heading 1", "heading 1"]


def test_items_captions_notes_and_code_are_what_they_are_tagged_as(assembled: Assembled) -> None:
    items = [element("L", *(element("LI", Text(text, top)) for text, top in (("First item", 300), ("Second", 320))))]
    rest = [element("Caption", Text("What is above", 350)), element("Code", Text("x = 1\ny = 2", 380))]
    note = element("Note", Text("See elsewhere.", 600))
    texts = assembled(structured([*below(("P", PARAGRAPH)), *items, *rest, note]))
    assert [label for label, _ in texts] == ["text", "list_item", "list_item", "caption", "code", "footnote"]


def test_rows_of_what_is_tagged_as_a_table_are_not_joined(assembled: Assembled) -> None:
    cells = [("A", "B"), ("one", "two"), ("three", "four")]
    rows = [
        element(
            "TR", *(element("TD", Text(cell, 300 + 13.2 * at, left)) for cell, left in zip(row, (72, 110), strict=True))
        )
        for at, row in enumerate(cells)
    ]
    texts = assembled(structured([*below(("P", PARAGRAPH), ("P", PARAGRAPH)), element("Table", *rows)]))
    assert texts[2:] == [("text", " ".join(row)) for row in cells]


def test_artifacts_are_no_content(assembled: Assembled) -> None:
    page: list[Element | Text] = [
        Text("Draft", 60, kind="Artifact"),
        *below(("P", PARAGRAPH), ("P", PARAGRAPH)),
        Text("x", 700, kind="Artifact"),
    ]
    assert assembled(structured(page)) == [
        ("page_header", "Draft"),
        ("text", ONE),
        ("text", ONE),
        ("page_footer", "x"),
    ]


def test_what_is_tagged_as_a_note_is_no_footer(assembled: Assembled) -> None:
    page = [*below(("P", PARAGRAPH), ("P", PARAGRAPH)), element("Note", Text("The same on each page.", 720, size=8))]
    texts = assembled(structured(page, page))
    assert [label for label, _ in texts] == ["text", "text", "footnote"] * 2


def test_a_paragraph_goes_on_on_the_next_page(assembled: Assembled) -> None:
    first, second = below(("P", PARAGRAPH), ("P", LINES[0])), below(("P", f"{LINES[1]}\n{LINES[2]}"), ("P", PARAGRAPH))
    assert assembled(structured(first, second)) == [("text", ONE)] * 3


def test_an_item_goes_on_on_the_next_page(assembled: Assembled) -> None:
    first = [*below(("P", PARAGRAPH)), element("L", *below(("LI", "1. One"), ("LI", f"2. {LINES[0]}"), top=300))]
    second = [
        element("L", *below(("LI", f"{LINES[1]}\n{LINES[2]}"), ("LI", "3. Three"))),
        *below(("P", PARAGRAPH), top=400),
    ]
    assert assembled(structured(first, second))[1:4] == [
        ("list_item", "One"),
        ("list_item", ONE),
        ("list_item", "Three"),
    ]


def test_the_outline_and_the_tags_agree(assembled: Assembled) -> None:
    parts = [("H1", "One"), ("P", PARAGRAPH), ("P", "Named by the outline"), ("P", PARAGRAPH), ("H1", "Two")]
    outline = [Bookmark("One", 1), Bookmark("Named by the outline", 1, 1), Bookmark("Two", 1)]
    texts = assembled(structured(below(*parts), outline=outline))
    assert [label for label, _ in texts] == ["heading 1", "text", "heading 2", "text", "heading 1"]


SPACED = [Text(PARAGRAPH, top) for top in (100, 200, 300, 400)]


@pytest.mark.parametrize(
    "page",
    [
        [element("P", Text(line, 13.2 * at + text.top)) for text in SPACED for at, line in enumerate(LINES)],
        [element("P", *SPACED)],
        [element("H1", text) for text in SPACED],
        [element("Caption", SPACED[0]), *(text._replace(kind=None) for text in SPACED[1:])],
        [element("Caption", SPACED[0]), *(text._replace(kind="Artifact") for text in SPACED[1:])],
    ],
    ids=["lines", "one", "headings", "few", "artifacts"],
)
def test_tags_that_cannot_be_right_say_nothing(assembled: Assembled, page: list[Element | Text]) -> None:
    assert assembled(structured(page)) == [("text", ONE)] * 4


def test_a_heading_as_long_as_a_paragraph_is_none(assembled: Assembled) -> None:
    long = "\n".join(LINES[:2] * 3)
    body = below(("H1", "One"), ("P", PARAGRAPH), ("H1", long), ("P", PARAGRAPH), ("P", PARAGRAPH), ("P", PARAGRAPH))
    texts = assembled(structured([*body, element("P", Text(PARAGRAPH, 500)), element("P", Text(PARAGRAPH, 600))]))
    assert [label for label, _ in texts if label != "text"] == ["heading 1"]
