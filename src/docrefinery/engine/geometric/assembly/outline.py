"""Headings that the outline (the bookmarks) names: where each entry's title stands on the page it leads to."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from typing import NamedTuple

from docrefinery.engine.geometric.assembly.blocks import Block
from docrefinery.engine.geometric.layout.names import CAPTION
from docrefinery.engine.geometric.model import Entry

_FEWEST = 3
_MOSTLY = 0.5
_MOST_BLOCKS = 3
_MOST_LINES = 6
_SHORTEST = 3
"""In letters: a shorter title is no heading's if text goes on after it."""
_ALIKE = 0.9
"""Size of a bare number before a heading, at least, in that of the heading: a page's number is smaller."""
_NO_NAME = re.compile(r"(?:(?:page|slide|sheet|folie|seite|diapositiv[ae]|p\.)\s*)?[\d\W_]*", re.IGNORECASE)
_NAMED = "chapter|section|part|appendix|annex|kapitel|abschnitt|teil|anhang|chapitre|partie"
_NUMBER = re.compile(
    rf"\W*(?:(?:{_NAMED})\s+)?"
    r"(?:\d{1,3}(?:\.\d{1,3})*|[a-z](?:\.\d{1,3})+|[ivxlc]{1,7}(?=[.):\s])|[a-z](?=[.):]))[.):\s\u2013\u2014-]+(?=\S)"
)
_SIGNS = re.compile(r"[\W_]+")
_BARE = re.compile(rf"(?:{_NAMED})?(?:[a-z]?\d*|[ivxlc]{{1,7}})")
"""Letters and digits of a line that may be nothing but a number: where it ends says only the next line."""


class _Place(NamedTuple):
    """Where a title stands.

    :param start: index of its first block.
    :param stop: index after its last block.
    :param lines: how many lines of that block are the title's.
    """

    start: int
    stop: int
    lines: int


def follow_outline(blocks: Sequence[Block], outline: Sequence[Entry]) -> list[Block]:
    """Return blocks of which each heading that the outline names is one, and is told to be a heading of its depth.

    An outline that names pages, or of which less than half is found where it leads to, says nothing.

    :param blocks: of the whole document or of some of its pages.
    """
    entries = [entry for entry in outline if _names_heading(entry)]
    pages = {block.page for block in blocks}
    here = [entry for entry in entries if entry.page in pages]
    if len(entries) < _FEWEST or not here:
        return list(blocks)
    found = _find(blocks, here)
    return list(_marked(blocks, found)) if len(found) >= _MOSTLY * len(here) else list(blocks)


def _names_heading(entry: Entry) -> bool:
    return bool(_key(entry.title)) and not _NO_NAME.fullmatch(entry.title) and not CAPTION.match(entry.title)


def _key(text: str) -> str:
    """Return what is alike in a heading and its title: letters and digits, without a number before them."""
    text = _folded(text)
    return _SIGNS.sub("", _NUMBER.sub("", text, count=1) if _NUMBER.match(text) else text)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _may_become(text: str, key: str, wanted: Iterable[str]) -> bool:
    """Whether a text that goes on in the next line may come to a key that is wanted.

    :param key: its own.
    """
    return any(each.startswith(key) for each in wanted) or bool(_BARE.fullmatch(_SIGNS.sub("", _folded(text))))


def _find(blocks: Sequence[Block], entries: Sequence[Entry]) -> dict[int, tuple[_Place, int]]:
    """Return where entries' titles stand and how deep they are, by the index of the first block."""
    wanted: defaultdict[int, set[str]] = defaultdict(set)
    for entry in entries:
        for page in (entry.page, entry.page + 1):
            wanted[page].add(_key(entry.title))
    places = _places(blocks, wanted)
    found: dict[int, tuple[_Place, int]] = {}
    taken: set[int] = set()
    for entry in entries:
        key = _key(entry.title)
        # What is put into the outline just before a page ends leads to that page.
        following = [place for place in places[entry.page + 1, key] if place.lines == len(blocks[place.stop - 1].lines)]
        for candidates in (places[entry.page, key], following):
            free = [place for place in candidates if taken.isdisjoint(range(place.start, place.stop))]
            if free:
                place = max(free, key=lambda place: _fitness(blocks, place))
                taken.update(range(place.start, place.stop))
                found[place.start] = place, entry.depth
                break
    return found


def _places(
    blocks: Sequence[Block], wanted: Mapping[int, AbstractSet[str]]
) -> defaultdict[tuple[int, str], list[_Place]]:
    """Return where the texts stand that are looked for: from the start of a block to the end of a line after it.

    :param wanted: their keys, by the number of the page.
    """
    places: defaultdict[tuple[int, str], list[_Place]] = defaultdict(list)
    for start, first in enumerate(blocks):
        keys = wanted.get(first.page, frozenset())
        if not keys or first.label != "text" or not first.lines:
            continue
        for place, text in _beginnings(blocks, start):
            key = _key(text)
            whole = place.lines == len(blocks[place.stop - 1].lines)
            if key in keys and (whole or (place.stop == start + 1 and len(key) >= _SHORTEST)):
                places[first.page, key].append(place)
            if not _may_become(text, key, keys):
                break
    return places


def _beginnings(blocks: Sequence[Block], start: int) -> Iterator[tuple[_Place, str]]:
    text, lines = "", 0
    for at in range(start, min(start + _MOST_BLOCKS, len(blocks))):
        block = blocks[at]
        if (
            block.page != blocks[start].page
            or block.label != "text"
            or not block.lines
            or not _joins(blocks, at, start)
        ):
            return
        for number, line in enumerate(block.lines, 1):
            text = f"{text} {line.text}" if text else line.text
            lines += 1
            if lines > _MOST_LINES:
                return
            yield _Place(start, at + 1, number), text


def _joins(blocks: Sequence[Block], at: int, start: int) -> bool:
    """Whether a block may be of a heading that begins with another: what is no text and a page's number may not."""
    before, block = blocks[start], blocks[at]
    if not _has(str.isalnum, block):
        return False
    return at == start or before.first.size >= _ALIKE * block.first.size or _has(str.isalpha, before)


def _has(kind: Callable[[str], bool], block: Block) -> bool:
    """Whether a block has a letter, or whatever kind of sign it is to have."""
    return any(any(map(kind, line.text)) for line in block.lines)


def _fitness(blocks: Sequence[Block], place: _Place) -> tuple[bool, float, int, int]:
    parts = blocks[place.start : place.stop]
    whole = place.lines == len(parts[-1].lines)
    return whole, max(block.first.size for block in parts), place.stop - place.start, -place.start


def _marked(blocks: Sequence[Block], found: dict[int, tuple[_Place, int]]) -> Iterator[Block]:
    at = 0
    while at < len(blocks):
        block = blocks[at]
        if at not in found:
            yield block
            at += 1
            continue
        place, depth = found[at]
        rest = blocks[place.stop - 1].lines[place.lines :]
        block.lines = [line for part in blocks[at : place.stop] for line in part.lines]
        block.lines = block.lines[: len(block.lines) - len(rest)]
        block.told = depth + 1
        yield block
        if rest:
            yield Block(block.page, rest, block.column, role=block.role, element=block.element)
        at = place.stop
