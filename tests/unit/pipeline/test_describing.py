"""Pictures on their way between child and parent: none is forgotten, and none is taken that was not asked for."""

import asyncio
from collections.abc import Iterator

import pytest

from docrefinery.model import MOST_PICTURES
from docrefinery.pipeline import describing as module, protocol
from docrefinery.pipeline.asking import asking
from docrefinery.pipeline.describing import Describing, PictureDescriber
from docrefinery.pipeline.protocol import Description, Picture, ProtocolError


class Answering:
    """A parent that answers each picture, the last one first."""

    def __init__(self) -> None:
        self.waiting: list[int] = []

    def send(self, message: protocol.Reply) -> None:
        assert isinstance(message, Picture)
        self.waiting.append(message.number)

    def receive(self) -> protocol.Request:
        return Description(self.waiting[-1], f"picture {self.waiting.pop()}")


def test_answers_are_given_in_the_order_of_the_pictures() -> None:
    described = asking(Answering())(b"x" for _ in range(11))
    assert [one.text for one in described] == [f"picture {number}" for number in range(11)]


def test_an_error_between_two_pictures_leaves_no_answer_for_the_next_request() -> None:
    def pictures() -> Iterator[bytes]:
        yield b"one"
        yield b"two"
        raise OSError("this picture cannot be encoded")

    parent = Answering()
    with pytest.raises(OSError, match="encoded"):
        asking(parent)(pictures())
    assert parent.waiting == []


class Never(PictureDescriber):
    """An endpoint that does not answer."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9/v1")

    async def describe(self, picture: Picture) -> Description:  # noqa: ARG002 - that of its base
        await asyncio.Event().wait()
        raise AssertionError


async def test_what_is_not_described_in_time_is_left_and_the_child_is_told() -> None:
    told: list[Description] = []
    done = asyncio.Event()

    def send(answer: Description) -> None:
        told.append(answer)
        done.set()

    async with Describing(Never(), send, 0.01) as describing:
        describing.take(Picture(0, b""))
        async with asyncio.timeout(10):
            await done.wait()
        # What a child says next arrives in a later turn of the loop.
        await asyncio.sleep(0)
        describing.end()
    assert told == [Description(0, None, "the job's time is nearly over")]


class Slow(PictureDescriber):
    """An endpoint that is too slow for one picture."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9/v1")
        self.asked = 0

    async def describe(self, picture: Picture) -> Description:
        self.asked += 1
        return Description(picture.number, None, "the endpoint did not answer within 0 s")


async def test_an_endpoint_that_is_too_slow_for_one_picture_is_not_asked_about_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.0)
    told: asyncio.Queue[Description] = asyncio.Queue()
    slow = Slow()
    async with Describing(slow, told.put_nowait, 60) as describing:
        for number in range(3):
            describing.take(Picture(number, b""))
            async with asyncio.timeout(10):
                answer = await told.get()
            assert (answer.number, answer.text, answer.problem[:12]) == (number, None, "the endpoint")
    assert slow.asked == 1


async def test_a_child_that_ends_before_it_has_every_answer_breaks_the_protocol() -> None:
    async with Describing(Never(), lambda _: None, 60) as describing:
        describing.end()
        describing.take(Picture(0, b""))
        with pytest.raises(ProtocolError):
            describing.end()


async def test_a_child_may_send_no_more_than_it_was_asked_for() -> None:
    async with Describing(None, lambda _: None, 60) as describing:
        with pytest.raises(ProtocolError, match="nobody asked"):
            describing.take(Picture(0, b""))
    async with Describing(Never(), lambda _: None, 60) as describing:
        for number in range(protocol.PICTURES_AT_ONCE):
            describing.take(Picture(number, b""))
        with pytest.raises(ProtocolError, match="more pictures"):
            describing.take(Picture(protocol.PICTURES_AT_ONCE, b""))
    async with Describing(Never(), lambda _: None, 60) as describing:
        with pytest.raises(ProtocolError, match="more pictures"):
            describing.take(Picture(MOST_PICTURES, b""))


@pytest.mark.parametrize(
    ("url", "key"), [("http://[::1", ""), ("http://host/v1", "schl\u00fcssel"), ("http://h/", "a\nb")]
)
def test_a_url_or_key_that_cannot_be_sent_stops_the_start(url: str, key: str) -> None:
    with pytest.raises(ValueError, match="cannot") as raised:
        PictureDescriber(url, "m", key)
    assert key not in str(raised.value) or not key
