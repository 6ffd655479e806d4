"""A job as a converter is given it."""

from pathlib import Path

import msgspec

from docrefinery.model import ALWAYS_EXPORTED
from docrefinery.pipeline.outcomes import Task
from docrefinery.plugin.registry import Registry
from docrefinery.settings import Settings
from docrefinery.store.records import ClaimRecord, SliceRecord


def task_of(
    claim: ClaimRecord | SliceRecord, source: Path, workdir: Path, registry: Registry, settings: Settings
) -> Task:
    """Return the conversion of a job whose file is at ``source``, with an existing folder for what is written."""
    options = msgspec.json.decode(claim.options, type=dict[str, object])
    exports = list(dict.fromkeys((*claim.exports, ALWAYS_EXPORTED)))
    return Task(
        source=source,
        name=claim.original_filename,
        workdir=workdir,
        options=options,
        exports=exports,
        content_types=registry.content_types(exports),
        timeout_seconds=msgspec.convert(options["document_timeout"], float),
        engine=registry.engine_for(claim.profile, settings.engine) if isinstance(claim, ClaimRecord) else "geometric",
        ocr_engine=settings.ocr_engine,
    )
