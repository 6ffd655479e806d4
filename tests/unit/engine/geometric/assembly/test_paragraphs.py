"""Where paragraphs begin and end, and where they go on."""

import pytest

from tests.support.pages import Align, Sheet, assembled, items, prose


def long(start: int) -> str:
    return f"Paragraph {start}: {prose(5, start)}"


@pytest.mark.parametrize("leading", [10.5, 12, 15, 20], ids=["solid", "usual", "loose", "double spaced"])
def test_space_between_them_parts_paragraphs_whatever_the_leading(leading: float) -> None:
    sheet = Sheet()
    column = sheet.column(72, 60, 300, leading=leading)
    expected = [long(at) for at in range(4)]
    for text in expected:
        column.put(text, space=0.6 * leading)
    assert items(assembled(sheet)) == expected


def test_indents_part_paragraphs() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 400)
    expected = [long(at) for at in range(6)]
    for text in expected:
        column.put(text, space=0, indent=15)
    assert items(assembled(sheet)) == expected


@pytest.mark.parametrize("align", ["left", "justified"])
def test_space_parts_paragraphs_whether_ragged_or_not(align: Align) -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 330)
    expected = [long(at) for at in range(6)]
    for text in expected:
        column.put(text, align=align, space=7)
    assert items(assembled(sheet)) == expected


def test_a_larger_quotation_is_none_of_the_text() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 400)
    column.put(long(0), space=2)
    column.put("What is written larger stands by itself, it is said", size=13, space=2)
    column.put(long(1))
    found = items(assembled(sheet))
    assert found[0] == long(0)
    assert found[-1] == long(1)


@pytest.mark.parametrize(
    ("elsewhere", "broken", "expected"),
    [
        ("Nothing of the kind stands here, nor anywhere else on it.", "well-\nknown", "a wellknown matter"),
        ("This matter is well-known here, as was said before it.", "well-\nknown", "a well-known matter"),
        ("This matter is wellknown here, as was said before it.", "well-\nknown", "a wellknown matter"),
        ("It is well-known, though not wellknown to all of them.", "well-\nknown", "a wellknown matter"),
        ("This is an out-of-date matter, as was said before it.", "out-\nof-date", "a out-of-date matter"),
        ("This is an outof-date matter, as was said before it.", "out-\nof-date", "a outof-date matter"),
    ],
    ids=["nowhere", "with its hyphen", "without it", "both", "with both of its hyphens", "with the second one"],
)
def test_a_hyphen_at_a_lines_end_stays_if_the_document_writes_the_word_with_it_alone(
    elsewhere: str, broken: str, expected: str
) -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 300)
    column.put(elsewhere)
    column.put(f"Whoever asks will hear that it is only a {broken} matter of taste and of habit.")
    assert expected in items(assembled(sheet))[-1]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("and they all came from New-", "York that year to see it", "New-York"),
        ("between the years of 1990-", "2000 it was much the same", "1990-2000"),
        ("a soft one is never shown\u00ad", "able to anybody who reads", "shownable"),
    ],
    ids=["before a capital", "between numbers", "soft"],
)
def test_other_hyphens(first: str, second: str, expected: str) -> None:
    sheet = Sheet()
    sheet.text(f"It is told here that so it was\n{first}\n{second}", 72, 72, 200)
    (text,) = items(assembled(sheet))
    assert expected in text.replace("- ", "-")


def halves() -> tuple[str, str]:
    words = long(3).split()
    return " ".join(words[:20]), " ".join(words[20:])


def full_column(sheet: Sheet, left: float, width: float, first: int) -> list[str]:
    column = sheet.column(left, 72, width)
    texts = [long(first + at) for at in range(3)]
    for text in texts:
        column.put(text)
    return texts


def test_a_paragraph_goes_on_in_the_next_column() -> None:
    sheet = Sheet()
    before, after = halves()
    left, right = sheet.column(72, 72, 222), sheet.column(318, 72, 222)
    for at in (0, 1):
        left.put(long(at))
    left.put(before)
    right.put(after)
    for at in (4, 5):
        right.put(long(at))
    document = assembled(sheet)
    assert items(document) == [long(0), long(1), f"{before} {after}", long(4), long(5)]
    assert len(document.texts[2].prov) == 2


def test_a_paragraph_goes_on_on_the_next_page() -> None:
    before, after = halves()
    first, second = Sheet(1), Sheet(2)
    for sheet, texts in ((first, [long(0), before]), (second, [after, long(5)])):
        column = sheet.column(72, 72, 400)
        for text in texts:
            column.put(text)
    document = assembled(first, second)
    assert items(document) == [long(0), f"{before} {after}", long(5)]
    assert [place.page_no for place in document.texts[1].prov] == [1, 2]


def test_a_word_broken_between_pages_is_mended() -> None:
    first, second = Sheet(1), Sheet(2)
    for sheet, texts in ((first, [long(0), "What stands at the end of it is bro-"]), (second, ["ken there.", long(1)])):
        column = sheet.column(72, 72, 400)
        for text in texts:
            column.put(text)
    assert "What stands at the end of it is broken there." in items(assembled(first, second))


def test_a_word_broken_between_columns_is_mended() -> None:
    sheet = Sheet()
    left, right = sheet.column(72, 72, 222), sheet.column(318, 72, 222)
    left.put(long(0))
    left.put("What stands at the end of this column is bro-")
    right.put("ken there, and here it goes on until it has come to its end.")
    right.put(long(1))
    expected = (
        "What stands at the end of this column is broken there, and here it goes on until it has come to its end."
    )
    assert items(assembled(sheet)) == [long(0), expected, long(1)]


def test_a_word_broken_before_a_figure_is_mended_behind_it() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 300)
    column.put("What stands above the figure is bro-")
    sheet.image(72, column.top, 372, column.top + 120)
    column.skip(130)
    column.put("ken there, and here it goes on.")
    assert items(assembled(sheet), "text") == ["What stands above the figure is broken there, and here it goes on."]


def test_a_paragraph_that_ends_does_not_go_on() -> None:
    first, second = Sheet(1), Sheet(2)
    first.column(72, 72, 400).put(long(0))
    second.column(72, 72, 400).put(long(1))
    assert items(assembled(first, second)) == [long(0), long(1)]


def test_a_paragraph_goes_on_behind_a_figure() -> None:
    sheet = Sheet()
    before, after = halves()
    column = sheet.column(72, 72, 300)
    column.put(long(0))
    column.put(before)
    sheet.image(72, column.top, 372, column.top + 120)
    column.skip(130)
    column.put(after)
    column.put(long(1))
    assert items(assembled(sheet)) == [long(0), f"{before} {after}", "", long(1)]


def test_a_paragraph_passes_over_a_footnote() -> None:
    sheet = Sheet()
    before, after = halves()
    left, right = sheet.column(72, 72, 222), sheet.column(318, 72, 222)
    for at in (0, 1, 2):
        left.put(long(at))
    left.put(before, space=18)
    sheet.rule(72, left.top - 6, 150)
    left.put("1 A note at the foot of the left column that is small.", size=7.5)
    right.put(after)
    for at in (4, 5):
        right.put(long(at))
    document = assembled(sheet)
    assert items(document, "text") == [long(0), long(1), long(2), f"{before} {after}", long(4), long(5)]
    assert items(document, "footnote") == ["1 A note at the foot of the left column that is small."]


def test_a_paragraph_passes_over_headers_and_footers() -> None:
    sheets = []
    texts = [halves()[0], halves()[1]]
    for number in (1, 2):
        sheet = Sheet(number)
        sheet.text("Report of the river commission", 72, 30, size=8)
        column = sheet.column(72, 72, 400)
        if number == 2:
            column.put(texts[1])
        for at in range(3):
            column.put(long(10 * number + at))
        if number == 1:
            column.put(texts[0])
        sheet.text(str(number), 300, 760, size=8)
        sheets.append(sheet)
    document = assembled(*sheets)
    assert " ".join(texts) in items(document)
    assert not any("commission" in text for text in items(document))


def test_the_lines_of_a_letters_head_are_lines() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put("Anna Berg\nRiver Street 1\n12345 Riverside", space=30)
    for text in ("Dear Karl,", long(0), "Yours sincerely,", "Anna Berg"):
        column.put(text, space=20)
    expected = [
        "Anna Berg",
        "River Street 1",
        "12345 Riverside",
        "Dear Karl,",
        long(0),
        "Yours sincerely,",
        "Anna Berg",
    ]
    assert items(assembled(sheet)) == expected


def test_an_equation_is_set_off_from_the_text_around_it_and_keeps_its_number() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    column.put(long(0))
    sheet.text("x = y + z", 250, column.top, italic=True)
    sheet.text("(1)", 520, column.top)
    column.skip(22)
    column.put(long(1))
    assert items(assembled(sheet)) == [long(0), "x = y + z (1)", long(1)]


def test_centred_lines_are_one_paragraph() -> None:
    sheet = Sheet()
    column = sheet.column(72, 72, 400)
    column.put(long(0))
    column.put("As the old song says of it\nall things flow and none of them\nis what it was", align="centred")
    column.put(long(1))
    expected = "As the old song says of it all things flow and none of them is what it was"
    assert items(assembled(sheet)) == [long(0), expected, long(1)]


@pytest.mark.parametrize(
    ("written", "read"),
    [("e\ufb03cient \ufb01nds", "efficient finds"), ("𠀋 and 😀", "𠀋 and 😀"), ("zero\u200bwidth", "zerowidth")],
    ids=["ligatures", "beyond the basic plane", "zero width"],
)
def test_letters(written: str, read: str) -> None:
    sheet = Sheet()
    sheet.text(f"There stands {written} among it.", 72, 72)
    assert items(assembled(sheet)) == [f"There stands {read} among it."]


def test_lines_of_ideographs_are_joined_without_a_space() -> None:
    sheet = Sheet()
    line = "河流带着小船经过许多村庄人们种植小麦养蜂"
    sheet.text(f"{line}\n{line}", 72, 72, 220)
    assert items(assembled(sheet)) == [line + line]
