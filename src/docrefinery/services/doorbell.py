"""The nudge that tells workers to look into the database."""

from typing import Protocol

from docrefinery.model import JOB_QUEUES, MODELS, QUEUE, WEBHOOKS

__all__ = ["JOB_QUEUES", "MODELS", "QUEUE", "WEBHOOKS", "Doorbell"]


class Doorbell(Protocol):
    """Something that wakes the workers of a queue; a ring may get lost or come twice."""

    async def ring(self, queue: str) -> None:
        """Wake a worker; never raises, since a sweep finds what nobody was told of."""

    async def check(self) -> None:
        """Return if the broker answers; raises :class:`OSError` otherwise."""
