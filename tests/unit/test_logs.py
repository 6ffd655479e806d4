"""Log lines: readable, and without secrets."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from docrefinery import logs
from docrefinery.services.keys import new_key
from docrefinery.settings import load

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def restored() -> Iterator[None]:
    """Logging as it was, after the test."""
    root = logging.getLogger()
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**config)
    structlog.contextvars.clear_contextvars()


def configured(form: str, level: str = "info") -> None:
    logs.configure(load({"DOCREFINERY_LOG_FORMAT": form, "DOCREFINERY_LOG_LEVEL": level}), "api")


def test_json_line_carries_what_is_bound(restored: None, capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger("test").info("happened", pages=3)
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "happened", "pages": 3, "level": "info", "process": "api", "request_id": "r-1"}


def test_line_of_the_standard_library_looks_the_same(restored: None, capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    logging.getLogger("some.library").warning("it is %s", "so")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["process"]) == ("it is so", "warning", "api")


def test_less_severe_lines_are_left_out(restored: None, capsys: pytest.CaptureFixture[str]) -> None:
    configured("json", "warning")
    structlog.get_logger("test").info("happened")
    logging.getLogger("some.library").info("happened")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("form", ["json", "console"])
def test_secret_is_in_no_line(restored: None, capsys: pytest.CaptureFixture[str], form: str) -> None:
    configured(form)
    key = new_key().key
    log = structlog.get_logger("test")
    event = f"with {key}"
    log.info(event, path="/readyz?token=sesame&x=1", url="redis://:hunter2@host/0")
    log.info("sent on", url="https://b.example/k?X-Amz-Signature=0123abcd&X-Amz-Security-Token=sesame2&sig=hunter2")
    log.info("nested", values={"key": key}, several=["postgresql://app:hunter2@host/db"])
    logging.getLogger("some.library").warning("failed on %s", "postgresql://app:hunter2@host/db")
    try:
        raise RuntimeError(f"cannot reach postgresql://app:hunter2@host/db with {key}")
    except RuntimeError:
        log.exception("failed")
    text = capsys.readouterr().err
    for secret in (key, key[14:46], "sesame", "hunter2", "0123abcd"):
        assert secret not in text
    assert text.count("***") >= 7
    assert "RuntimeError" in text


@pytest.mark.parametrize(
    "text", ["an ordinary line", "dr_short_key", "https://host/path?x=token", "mail me@example.com", "a://b/c@d"]
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert logs.without_secrets(text) == text


def test_trace_ids_are_read() -> None:
    assert logs.trace_ids(TRACEPARENT) == {
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "parent_span_id": "00f067aa0ba902b7",
    }


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        TRACEPARENT.upper(),
        TRACEPARENT + "-more",
        TRACEPARENT + "\n",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        TRACEPARENT.replace("4b", "4x"),
        "ff" + TRACEPARENT[2:],
    ],
)
def test_invalid_traceparent_has_no_ids(header: str) -> None:
    assert logs.trace_ids(header) == {}
