from hypothesis import given, strategies as st

from docrefinery.engine.lines import HYPHEN, Line
from docrefinery.engine.paragraphs import paragraphs


def line(text: str, row: int, left: float = 0, right: float = 100) -> Line:
    return Line(text, left, row * 12, right, row * 12 + 10)


def joined(*lines: Line) -> list[str]:
    return [paragraph.text for paragraph in paragraphs(lines)]


def test_close_lines_are_joined_and_their_boxes_too() -> None:
    (paragraph,) = paragraphs([line("one", 0), line("two", 1, right=80)])
    assert paragraph == Line("one two", 0, 0, 100, 22)


def test_a_hyphen_at_the_end_of_a_line_goes() -> None:
    assert joined(line(f"estab{HYPHEN}", 0), line("lished", 1)) == ["established"]


def test_a_gap_an_indent_and_a_short_line_part_paragraphs() -> None:
    assert joined(line("a", 0), line("b", 2)) == ["a", "b"]
    assert joined(line("a", 0), line("b", 1, left=15)) == ["a", "b"]
    assert joined(line("a", 0), line("b", 1, right=40), line("c", 2)) == ["a b", "c"]


def test_other_columns_and_other_sizes_stay_apart() -> None:
    assert joined(line("a", 0), line("b", 0, left=120, right=220)) == ["a", "b"]
    assert joined(line("a", 0), Line("b", 0, 12, 100, 40)) == ["a", "b"]


def test_what_cannot_be_written_is_left_out() -> None:
    assert joined(line("a\x00b\x1b \ud800 c", 0)) == ["ab \ufffd c"]
    assert joined(line("\x00 ", 0)) == []


LINES = st.lists(
    st.builds(
        line,
        st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=12).filter(str.strip),
        st.integers(0, 8),
        st.integers(0, 50),
        st.integers(51, 200),
    ),
    max_size=12,
)


@given(LINES)
def test_no_word_is_lost_and_none_moves(lines: list[Line]) -> None:
    def letters(texts: list[str]) -> str:
        return "".join("".join(texts).replace(HYPHEN, "").replace("\uffff", "").split())

    assert letters(joined(*lines)) == letters([item.text for item in lines])
