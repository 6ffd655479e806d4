"""A document that is read in parts is the one that is read at once, wherever it is parted."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from docling_core.types.doc import DoclingDocument
from hypothesis import given, settings, strategies as st

from docrefinery.engine.base import EngineOptions, EngineResult, Help
from docrefinery.engine.geometric.layout.figures import Figure
from docrefinery.engine.geometric.ranges import BadPages, Failure, PageRange, decode, encode, joined
from docrefinery.engine.geometric_engine import GeometricEngine
from docrefinery.engine.preflight import Pages
from docrefinery.errors import ConversionFailed
from docrefinery.model import PAGES_TOGETHER
from docrefinery.pipeline.beside import Beside
from docrefinery.pipeline.parting import ranges
from tests.support import pdfs
from tests.support.structured import Bookmark, Text, structured

REPORT = Path("tests/data/harbour-report.pdf")
PAGES = 9
ENGINE = GeometricEngine()


def across_pages() -> bytes:
    """Return pages with what knows no page: running heads, headings by size, a list, and sentences that go on."""
    pages = []
    for number in range(1, PAGES + 1):
        page = [Text("The annual report of the harbour", 30, size=8), Text(f"Page {number} of {PAGES}", 810, size=8)]
        if number % 3 == 1:
            page.append(Text(f"{number}. A chapter that begins here", 80, size=18, bold=True))
        page += [Text(f"and what began on a page before goes on with {number} and", 120 + 14 * n) for n in range(3)]
        page += [Text(f"{4 * number + n}. an item of a long list", 220 + 16 * n, left=90) for n in range(4)]
        page += [Text(f"A sentence that does not end on the page {number} but", 700 + 14 * n) for n in range(2)]
        pages.append(page)
    chapters = [Bookmark(f"{number}. A chapter that begins here", number) for number in (1, 4, 7)]
    return structured(*pages, outline=chapters, tagged=False)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    made = {"across": across_pages(), "broken": pdfs.broken_page(5), "figures": pdfs.with_figure()}
    for name, content in made.items():
        folder.joinpath(name).write_bytes(content)
    return {"report": REPORT, **{name: folder / name for name in made}}


def at_once(source: Path, options: EngineOptions) -> EngineResult:
    return ENGINE.convert(source, "a.pdf", options, lambda _done, _total: None, Help())


def in_parts(source: Path, parts: Sequence[tuple[int, int]], options: EngineOptions, folder: Path) -> EngineResult:
    files = {}
    for first, last in parts:
        pages = Pages(last, first, last)
        files[first, last] = folder / f"{first}-{last}"
        files[first, last].write_bytes(ENGINE.read_pages(source, pages, options, lambda _done, _total: None, Help()))
    return ENGINE.put_together(source, "a.pdf", options, files, Beside(1), Help())


def same(one: EngineResult, other: EngineResult) -> bool:
    assert is_valid(one.document)
    documents = [result.document.model_dump_json(by_alias=True, exclude_none=True) for result in (one, other)]
    rest = [
        (result.page_count, result.pages_total, result.failed_pages, result.warnings, result.engine)
        for result in (one, other)
    ]
    return documents[0] == documents[1] and rest[0] == rest[1]


def is_valid(document: DoclingDocument) -> bool:
    """Whether Docling has nothing to mend of it as it reads it, which exporters rely on."""
    as_it_is = document.model_dump_json()
    return DoclingDocument.model_validate(document).model_dump_json() == as_it_is


def parted(first: int, last: int, cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    ends = [*sorted({cut for cut in cuts if first <= cut < last}), last]
    return ((before + 1, end) for before, end in itertools.pairwise([first - 1, *ends]))


@settings(max_examples=12, deadline=None)
@given(cuts=st.sets(st.integers(1, PAGES), min_size=1))
def test_lists_headings_and_sentences_across_a_cut_are_as_in_a_single_run(
    sources: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, cuts: set[int]
) -> None:
    options, folder = EngineOptions(do_table_structure=True), tmp_path_factory.mktemp("parts")
    parts = list(parted(1, PAGES, sorted(cuts)))
    assert same(at_once(sources["across"], options), in_parts(sources["across"], parts, options, folder))


@pytest.mark.parametrize("name", ["report", "broken", "figures"])
def test_tables_failed_pages_and_pictures_are_as_in_a_single_run_if_every_page_is_read_alone(
    sources: dict[str, Path], tmp_path: Path, name: str
) -> None:
    options = EngineOptions(do_table_structure=True, generate_picture_images=True)
    whole = at_once(sources[name], options)
    parts = parted(1, whole.page_count, range(whole.page_count))
    assert same(whole, in_parts(sources[name], list(parts), options, tmp_path))
    assert bool(whole.failed_pages) == (name == "broken")
    assert any(picture.image for picture in whole.document.pictures) == (name != "broken")


def test_a_page_range_is_parted_as_the_whole_is(sources: dict[str, Path], tmp_path: Path) -> None:
    options = EngineOptions(page_range=(3, 7))
    parts = [(3, 4), (5, 7)]
    assert same(at_once(sources["across"], options), in_parts(sources["across"], parts, options, tmp_path))


def test_pages_that_are_missing_may_not_be_missing_where_none_may(sources: dict[str, Path], tmp_path: Path) -> None:
    options = EngineOptions(fail_on_partial=True)
    with pytest.raises(ConversionFailed, match="1 of 5 pages"):
        in_parts(sources["broken"], [(1, 2), (3, 5)], options, tmp_path)


def test_reasons_come_in_the_order_of_a_single_run() -> None:
    first = PageRange(1, 8, [], [Failure(2, "unread", 0), Failure(3, "unrecognised", 1)])
    second = PageRange(9, 16, [], [Failure(9, "unread too", 0), Failure(10, "not laid out", 2)])
    reasons = [failure.reason for failure in joined([second, first]).failures]
    assert reasons == ["unread", "unread too", "unrecognised", "not laid out"]


def test_languages_and_scripts_come_in_the_order_of_pages() -> None:
    first = PageRange(1, 8, [], ocr={"ocr": "t 5", "ocr_languages": "eng+deu"}, unread_scripts={"Grek": [2]})
    second = PageRange(
        9, 16, [], ocr={"ocr": "t 5", "ocr_languages": "fra+eng"}, unread_scripts={"Arab": [9], "Grek": [9]}
    )
    both = joined([second, first])
    assert both.ocr == {"ocr": "t 5", "ocr_languages": "eng+deu+fra"}
    assert both.unread_scripts == {"Grek": [2, 9], "Arab": [9]}


@given(first=st.integers(1, 40), more=st.integers(0, 5000), recognises=st.booleans())
def test_parts_cover_every_page_once_and_part_no_pages_that_belong_together(
    first: int, more: int, recognises: bool
) -> None:
    parts = list(ranges(first, first + more, recognises=recognises))
    pages = [page for begin, end in parts for page in range(begin, end + 1)]
    assert pages == list(range(first, first + more + 1))
    assert all((begin - 1) % PAGES_TOGETHER == 0 for begin, _ in parts[1:])


@pytest.fixture(scope="module")
def read(sources: dict[str, Path]) -> bytes:
    options = EngineOptions(do_table_structure=True)
    return ENGINE.read_pages(sources["report"], Pages(9, 1, 1), options, lambda _done, _total: None, Help())


@given(data=st.data())
def test_bytes_that_are_no_pages_are_refused_and_nothing_worse(read: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(read) - 1))
    spoilt = read[:at] + data.draw(st.binary(max_size=4)) + read[at + data.draw(st.integers(0, 4)) :]
    try:
        pages = decode(spoilt, 1, 1)
    except BadPages:
        return
    assert {layout.number for layout in pages.layouts} <= {1}


def test_pages_that_refer_to_what_is_not_there_are_refused(read: bytes) -> None:
    pages = decode(read, 1, 1)
    with pytest.raises(BadPages, match="not the pages 2 to 2"):
        decode(read, 2, 2)
    with pytest.raises(BadPages, match="not the pages 1 to 1"):
        decode(encode(msgspec.structs.replace(pages, failures=[Failure(7, "", 0)])), 1, 1)
    with pytest.raises(BadPages, match="come twice"):
        decode(encode(msgspec.structs.replace(pages, layouts=pages.layouts * 2)), 1, 1)
    layout = pages.layouts[0]
    line, nan = layout.lines[0], float("nan")
    stray = msgspec.structs.replace(line, style=len(layout.styles))
    far = msgspec.structs.replace(line, top=float("inf"), bottom=float("-inf"))
    for changed, message in (
        (msgspec.structs.replace(layout, styles=[]), "style"),
        (msgspec.structs.replace(layout, aside=[stray]), "style"),
        (msgspec.structs.replace(layout, columns=[[Figure(0, 0, 1, 1, [stray])]]), "style"),
        (msgspec.structs.replace(layout, columns=[[far]]), "place"),
        (msgspec.structs.replace(layout, columns=[[Figure(0, nan, 1, 1)]]), "place"),
        (msgspec.structs.replace(layout, aside=[far]), "place"),
        (msgspec.structs.replace(layout, width=nan), "measures"),
    ):
        with pytest.raises(BadPages, match=message):
            decode(encode(msgspec.structs.replace(pages, layouts=[changed])), 1, 1)
