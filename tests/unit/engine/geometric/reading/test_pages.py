"""Reading many pages: which, and by how many processes."""

from pathlib import Path

import pypdfium2
import pytest

from docrefinery.engine.geometric import encode, read
from tests.support import pdfs
from tests.support.drawn import words_of


@pytest.fixture
def book(tmp_path: Path) -> Path:
    source = tmp_path / "book.pdf"
    source.write_bytes(pdfs.born_digital(20, text="Some words.\nAnd some more."))
    return source


def test_pages_come_in_their_order(book: Path) -> None:
    layouts = list(read(book))
    assert [layout.number for layout in layouts] == list(range(1, 21))
    assert [words_of(layout)[:2] for layout in layouts] == [["Page", str(number)] for number in range(1, 21)]


def test_only_pages_that_are_asked_for_are_read(book: Path) -> None:
    assert [layout.number for layout in read(book, [3, 17, 5])] == [3, 17, 5]


def test_several_processes_read_the_same_as_one(book: Path) -> None:
    assert list(map(encode, read(book, processes=2))) == list(map(encode, read(book)))


def test_pages_are_read_one_by_one(book: Path) -> None:
    """A page is there before the next one is looked for."""
    layouts = read(book, [1, 99])
    assert next(layouts).number == 1
    with pytest.raises((IndexError, pypdfium2.PdfiumError)):
        next(layouts)


def test_a_file_that_is_no_pdf_says_so(tmp_path: Path) -> None:
    source = tmp_path / "no.pdf"
    source.write_bytes(b"no PDF at all")
    with pytest.raises(pypdfium2.PdfiumError):
        list(read(source))
