"""What the outline says of headings."""

from pathlib import Path

import pytest
from hypothesis import example, given, strategies as st

from docrefinery.engine.base import EngineOptions, Help
from docrefinery.engine.geometric import read_outline
from docrefinery.engine.geometric.assembly import outline
from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.assembly.outline import _key, _may_become
from docrefinery.engine.geometric.layout.lines import Line
from docrefinery.engine.geometric.model import Entry
from docrefinery.engine.geometric_engine import GeometricEngine
from tests.support.structured import Bookmark, Element, Text, structured
from tests.unit.engine.geometric.conftest import Assembled

PARAGRAPH = "A paragraph of plain text goes on for as long as it takes to fill a whole line of it,\nand then it ends."


def page(*parts: str | Text, top: float = 150) -> list[Element | Text]:
    """Return paragraphs below each other; a text says itself how it is set."""
    placed: list[Element | Text] = []
    for part in parts:
        text = part if isinstance(part, Text) else Text(part, 0)
        placed.append(text._replace(top=top, kind=None))
        top += 1.2 * text.size * (1 + text.text.count("\n")) + 12
    return placed


def plain(*pages: list[Element | Text], outline: list[Bookmark], endless: bool = False) -> bytes:
    return structured(*pages, outline=outline, tagged=False, endless=endless)


CHAPTERS = [
    page("Where it begins", PARAGRAPH, "What comes then", PARAGRAPH, "A part of that", PARAGRAPH),
    page("How it ends", PARAGRAPH, PARAGRAPH),
]
OUTLINE = [
    Bookmark("Where it begins", 1),
    Bookmark("What comes then", 1),
    Bookmark("A part of that", 1, 1),
    Bookmark("How it ends", 2),
]


def headings(texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [each for each in texts if each[0].startswith("heading") or each[0] == "title"]


def test_entries_have_title_depth_and_page(tmp_path: Path) -> None:
    bookmarks = [Bookmark("One", 1), Bookmark("Two", 2, 1), Bookmark("", 1), Bookmark("Nowhere", 0), Bookmark("3", 2)]
    (tmp_path / "a.pdf").write_bytes(plain(page("a"), page("b"), outline=bookmarks))
    assert read_outline(tmp_path / "a.pdf") == [Entry("One", 0, 1), Entry("Two", 1, 2), Entry("3", 0, 2)]


def test_an_outline_that_goes_round_in_a_circle_ends(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(plain(*CHAPTERS, outline=OUTLINE, endless=True))
    assert [entry.title for entry in read_outline(tmp_path / "a.pdf")] == [bookmark.title for bookmark in OUTLINE]


def test_an_endless_outline_is_read_up_to_a_bound(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(plain(page("a"), outline=[Bookmark("Again", 1)] * 20_000))
    assert len(read_outline(tmp_path / "a.pdf")) == 5_000


def test_a_deep_outline_is_read_up_to_a_bound(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(plain(page("a"), outline=[Bookmark("Deeper", 1, depth) for depth in range(500)]))
    assert [entry.depth for entry in read_outline(tmp_path / "a.pdf")] == [*range(10)]


def test_headings_that_look_like_text_are_those_that_the_outline_names(assembled: Assembled) -> None:
    assert headings(assembled(plain(*CHAPTERS, outline=OUTLINE))) == [
        ("heading 1", "Where it begins"),
        ("heading 1", "What comes then"),
        ("heading 2", "A part of that"),
        ("heading 1", "How it ends"),
    ]
    assert headings(assembled(plain(*CHAPTERS, outline=[]))) == []


def test_numbers_case_and_spaces_make_no_difference(assembled: Assembled) -> None:
    body = page("1 Where it  begins", PARAGRAPH, "2.1. WHAT COMES", PARAGRAPH, "Chapter 3: A part", PARAGRAPH)
    outline = [Bookmark("Where it begins", 1), Bookmark("2.1 What comes", 1), Bookmark("3. A part", 1)]
    assert [text for _, text in headings(assembled(plain(body, outline=outline)))] == [
        "1 Where it begins",
        "2.1. WHAT COMES",
        "Chapter 3: A part",
    ]


def test_a_heading_in_two_blocks_is_one(assembled: Assembled) -> None:
    body = page(
        Text("Chapter 1", 0, size=14),
        Text("Where it begins", 0, size=20),
        PARAGRAPH,
        "What comes",
        PARAGRAPH,
        "A part",
        PARAGRAPH,
    )
    outline = [Bookmark("Where it begins", 1), Bookmark("What comes", 1, 1), Bookmark("A part", 1, 1)]
    assert "Chapter 1 Where it begins" in [text for _, text in headings(assembled(plain(body, outline=outline)))]


def test_a_heading_right_above_its_text_is_parted_from_it(assembled: Assembled) -> None:
    body = page(*(f"{bookmark.title}\n{PARAGRAPH}" for bookmark in OUTLINE[:3]))
    texts = assembled(plain(body, outline=OUTLINE[:3]))
    assert [text for _, text in headings(texts)] == [bookmark.title for bookmark in OUTLINE[:3]]
    assert [text for label, text in texts if label == "text"] == [PARAGRAPH.replace("\n", " ")] * 3


def test_signs_beside_a_heading_stay_beside_it(assembled: Assembled) -> None:
    body = page("* * *", "Where it begins", "* * *", "What comes then", PARAGRAPH, "A part of that", PARAGRAPH)
    assert [text for _, text in headings(assembled(plain(body, outline=OUTLINE[:3])))] == [
        bookmark.title for bookmark in OUTLINE[:3]
    ]


def test_a_title_that_is_the_first_entry_does_not_shift_the_others(assembled: Assembled) -> None:
    first = page(Text("The title of it all", 0, size=24), "Where it begins", PARAGRAPH, "What comes then", PARAGRAPH)
    outline = [Bookmark("The title of it all", 1), Bookmark("Where it begins", 1, 1), Bookmark("What comes then", 1, 1)]
    assert headings(assembled(plain(first, outline=outline))) == [
        ("title", "The title of it all"),
        ("heading 1", "Where it begins"),
        ("heading 1", "What comes then"),
    ]


def test_a_heading_that_is_not_in_the_outline_has_the_level_of_those_that_look_alike(assembled: Assembled) -> None:
    chapter, section = [Text(text, 0, size=16, bold=True) for text in ("One", "Two")], Text("", 0, size=13, bold=True)
    body = page(
        chapter[0],
        PARAGRAPH,
        section._replace(text="Told section"),
        PARAGRAPH,
        section._replace(text="Another section"),
        PARAGRAPH,
        chapter[1],
        PARAGRAPH,
    )
    outline = [Bookmark("One", 1), Bookmark("Told section", 1, 1), Bookmark("Two", 1)]
    assert headings(assembled(plain(body, outline=outline)))[1:3] == [
        ("heading 2", "Told section"),
        ("heading 2", "Another section"),
    ]


def test_headings_below_those_of_the_outline_are_deeper_by_their_size(assembled: Assembled) -> None:
    sizes = [(16.0, "One"), (14.0, "Below"), (12.5, "Deepest"), (16.0, "Two"), (14.0, "Again"), (16.0, "Three")]
    body = page(*(part for size, text in sizes for part in (Text(text, 0, size=size, bold=True), PARAGRAPH)), top=80)
    texts = headings(assembled(plain(body, outline=[Bookmark(text, 1) for text in ("One", "Two", "Three")])))
    assert [label for label, _ in texts] == [f"heading {level}" for level in (1, 2, 3, 1, 2, 1)]


def test_the_service_reads_the_outline_of_the_pages_that_it_converts(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(plain(*CHAPTERS, outline=OUTLINE))
    options = EngineOptions(page_range=(2, 2))
    document = GeometricEngine().convert(source, "a.pdf", options, lambda _done, _total: None, Help()).document
    assert [item.label.value for item in document.texts] == ["section_header", "text", "text"]


@pytest.mark.parametrize(
    "outline",
    [
        OUTLINE[:2],
        [Bookmark(f"Page {number}", 1) for number in (1, 2, 3)] + OUTLINE[:1],
        [*OUTLINE[:3], *(Bookmark(f"Another document's chapter, {letter}", 1) for letter in "abcd")],
        [Bookmark(bookmark.title, 2 if bookmark.page == 1 else 1) for bookmark in OUTLINE],
    ],
    ids=["two", "pages", "others", "elsewhere"],
)
def test_an_outline_that_does_not_fit_says_nothing(assembled: Assembled, outline: list[Bookmark]) -> None:
    assert headings(assembled(plain(*CHAPTERS, outline=outline))) == []


WORDS = st.sampled_from(
    [
        *"ivxlcda",
        "Chapter",
        "section",
        "Teil",
        "1",
        "2.",
        "3.1",
        "12",
        "IV",
        "iv.",
        ":",
        "-",
        "—",
        "(",
        "B.",
        "\u0308",
        "ﬁ",
    ]
)


@given(st.lists(st.lists(WORDS | st.text(max_size=4), max_size=4).map(" ".join), min_size=1, max_size=5))
@example(["Chapter", "3 How it ends"])
@example(["3", ".", "How it ends"])
@example(["How", "it", "ends"])
def test_the_first_lines_of_a_title_never_rule_out_what_it_comes_to(lines: list[str]) -> None:
    key = _key(" ".join(lines))
    for count in range(1, len(lines)):
        begun = " ".join(lines[:count])
        assert _may_become(begun, _key(begun), {key})


def test_blocks_that_begin_like_no_title_are_looked_at_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[str]()

    def noting(text: str) -> str:
        seen.append(text)
        return _key(text)

    monkeypatch.setattr(outline, "_key", noting)

    def block(*texts: str) -> Block:
        return Block(1, [Line(text, 0, 0, 9, 9, 9, 0, 9) for text in texts], (0, 9))

    others = [block(*(f"line {number} of it" for number in range(5))) for _ in range(20)]
    places = outline._places([*others, block("How it", "ends")], {1: {"howitends"}})
    assert [place.start for place in places[1, "howitends"]] == [20]
    assert seen == ["line 0 of it"] * 20 + ["How it", "How it ends"]
