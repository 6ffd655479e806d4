"""Reading order of lines that stand anywhere."""

import dataclasses

from hypothesis import given, strategies as st

from docrefinery.engine.lines import Line
from docrefinery.engine.ocr.order import reading_order


def line(text: str, left: float, top: float, width: float = 200, height: float = 10) -> Line:
    return Line(text, left, top, left + width, top + height)


def test_columns_are_read_one_after_the_other_under_what_stands_above_them() -> None:
    title = line("title", 50, 20, width=450)
    left = [line(f"l{i}", 50, 60 + 14 * i) for i in range(6)]
    right = [line(f"r{i}", 300, 60 + 14 * i) for i in range(6)]
    mixed = [title, *(part for pair in zip(left, right, strict=True) for part in pair)]
    assert [each.text for each in reading_order(mixed)] == [
        "title",
        *(f"l{i}" for i in range(6)),
        *(f"r{i}" for i in range(6)),
    ]


def test_rows_of_a_small_table_stay_together() -> None:
    cells = [line(f"{row}{column}", 50 + 120 * column, 20 * row, width=60) for row in range(2) for column in range(3)]
    assert [each.text for each in reading_order(cells[::-1])] == ["00", "01", "02", "10", "11", "12"]


boxes = st.lists(
    st.builds(line, st.just("x"), st.integers(0, 600), st.integers(0, 800), st.integers(1, 600), st.integers(1, 40)),
    max_size=60,
)


@given(boxes)
def test_no_line_is_lost_and_none_comes_twice(lines: list[Line]) -> None:
    numbered = [dataclasses.replace(each, text=str(i)) for i, each in enumerate(lines)]
    assert sorted(int(each.text) for each in reading_order(numbered)) == list(range(len(lines)))
