"""What a worker is made of."""

from collections.abc import Callable
from uuid import UUID

from msgspec import Struct

from docrefinery.capabilities import Models, Ocr
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.runner import Runner
from docrefinery.services.changes import Changes
from docrefinery.services.doorbell import JOB_QUEUES, QUEUE, WEBHOOKS
from docrefinery.services.webhooks.courier import Courier
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.store.database import Database
from docrefinery.store.encryption.keys import MasterKeys
from docrefinery.worker.bell import Bell
from docrefinery.worker.maintenance import Maintenance
from docrefinery.worker.tally import Tally


class Parts(Struct, kw_only=True):
    """What a worker is made of; the composition root makes it.

    ``loads_models`` says whether the converter is set up to load Docling's models, ``profiles`` whose jobs a worker
    takes whose converter holds such models.
    """

    worker_id: UUID
    ocr: Ocr | None
    loads_models: bool
    profiles: Callable[[Models], list[str]]
    db: Database
    changes: Changes
    converter: Converter
    runner: Runner
    maintenance: Maintenance
    tally: Tally
    courier: Courier
    secrets: Secrets
    masters: MasterKeys
    bell: Bell

    @property
    def listens_to(self) -> tuple[str, ...]:
        """Queues whose nudges it takes."""
        return (*(JOB_QUEUES if self.loads_models else (QUEUE,)), WEBHOOKS)
