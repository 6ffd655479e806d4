"""The child's side of picture descriptions: it sends pictures to its parent, which alone has a network."""

from collections.abc import Iterable
from typing import Protocol

from docrefinery.engine.base import Describe, Described
from docrefinery.pipeline import protocol


class Channel(Protocol):
    """The way to the parent."""

    def send(self, message: protocol.Reply) -> None:
        """Send a message."""

    def receive(self) -> protocol.Request | None:
        """Wait for the next one; ``None`` when the parent is gone."""


def asking(parent: Channel) -> Describe:
    """Return a function that has pictures described by the parent, a few at a time."""

    def describe(pictures: Iterable[bytes]) -> list[Described]:
        answers: dict[int, Described] = {}
        sent = 0
        try:
            for content in pictures:
                parent.send(protocol.Picture(sent, content))
                sent += 1
                if sent - len(answers) >= protocol.PICTURES_AT_ONCE:
                    _take_answer(parent, answers)
        finally:
            # Also after an error: what is not taken now would be taken for the next request.
            while len(answers) < sent:
                _take_answer(parent, answers)
        return [answers[number] for number in range(sent)]

    return describe


def _take_answer(parent: Channel, answers: dict[int, Described]) -> None:
    answer = parent.receive()
    if answer is None:
        raise SystemExit("the parent is gone")
    assert isinstance(answer, protocol.Description)
    answers[answer.number] = Described(answer.text, answer.problem)
