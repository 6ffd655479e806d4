"""Which engine a job gets, and what it says where there is none."""

import dataclasses
from collections.abc import Callable

import pytest

from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.outcomes import Converted, Rejected, Task
from docrefinery.plugin.registry import load
from docrefinery.settings import Engine
from tests.integration.pipeline.conftest import assert_works, ignore
from tests.support import scans

Tasks = Callable[..., Task]


@pytest.mark.parametrize(
    ("profile", "configured", "engine"),
    [
        ("fast_text", "docling", "geometric"),
        ("ocr_only", "docling", "geometric"),
        ("structured", "docling", "docling"),
        ("full_vlm", "auto", "auto"),
        ("full_vlm", "geometric", "geometric"),
        (None, "docling", "docling"),
        (None, "auto", "auto"),
        ("of a plugin that is gone", "auto", "auto"),
    ],
)
def test_a_profile_that_wants_no_models_never_asks_for_them(
    profile: str | None, configured: Engine, engine: Engine
) -> None:
    assert load(()).engine_for(profile, configured) == engine


async def test_without_the_models_an_installation_that_wants_them_says_so(converter: Converter, task: Tasks) -> None:
    outcome = await converter.convert(dataclasses.replace(task(None, "text"), engine="docling"), ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "MODELS_UNAVAILABLE"
    assert "DOCREFINERY_ENGINE" in outcome.message
    await assert_works(converter, task)


async def test_where_the_models_would_be_used_it_is_said_that_they_are_not_there(
    converter: Converter, task: Tasks
) -> None:
    outcome = await converter.convert(dataclasses.replace(task(None, "text"), engine="auto"), ignore)
    assert isinstance(outcome, Converted)
    assert [warning.code for warning in outcome.warnings] == ["MODELS_NOT_INSTALLED"]
    assert outcome.engine["name"] == "geometric"


async def test_a_language_that_the_worker_lacks_ends_the_job_with_its_code(converter: Converter, task: Tasks) -> None:
    asked = task(None, "text", do_ocr=True, ocr_options={"lang": ["tlh"]})
    outcome = await converter.convert(asked, ignore)
    assert isinstance(outcome, Rejected)
    assert outcome.code == "OCR_LANGUAGE_UNAVAILABLE"
    assert "'tlh'" in outcome.message
    assert outcome.details["language"] == "tlh"


async def test_recognition_runs_in_the_child_with_the_engine_that_is_asked_for(
    converter: Converter, task: Tasks
) -> None:
    asked = dataclasses.replace(task(scans.english_scan(), "text", do_ocr=True), ocr_engine="rapidocr")
    outcome = await converter.convert(asked, ignore)
    assert isinstance(outcome, Converted), outcome
    assert outcome.engine["ocr"].startswith("rapidocr ")
    assert scans.similarity(outcome.artifacts[0].path.read_text(), f"Page 1 {scans.ENGLISH}") >= 0.95
