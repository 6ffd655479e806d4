"""Lines of a page: segments that stand beside each other closely are one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from msgspec import Struct

from docrefinery.engine.geometric.model import Box, Link, Segment, Style, Tag, Word
from docrefinery.engine.geometric.reading.words import segment_of

_TOUCHING = 0.6
"""In em: parts of one line that the file has in another order are no farther apart."""
_SAME_ROW = 0.5
_BAND = 4.0
"""In points: height of the bands in which touching segments are looked for."""
_NUMBER = 0.9
_RAISED = 0.85
"""Size of a raised mark, at most, in those of its line's letters."""
_NOT_TAGGED = Tag("")


class Reference(Struct, frozen=True):
    """A part of a line's text that is a link."""

    start: int
    end: int
    uri: str


class Line(Struct, tag="line"):
    """A line of one column.

    :param base: lower edge of the letters of its main style, in points: marks above and below do not move it.
    :param style: index of the style of most of its letters.
    :param size: of that style, in points.
    :param bold: whether most letters are; the same for ``italic`` and ``mono``.
    :param first: width of its first word, in points.
    :param raised: letters at its start that stand above the others, as the mark of a footnote does.
    :param marks: how many words have raised letters after them.
    :param role: what a tagged PDF says most of it is part of: a :class:`~docrefinery.engine.geometric.model.Tag`'s.
    :param element: number of that on the page, -1 if there is none.
    :param region: number of the column on the page.
    :param parts: where its parts begin, if there are wide gaps between some.
    :param small_start: whether the first of them is set smaller than the others.
    :param single: whether it is a paragraph of its own, as the row of a table is.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    base: float
    style: int
    size: float
    bold: bool = False
    italic: bool = False
    mono: bool = False
    first: float = 0.0
    raised: str = ""
    marks: int = 0
    role: str = ""
    element: int = -1
    region: int = 0
    references: list[Reference] = []
    parts: list[float] = []
    small_start: bool = False
    single: bool = False

    @property
    def box(self) -> Box:
        """Its place."""
        return self.left, self.top, self.right, self.bottom

    @property
    def height(self) -> float:
        """Its height in points."""
        return self.bottom - self.top


def divide(segments: Iterable[Segment], boxes: Sequence[Box]) -> tuple[list[Segment], list[list[Segment]]]:
    """Return what of segments lies outside of boxes, and what lies in each: words belong where their centre is."""
    outside: list[Segment] = []
    inside: list[list[Segment]] = [[] for _ in boxes]
    for segment in segments:
        if not any(_meets(segment, box) for box in boxes):
            outside.append(segment)
            continue
        for box, words in groupby(segment.words, key=lambda word: _holder(boxes, word)):
            (outside if box is None else inside[box]).append(segment_of(list(words)))
    return outside, inside


def _meets(segment: Segment, box: Box) -> bool:
    return segment.left < box[2] and segment.right > box[0] and segment.top < box[3] and segment.bottom > box[1]


def _holder(boxes: Sequence[Box], word: Word) -> int | None:
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    return next((at for at, box in enumerate(boxes) if box[0] <= x <= box[2] and box[1] <= y <= box[3]), None)


def lines_of(
    segments: Sequence[Segment],
    styles: Sequence[Style],
    links: Sequence[Link] = (),
    tags: Mapping[int, Tag] | None = None,
) -> list[Line]:
    """Return the lines of segments that run rightwards, in the order of the file."""
    return [
        _line([word for index in chain for word in segments[index].words], styles, links, tags or {})
        for chain in _chains(segments, styles)
    ]


def _chains(segments: Sequence[Segment], styles: Sequence[Style]) -> list[list[int]]:
    chains: list[list[int]] = []
    bands: defaultdict[int, list[int]] = defaultdict(list)
    for index in sorted(range(len(segments)), key=lambda index: (segments[index].left, index)):
        segment = segments[index]
        band = int((segment.top + segment.bottom) / 2 / _BAND)
        em = styles[segment.words[0].style].size
        for number in (*bands[band], *bands[band - 1], *bands[band + 1]):
            if _touches(segments[chains[number][-1]], segment, em):
                chains[number].append(index)
                break
        else:
            number = len(chains)
            chains.append([index])
        # Only the end of a chain can be touched, and what lies far to the left never again.
        bands[band] = [*[other for other in bands[band] if other != number][-3:], number]
    return sorted(chains, key=min)


def _touches(last: Segment, segment: Segment, em: float) -> bool:
    gap = segment.left - last.right
    overlap = min(last.bottom, segment.bottom) - max(last.top, segment.top)
    height = min(last.bottom - last.top, segment.bottom - segment.top)
    return -em < gap < _TOUCHING * em and overlap > _SAME_ROW * height


def _line(words: Sequence[Word], styles: Sequence[Style], links: Sequence[Link], tags: Mapping[int, Tag]) -> Line:
    weights: Counter[int] = Counter()
    for word in words:
        weights[word.style] += len(word.text)
    # The first of equals, so that the same page gives the same line.
    style = max(weights, key=lambda number: weights[number])
    main, letters = styles[style], weights.total()
    text, references = _text(words, links)
    size = main.size
    tag = _tag(words, tags)
    return Line(
        text,
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
        base=max(word.bottom for word in words if word.style == style),
        style=style,
        size=size,
        bold=sum(count for number, count in weights.items() if styles[number].bold) > 0.8 * letters,
        italic=sum(count for number, count in weights.items() if styles[number].italic) > 0.8 * letters,
        mono=sum(count for number, count in weights.items() if styles[number].mono) > 0.8 * letters,
        first=words[0].right - words[0].left,
        raised=words[0].text if len(words) > 1 and _is_raised(words[0], words[1], styles) else "",
        marks=sum(_is_raised(word, other, styles) for other, word in pairwise(words)),
        role=tag.role,
        element=tag.element,
        references=references,
        parts=[words[0].left, words[1].left] if _is_numbered(words, styles) else [],
        small_start=_is_numbered(words, styles),
    )


def _tag(words: Sequence[Word], tags: Mapping[int, Tag]) -> Tag:
    """Return what most letters are part of."""
    if not tags:
        return _NOT_TAGGED
    letters: Counter[Tag] = Counter()
    for word in words:
        letters[tags.get(word.tag, _NOT_TAGGED)] += len(word.text)
    return max(letters, key=lambda tag: letters[tag])


def _is_numbered(words: Sequence[Word], styles: Sequence[Style]) -> bool:
    """Whether a line begins with a number that is set otherwise than the rest, as the lines of listings are."""
    if len(words) < 2 or not words[0].text.isdigit() or words[1].glued:
        return False
    first, second = styles[words[0].style], styles[words[1].style]
    return first.size < _NUMBER * second.size or first.colour != second.colour


def _is_raised(word: Word, beside: Word, styles: Sequence[Style]) -> bool:
    smaller = styles[word.style].size < _RAISED * styles[beside.style].size
    return smaller and word.bottom < beside.bottom - 0.1 * (beside.bottom - beside.top)


def _text(words: Sequence[Word], links: Sequence[Link]) -> tuple[str, list[Reference]]:
    parts: list[str] = []
    references: list[Reference] = []
    length = 0
    for word in words:
        if parts and not word.glued:
            parts.append(" ")
            length += 1
        uri = next((link.uri for link in links if _links(link, word)), None)
        if uri is not None:
            start = length
            if references and references[-1].uri == uri and references[-1].end >= length - 1:
                start = references.pop().start
            references.append(Reference(start, length + len(word.text), uri))
        parts.append(word.text)
        length += len(word.text)
    return "".join(parts), references


def _links(link: Link, word: Word) -> bool:
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    return link.left <= x <= link.right and link.top <= y <= link.bottom
