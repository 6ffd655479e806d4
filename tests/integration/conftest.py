"""What several of the tests here need."""

from collections.abc import Iterator

import pytest

from docrefinery.settings import Settings
from docrefinery.worker.broker import DoorbellBroker, build_broker


@pytest.fixture
def broker(settings: Settings) -> Iterator[DoorbellBroker]:
    """A broker without messages."""
    broker = build_broker(settings.redis_url)
    broker.flush_all()
    yield broker
    broker.flush_all()
    broker.close()
