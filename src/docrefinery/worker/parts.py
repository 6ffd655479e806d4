"""What a worker is made of."""

from collections.abc import Callable
from uuid import UUID

from msgspec import Struct

from docrefinery.capabilities import Models, Ocr
from docrefinery.model import CLASS_OF, JOB_QUEUES, MODEL, WEBHOOKS, takes
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.runner import Runner
from docrefinery.services.changes import Changes
from docrefinery.services.webhooks.courier import Courier
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.store.database import Database
from docrefinery.store.encryption.keys import MasterKeys
from docrefinery.worker.bell import Bell
from docrefinery.worker.maintenance import Maintenance
from docrefinery.worker.tally import Tally


class Parts(Struct, kw_only=True):
    """What a worker is made of; the composition root makes it.

    ``classes`` are what it does, by what that costs. ``loads_models`` says whether the converter is set up to load
    Docling's models, ``profiles`` whose jobs a worker takes whose converter holds such models.
    """

    worker_id: UUID
    ocr: Ocr | None
    classes: tuple[str, ...]
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
        taken = [name for name, cost in CLASS_OF.items() if cost in self.classes]
        jobs = [name for name in taken if self.loads_models or CLASS_OF[name] != MODEL]
        return (*jobs, WEBHOOKS) if WEBHOOKS in self.classes else tuple(jobs)

    @property
    def converts(self) -> bool:
        """Whether it takes jobs at all."""
        return any(takes(self.classes, name) for name in JOB_QUEUES)
