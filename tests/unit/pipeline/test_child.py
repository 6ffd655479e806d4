"""What is made of texts that a child did not write, and what is believed of what it says."""

import msgspec
import pytest
from hypothesis import given, strategies as st

from docrefinery.model import JobWarning, Stage
from docrefinery.pipeline import protocol
from docrefinery.pipeline.hearsay import LONGEST_TEXT, following, rejected, storable
from docrefinery.pipeline.protocol import Done, Failed, ProtocolError, Working, Written

ODD = st.text(st.characters(exclude_categories=())) | st.just("\0x" * LONGEST_TEXT)


@given(ODD, ODD)
def test_every_text_of_an_error_can_be_sent_and_stored(message: str, detail: str) -> None:
    failed = Failed("EXPORT_FAILED", message, {"kind": detail, detail: [{"deep": detail}]})
    frame = protocol.encode(storable(failed))
    received = protocol.replies.decode(frame[protocol.HEADER_BYTES :])
    assert isinstance(received, Failed)
    assert b"\\u0000" not in frame
    assert len(received.message) <= LONGEST_TEXT


def test_warnings_and_engine_are_cut_and_the_rest_is_untouched() -> None:
    done = Done(
        page_count=2, pages_total=2, artifacts=(Written("text", "text.txt"),), convert_ms=1, export_ms=1, chunk_ms=None,
        warnings=(JobWarning("PAGES_FAILED", "\0" + "x" * 5000),), engine={"name": "na\0tive"}, partial=True,
        failed_pages=(1,),
    )  # fmt: skip
    received = protocol.replies.decode(msgspec.json.encode(storable(done)))
    assert isinstance(received, Done)
    assert received.warnings[0].message == "x" * (LONGEST_TEXT - 2) + "…"
    assert received.engine == {"name": "native"}
    assert msgspec.structs.replace(received, warnings=(), engine={}) == msgspec.structs.replace(
        done, warnings=(), engine={}
    )
    working = Working(Stage.CONVERTING, 1, 2)
    assert protocol.replies.decode(msgspec.json.encode(storable(working))) == working
    assert storable(working).stage is Stage.CONVERTING


def test_characters_that_control_a_terminal_are_left_out() -> None:
    failed = storable(Failed("A\0B\x1b", "one\ttwo\n\x1b[31mred\x9b\x7f", {}))
    assert (failed.code, failed.message) == ("AB", "one\ttwo\n[31mred")


@pytest.mark.parametrize(
    ("code", "scanning", "told"),
    [
        ("INVALID_PDF", False, "INVALID_PDF"),
        ("OUT_OF_MEMORY", True, "OUT_OF_MEMORY"),
        ("SCANNER_UNAVAILABLE", True, "SCANNER_UNAVAILABLE"),
        ("SCANNER_UNAVAILABLE", False, "CONVERSION_FAILED"),
        ("MALWARE_DETECTED", False, "CONVERSION_FAILED"),
        ("NO_SUCH_CODE", True, "CONVERSION_FAILED"),
    ],
)
def test_codes_that_are_not_a_childs_to_give_are_replaced(code: str, scanning: bool, told: str) -> None:
    assert rejected(Failed(code, "so it is", {}), scanning=scanning).code == told


def test_stages_only_go_forward() -> None:
    assert following(Stage.CONVERTING, Stage.CONVERTING) is Stage.CONVERTING
    assert following(Stage.CHUNKING, Stage.CONVERTING) is Stage.CHUNKING
    for stage, before in (
        (Stage.CONVERTING, Stage.EXPORTING),
        (Stage.SCANNING, Stage.CONVERTING),
        (Stage.FINALIZING, Stage.CHUNKING),
    ):
        with pytest.raises(ProtocolError, match="after"):
            following(stage, before)


@pytest.mark.parametrize(
    "lie",
    [
        {"page_count": 2**31},
        {"warnings": [{"code": "A", "message": "b"}] * 1001},
        {"engine": dict.fromkeys(map(str, range(101)), "")},
    ],
    ids=["count", "warnings", "engine"],
)
def test_more_than_an_honest_child_says_is_no_answer(lie: dict[str, object]) -> None:
    done = Done(
        page_count=1, pages_total=1, artifacts=(), convert_ms=1, export_ms=1, chunk_ms=None, warnings=(), engine={},
        partial=False, failed_pages=(),
    )  # fmt: skip
    said = msgspec.to_builtins(done)
    assert protocol.replies.decode(msgspec.json.encode(said)) == done
    with pytest.raises(msgspec.ValidationError):
        protocol.replies.decode(msgspec.json.encode(said | lie))
