"""What the child makes of texts that it did not write."""

import msgspec
from hypothesis import given, strategies as st

from docrefinery.model import JobWarning, Stage
from docrefinery.pipeline import protocol
from docrefinery.pipeline.child import LONGEST_TEXT, storable
from docrefinery.pipeline.protocol import Done, Failed, Working, Written

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
