"""Pictures: bitmaps and drawings, with the labels inside of them."""

from tests.support.pages import Sheet, all_words, assembled, items, prose


def framed(top: float = 250) -> tuple[Sheet, float]:
    """Return a page with text above and below a free place, and where that begins."""
    sheet = Sheet()
    column = sheet.column(72, 72, 468)
    for at in range(2):
        column.put(prose(8, at))
    below = sheet.column(72, top + 220, 468)
    below.put(prose(8, 3))
    return sheet, top


def test_a_bitmap_is_a_picture_between_the_text_around_it() -> None:
    sheet, top = framed()
    sheet.image(150, top, 450, top + 180)
    document = assembled(sheet)
    assert items(document) == [prose(8), prose(8, 1), "", prose(8, 3)]
    box = document.pictures[0].prov[0].bbox
    assert (box.l, box.t, box.r, box.b) == (150, 792 - top, 450, 792 - top - 180)


def test_bitmaps_beside_each_other_are_one_picture_and_far_ones_two() -> None:
    sheet, top = framed()
    sheet.image(100, top, 200, top + 80)
    sheet.image(203, top, 303, top + 80)
    sheet.image(400, top, 500, top + 80)
    assert len(assembled(sheet).pictures) == 2


def test_labels_of_a_drawing_are_in_it() -> None:
    sheet, top = framed()
    for at in range(4):
        sheet.shape(120 + 80 * at, top + 20, 180 + 80 * at, top + 150)
        sheet.rule(120, top + 30 * at + 10, 440)
        sheet.text(f"label{at}", 125 + 80 * at, top + 155, size=7, font="Sans")
    document = assembled(sheet)
    (picture,) = document.pictures
    inside = [item.text for item in document.texts if item.parent == picture.get_ref()]
    assert " ".join(inside).split() == [f"label{at}" for at in range(4)]
    assert items(document, "text") == [prose(8), prose(8, 1), prose(8, 3)]


def test_a_background_under_text_is_no_picture() -> None:
    sheet, _ = framed()
    sheet.image(0, 0, 612, 792)
    document = assembled(sheet)
    assert document.pictures == []
    assert items(document) == [prose(8), prose(8, 1), prose(8, 3)]


def test_a_filled_box_under_text_is_no_picture() -> None:
    sheet = Sheet()
    sheet.shape(60, 60, 552, 400, 0xEEEEEE)
    column = sheet.column(72, 72, 468)
    for at in range(4):
        column.put(prose(8, at))
    document = assembled(sheet)
    assert document.pictures == []
    assert items(document) == [prose(8, at) for at in range(4)]


def test_small_ornaments_are_no_pictures() -> None:
    sheet, top = framed()
    sheet.image(300, top, 310, top + 8)
    sheet.shape(300, top + 40, 312, top + 52)
    assert assembled(sheet).pictures == []


def test_rules_alone_are_no_picture() -> None:
    sheet, top = framed()
    for at in range(6):
        sheet.rule(72, top + 30 * at, 540)
    assert assembled(sheet).pictures == []


def test_a_page_that_is_one_bitmap_is_one_picture() -> None:
    sheet = Sheet()
    sheet.image(0, 0, 612, 792)
    assert len(assembled(sheet).pictures) == 1


def test_a_picture_in_one_of_two_columns_stands_in_its_order() -> None:
    sheet = Sheet()
    left, right = sheet.column(72, 72, 222), sheet.column(318, 72, 222)
    left.put(prose(6))
    sheet.image(72, left.top, 294, left.top + 100)
    left.skip(110)
    left.put(prose(6, 1))
    right.put(prose(6, 2))
    right.put(prose(6, 3))
    assert items(assembled(sheet)) == [prose(6), "", prose(6, 1), prose(6, 2), prose(6, 3)]


def test_words_in_pictures_are_kept() -> None:
    sheet, top = framed()
    sheet.image(150, top, 450, top + 180)
    sheet.text("On the picture", 200, top + 60, size=8)
    assert {"On", "the", "picture"} <= set(all_words(assembled(sheet)))
