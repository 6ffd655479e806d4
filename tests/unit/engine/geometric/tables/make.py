"""Pages as the tests need them: words and rules at given places."""

from collections.abc import Sequence

from docrefinery.engine.geometric.model import Page, Rule, Segment, Shape, Style, Word

SIZE = 10.0
WIDTH = 5.0
PLAIN = [Style("Times", SIZE), Style("Courier", SIZE, mono=True), Style("Times", SIZE, direction=270)]


def width(text: str) -> float:
    return WIDTH * len(text)


def words(text: str, left: float, top: float, style: int = 0) -> list[Word]:
    """Words of a line, with a space of a quarter of an em between them."""
    made = []
    for part in text.split():
        made.append(Word(part, left, top, left + width(part), top + SIZE, style))
        left += width(part) + SIZE / 4
    return made


def right(text: str, at: float, top: float) -> list[Word]:
    """A word that ends at a place."""
    return words(text, at - width(text), top)


def level(y: float, left: float, end: float) -> Rule:
    return Rule(left, y - 0.25, end, y + 0.25, horizontal=True)


def upright(x: float, top: float, end: float) -> Rule:
    return Rule(x - 0.25, top, x + 0.25, end, horizontal=False)


def page(made: Sequence[Word], rules: Sequence[Rule] = (), shapes: Sequence[Shape] = ()) -> Page:
    segments = [Segment([word], word.left, word.top, word.right, word.bottom) for word in made]
    return Page(1, 600, 800, PLAIN, segments, list(rules), list(shapes))


def grid(rows: Sequence[Sequence[str]], xs: Sequence[float], ys: Sequence[float]) -> Page:
    """A table with all its rules."""
    made = [
        word
        for row, y in zip(rows, ys, strict=False)
        for text, x in zip(row, xs, strict=False)
        for word in words(text, x + 4, y + 4)
    ]
    rules = [level(y, xs[0], xs[-1]) for y in ys] + [upright(x, ys[0], ys[-1]) for x in xs]
    return page(made, rules)


def lines(rows: Sequence[Sequence[str]], xs: Sequence[float], top: float = 100.0, step: float = 14.0) -> list[Word]:
    """Rows whose first cell starts at the first place, and whose others end at theirs."""
    made = []
    for at, row in enumerate(rows):
        made += words(row[0], xs[0], top + at * step)
        for text, x in zip(row[1:], xs[1:], strict=True):
            made += right(text, x, top + at * step) if text else []
    return made
