"""Where tags go."""

from docrefinery.engine.debugging.tags import Rectangle, place_tags

SHEET = (400, 400)
SIZE = (30, 15)


def test_a_tag_is_left_of_its_box() -> None:
    assert place_tags([(100, 100, 200, 150)], [SIZE], SHEET) == [(70, 100, 100, 115)]


def test_it_is_right_of_it_where_a_neighbour_is_in_the_way() -> None:
    boxes: list[Rectangle] = [(0, 100, 95, 150), (100, 100, 200, 150)]
    assert place_tags(boxes, [SIZE, SIZE], SHEET)[1] == (200, 100, 230, 115)


def test_tags_of_one_place_do_not_hide_each_other() -> None:
    first, second, third = place_tags([(100, 100, 200, 150)] * 3, [SIZE] * 3, SHEET)
    assert len({first, second, third}) == 3


def test_no_tag_sticks_out_of_the_picture() -> None:
    for box in [(0, 0, 400, 400), (390, 395, 500, 500), (-50, -50, 10, 10)]:
        ((left, top, right, bottom),) = place_tags([box], [SIZE], SHEET)
        assert left >= 0
        assert top >= 0
        assert right <= 400
        assert bottom <= 400
