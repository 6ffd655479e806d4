"""A worker and its converter do not grow with the jobs that they have done; `make soak JOBS=1000` looks for longer."""

from pathlib import Path

import pytest

from tests.soak.memory import GROWTH, grown

FIRST, JOBS = 100, 200


@pytest.mark.timeout(240)
def test_a_worker_and_its_converter_do_not_grow_from_job_to_job(tmp_path: Path) -> None:
    before, after = grown(tmp_path / "home", FIRST, JOBS)
    for one, other in zip(before, after, strict=True):
        assert other <= one * GROWTH, (before, after)
