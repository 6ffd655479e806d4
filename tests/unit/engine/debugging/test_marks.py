"""What is to be drawn of a document."""

from docling_core.types.doc import BoundingBox, CoordOrigin, DocItemLabel, ProvenanceItem

from docrefinery.engine.debugging.marks import marks_of
from tests.support.documents import HEIGHT, empty, place, with_everything


def test_the_body_is_numbered_in_reading_order_and_tags_tell_level_depth_and_part() -> None:
    marks = marks_of(with_everything())
    assert [mark.tag for mark in marks[1]] == [
        "header", "1  title", "2  h2", "3  li1", "4  li2", "5  table", "6  pic", "", "7  p",
    ]  # fmt: skip
    assert [mark.tag for mark in marks[2]] == ["7  p (part 2)", "8  code"]
    assert [mark.number for mark in marks[1]] == [None, 1, 2, 3, 4, 5, 6, None, 7]


def test_boxes_are_measured_from_the_top_whatever_the_documents_origin_is() -> None:
    document = empty()
    document.add_text(DocItemLabel.TEXT, "a", prov=place(10, 20, 30, 40))
    downwards = BoundingBox(l=10, t=20, r=30, b=40, coord_origin=CoordOrigin.TOPLEFT)
    document.add_text(DocItemLabel.TEXT, "b", prov=ProvenanceItem(page_no=1, bbox=downwards, charspan=(0, 1)))
    assert [mark.box for mark in marks_of(document)[1]] == [(10, 20, 30, 40)] * 2


def test_a_table_has_its_cells_with_the_header_marked() -> None:
    (table,) = [mark for mark in marks_of(with_everything())[1] if mark.cells]
    assert table.cells == (((100, 200, 300, 250), True), ((100, 250, 300, 300), False))


def test_a_caption_of_a_picture_is_numbered_and_text_in_it_is_not() -> None:
    document = empty()
    caption = document.add_text(DocItemLabel.CAPTION, "Figure 1", prov=place(10, 70, 90, 80))
    picture = document.add_picture(caption=caption, prov=place(10, 10, 90, 60))
    document.add_text(DocItemLabel.TEXT, "axis", parent=picture, prov=place(20, 20, 30, 30))
    found = {mark.kind.name: mark.number for mark in marks_of(document)[1]}
    assert sorted(found) == ["caption", "picture", "text in a picture"]
    assert found["text in a picture"] is None
    assert found["caption"] is not None


def test_places_on_pages_that_the_document_does_not_have_are_left_out() -> None:
    document = empty()
    document.add_text(DocItemLabel.TEXT, "a", prov=place(0, 0, 9, HEIGHT, page=7))
    assert marks_of(document) == {1: []}
