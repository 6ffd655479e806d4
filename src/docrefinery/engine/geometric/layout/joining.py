"""Segments to lines: those that stand beside each other closely are one."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from docrefinery.engine.geometric.layout.lines import Line, Reference
from docrefinery.engine.geometric.model import Link, Segment, Style, Tag, Word

_TOUCHING = 0.6
"""In em: parts of one line that the file has in another order are no farther apart."""
_SAME_ROW = 0.5
_BAND = 4.0
"""In points: height of the bands in which touching segments are looked for."""
_NUMBER = 0.9
_CIRCLE = "\u25e6"
_RAISED = 0.85
"""Size of a raised mark, at most, in those of its line's letters."""
_NOT_TAGGED = Tag("")


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
    text, references = _text(words, styles, links)
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
    return first.size < _NUMBER * second.size or (second.mono and first.colour != second.colour)


def _is_raised(word: Word, beside: Word, styles: Sequence[Style]) -> bool:
    smaller = styles[word.style].size < _RAISED * styles[beside.style].size
    return smaller and word.bottom < beside.bottom - 0.1 * (beside.bottom - beside.top)


def _text(words: Sequence[Word], styles: Sequence[Style], links: Sequence[Link]) -> tuple[str, list[Reference]]:
    parts: list[str] = []
    references: list[Reference] = []
    length = 0
    for at, word in enumerate(words):
        shown = _CIRCLE if at == 0 and _is_circle(words, styles) else word.text
        if parts and not word.glued:
            parts.append(" ")
            length += 1
        uri = next((link.uri for link in links if _links(link, word)), None)
        if uri is not None:
            start = length
            if references and references[-1].uri == uri and references[-1].end >= length - 1:
                start = references.pop().start
            references.append(Reference(start, length + len(shown), uri))
        parts.append(shown)
        length += len(shown)
    return "".join(parts), references


def _is_circle(words: Sequence[Word], styles: Sequence[Style]) -> bool:
    """Whether a line begins with the letter o of a fixed pitch before other text: how word processors set a circle."""
    if len(words) < 2 or words[0].text != "o" or words[1].glued:
        return False
    return styles[words[0].style].mono and not styles[words[1].style].mono


def _links(link: Link, word: Word) -> bool:
    x, y = (word.left + word.right) / 2, (word.top + word.bottom) / 2
    return link.left <= x <= link.right and link.top <= y <= link.bottom
