"""A worker that works by hand."""

import pytest

from docrefinery.settings import Settings
from docrefinery.store.database import Database
from tests.support.work import HandWorker


@pytest.fixture
def worker(db: Database, settings: Settings) -> HandWorker:
    """A worker whose steps the test takes."""
    return HandWorker.of(db, settings)
