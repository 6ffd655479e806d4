"""What is not set as running text is: initials, notes on the margin, names with their values, short captions."""

import pytest

from tests.support.pages import Sheet, assembled, items, prose


def test_an_initial_belongs_to_the_word_after_it() -> None:
    sheet = Sheet()
    sheet.text("T", 72, 100, 30, size=34)
    sheet.text("he river carried small boats past the villages of the plain and", 98, 104, 420)
    sheet.text("past the mills, and nobody who lived there could tell how many there", 98, 116, 420)
    sheet.text("had been before the bridge was built, or who had rowed them.", 98, 128, 420)
    sheet.column(72, 170, 440).put(prose(8))
    found = items(assembled(sheet))
    assert found[0].startswith("The river carried small boats")
    assert found[0].endswith("who had rowed them.")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_note_on_the_margin_does_not_part_the_text_beside_it(count: int) -> None:
    sheet = Sheet()
    sheet.column(180, 72, 360).put(prose(20))
    sheet.text("\n".join(["a note aside"] * count), 60, 110, 100, size=8)
    found = items(assembled(sheet))
    text = " ".join(prose(20).split())
    assert [item for item in found if "river" in item] == [text]
    assert sum(item.count("a note aside") for item in found) == count


def test_names_with_their_values_are_a_paragraph_each() -> None:
    sheet = Sheet()
    for index, (name, value) in enumerate(
        [("Born:", "1 March 1900"), ("Trade:", "Builder of boats"), ("Town:", "Riverside")]
    ):
        sheet.text(name, 72, 100 + 12 * index, 60)
        sheet.text(value, 180, 100 + 12 * index, 200)
    sheet.column(72, 160, 440).put(prose(8))
    assert items(assembled(sheet, tables=False))[:3] == [
        "Born: 1 March 1900",
        "Trade: Builder of boats",
        "Town: Riverside",
    ]


@pytest.mark.parametrize("left", [72, 200])
def test_a_short_caption_is_its_figures_and_no_label_of_it(left: float) -> None:
    sheet = Sheet()
    sheet.column(72, 72, 468).put(prose(8))
    sheet.image(200, 250, 420, 380)
    sheet.text("Figure 1: A boat.", left, 385, 120, size=9)
    sheet.column(72, 430, 468).put(prose(8, 1))
    document = assembled(sheet)
    [picture] = document.pictures
    assert picture.caption_text(document) == "Figure 1: A boat."


def test_three_narrow_columns_whose_baselines_agree_are_read_one_by_one() -> None:
    sheet = Sheet()
    for column in range(3):
        sheet.column(60 + 165 * column, 72, 150).put(prose(24, column))
    found = " ".join(items(assembled(sheet)))
    assert found == " ".join(prose(24, column) for column in range(3))


def test_what_stands_below_columns_and_is_wider_is_read_after_them() -> None:
    sheet = Sheet()
    for column in range(3):
        sheet.column(60 + 165 * column, 72, 150).put(prose(12, column))
    sheet.text(prose(6, 4), 60, 460, 300)
    assert items(assembled(sheet))[-1] == prose(6, 4)


def test_side_heads_are_read_before_the_text_that_they_head() -> None:
    sheet = Sheet()
    for at in range(3):
        sheet.text(f"Head {at}", 60, 72 + 150 * at, 90, bold=True)
        sheet.column(180, 72 + 150 * at, 360).put(prose(8, at))
    found = items(assembled(sheet))
    assert [text for text in found if text.startswith("Head")] == ["Head 0", "Head 1", "Head 2"]
    assert found.index("Head 1") == found.index("Head 0") + 2
