"""Statuses and what may follow what."""

import pytest

from docrefinery.model import ACTIVE, RETRYABLE, TRANSITIONS, JobStatus


def test_every_status_says_what_may_follow() -> None:
    assert TRANSITIONS.keys() == set(JobStatus)


@pytest.mark.parametrize("status", JobStatus)
def test_only_active_statuses_are_not_terminal(status: JobStatus) -> None:
    assert status.terminal is (status not in ACTIVE)


@pytest.mark.parametrize("status", JobStatus)
def test_finished_job_goes_on_only_by_a_retry(status: JobStatus) -> None:
    if status.terminal:
        assert TRANSITIONS[status] == ({JobStatus.QUEUED} if status in RETRYABLE else set())


def test_every_status_is_reached_from_the_queue() -> None:
    reached, edge = {JobStatus.QUEUED}, {JobStatus.QUEUED}
    while edge:
        edge = {after for status in edge for after in TRANSITIONS[status]} - reached
        reached |= edge
    assert reached == set(JobStatus)
