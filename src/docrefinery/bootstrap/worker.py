"""The worker process."""

from functools import partial
from pathlib import Path
from uuid import uuid4

from docrefinery.bootstrap.common import (
    blobs_of,
    child_limits,
    database_of,
    describer_of,
    registry_of,
    scanner_of,
    seclusion_of,
    vault_of,
)
from docrefinery.bootstrap.models import models_of
from docrefinery.bootstrap.webhooks import courier_of
from docrefinery.capabilities import NONE, Hardware, Models, installed_ocr
from docrefinery.model import MODEL
from docrefinery.pipeline.converter import Converter
from docrefinery.pipeline.parting import Readers
from docrefinery.pipeline.publishing import Publisher
from docrefinery.pipeline.runner import Runner, Slot
from docrefinery.pipeline.scanning import Scanning
from docrefinery.plugin.registry import Registry
from docrefinery.services.changes import CANCELS, SLICES, Changes
from docrefinery.services.queues import class_of
from docrefinery.services.webhooks.secrets import Secrets
from docrefinery.settings import Settings
from docrefinery.store.counters import Counted
from docrefinery.store.encryption.keys import MasterKeys
from docrefinery.worker.bell import Bell
from docrefinery.worker.broker import DoorbellBroker, build_broker
from docrefinery.worker.doorbell import RedisDoorbell
from docrefinery.worker.main import OnTheLoop
from docrefinery.worker.maintenance import Maintenance
from docrefinery.worker.parts import Parts
from docrefinery.worker.tally import Tally


def build_worker(settings: Settings, scratch: Path) -> tuple[DoorbellBroker, OnTheLoop]:
    """Build what a worker process runs."""
    registry, db, blobs = registry_of(settings), database_of(settings, walled=False), blobs_of(settings)
    vault = vault_of(settings, db, blobs)
    lifecycle = OnTheLoop()
    broker = build_broker(settings.redis_url, lifecycle)
    doorbell = RedisDoorbell(broker)
    changes = Changes(db, channels=(CANCELS, SLICES))
    ocr = installed_ocr(settings.ocr_engine)
    models = models_of(settings) if MODEL in settings.queues else NONE
    converter = Converter(
        child_limits(settings), settings.plugins, scratch, describer_of(settings), models, seclusion_of(settings)
    )
    secrets = Secrets(settings.secret_keys)
    worker_id = uuid4()
    runner = Runner(
        Slot(
            worker_id=worker_id,
            watching=partial(changes.watching, channel=CANCELS),
            watching_pages=partial(changes.watching, channel=SLICES),
            scratch=scratch,
            readers=Readers.of(ocr),
            ring=doorbell.ring,
        ),
        db,
        vault,
        converter,
        Scanning(scanner_of(registry, settings), converter, settings.environ),
        Publisher(db, vault, registry),
        registry,
        settings,
    )
    lifecycle.parts = Parts(
        worker_id=worker_id,
        ocr=ocr,
        classes=settings.queues,
        loads_models=isinstance(models, Hardware),
        profiles=lambda held: profiles_of(registry, settings, held),
        db=db,
        changes=changes,
        converter=converter,
        runner=runner,
        maintenance=Maintenance(db, blobs, doorbell, settings),
        tally=Tally(db, Counted.CONVERTERS_REPLACED, converter.replaced),
        courier=courier_of(db, secrets, settings),
        secrets=secrets,
        masters=MasterKeys(settings.secret_keys),
        bell=Bell(db, doorbell),
    )
    return broker, lifecycle


def profiles_of(registry: Registry, settings: Settings, held: Models) -> list[str]:
    """Return the profiles whose jobs a worker takes and does not fail for want of models.

    Where ``auto`` is set, the geometric engine converts what no worker holds models for.
    """
    fails = settings.engine == "docling" and not held.usable
    return [
        name
        for name, profile in sorted(registry.profiles.items())
        if (not fails or registry.engine_for(name, settings.engine) == "geometric")
        and class_of(name, profile.options, registry, settings, models=held.usable) in settings.queues
    ]
