"""What a child wrote is looked into before anybody gets it."""

from collections.abc import Callable

import pytest

from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.outcomes import Rejected, Task
from tests.integration.pipeline.conftest import assert_works, ignore
from tests.support.waiting import gone, until

Tasks = Callable[..., Task]


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        ("linking", "cannot be opened"),
        ("piping", "not a plain file"),
        ("faking_json", "not the JSON it should be"),
        ("faking_zip", "no ZIP archive"),
        ("climbing", "name leads elsewhere"),
        ("bursting", "more than 2147483648 bytes"),
    ],
)
async def test_a_result_that_is_not_what_it_should_be_is_not_published(
    converter: Converter, task: Tasks, export: str, reason: str
) -> None:
    await converter.start()
    pid = converter.pid
    assert pid is not None
    outcome = await converter.convert(task(None, export), ignore)
    assert isinstance(outcome, Rejected)
    assert (outcome.code, outcome.details) == ("EXPORT_FAILED", {"kind": export})
    assert reason in outcome.message
    # Whoever wrote it may have been taken over.
    await until(lambda: gone(pid), seconds=2)
    await assert_works(converter, task)
