"""What ``docrefinery doctor`` looks at: this machine, and the installation that runs on it or is named by its URLs."""

import sys
from importlib.metadata import version
from urllib.parse import urlsplit

from msgspec import Struct

from docrefinery.bootstrap.common import blobs_of, connected, database_of, scanner_of, seclusion_of
from docrefinery.bootstrap.encryption import lacking
from docrefinery.bootstrap.jail import command_scratch, measures_of
from docrefinery.bootstrap.models import bytes_needed, models_of
from docrefinery.bootstrap.secrets import keyed
from docrefinery.bootstrap.storage import try_storage
from docrefinery.capabilities import Hardware, Models, installed_models, installed_ocr, missing
from docrefinery.capabilities.languages import shown
from docrefinery.errors import StorageError
from docrefinery.pipeline.converter import ConverterUnavailable
from docrefinery.pipeline.nursery import forkable
from docrefinery.pipeline.scratch import open_to, scratch_folder
from docrefinery.plugin.registry import Registry
from docrefinery.services.abilities import Abilities
from docrefinery.services.health import Health, Status
from docrefinery.settings import Settings, SettingsError
from docrefinery.store.database import Database
from docrefinery.worker.broker import build_broker
from docrefinery.worker.doorbell import RedisDoorbell

# Of this machine, doctor looks for itself.
_KNOWN_HERE = ("models", "jail")


class Finding(Struct, frozen=True):
    """How one part is: ``ok``, ``degraded`` or ``failed``, and what to do where it is not ``ok``."""

    part: str
    status: Status
    detail: str


async def examine(settings: Settings, registry: Registry) -> list[Finding]:
    """Look at everything, and start nothing but a converter that ends again."""
    return [*_machine(settings), await _jail(settings), *await _installation(settings, registry)]


def _machine(settings: Settings) -> list[Finding]:
    return [
        Finding("python", "ok", ".".join(map(str, sys.version_info[:3]))),
        Finding("docling", "ok", version("docling-slim")),
        _ocr(settings),
        _models(settings),
        _descriptions(settings),
        _isolation(settings),
    ]


async def _jail(settings: Settings) -> Finding:
    try:
        # Where workers have theirs, if there were any yet: it has to be in reach of its account.
        of_workers = settings.data_dir / "scratch"
        folder = scratch_folder(of_workers) if of_workers.is_dir() else command_scratch(settings)
        with folder as scratch:
            open_to(seclusion_of(settings).account, scratch)
            measures = await measures_of(settings, scratch)
    except (ConverterUnavailable, SettingsError, OSError) as error:
        return Finding("jail", "failed", f"no converter starts: {error}")
    held = ", ".join(measure.name for measure in measures if measure.held)
    lacks = missing(measures)
    return Finding("jail", "degraded" if lacks else "ok", f"{held} hold" + (f"; but not {lacks}" if lacks else ""))


def _isolation(settings: Settings) -> Finding:
    hardware = models_of(settings)
    loads_again = isinstance(hardware, Hardware) and not forkable(hardware)
    if isinstance(hardware, Hardware) and (
        settings.model_isolation == "shared" or (loads_again and settings.model_isolation == "auto")
    ):
        return Finding(
            "tenants in a converter",
            "ok",
            "one, but those that hold Docling's models serve all tenants one after the other; "
            "DOCREFINERY_MODEL_ISOLATION=tenant replaces them too"
            + (", and loads the models each time" if loads_again else ""),
        )
    more = ", models and all" if isinstance(hardware, Hardware) else ""
    return Finding("tenants in a converter", "ok", f"one: replaced when the tenant changes{more}")


def _ocr(settings: Settings) -> Finding:
    ocr = installed_ocr(settings.ocr_engine)
    if ocr is None:
        return Finding("ocr", "degraded", "no engine: install Tesseract (Debian: tesseract-ocr)")
    languages = [code for code in shown(ocr) if code != "auto"]
    some = ", ".join(languages[:12]) + (f" and {len(languages) - 12} more" if len(languages) > 12 else "")
    advice = "; more with Debian's tesseract-ocr-<language>" if ocr.engine == "tesseract" else ""
    return Finding("ocr", "ok", f"{ocr.engine} {ocr.version}: {some}{advice}")


def _models(settings: Settings) -> Finding:
    loads = models_of(settings)
    if isinstance(loads, Models):
        chosen = settings.engine == "geometric" or settings.model_slots == 0
        return Finding("models", "ok" if chosen else "degraded", f"not used: {loads.problem}")
    held = ", ".join(installed_models(settings.models_folder).held.values())
    each = f"{bytes_needed(settings) / 2**30:.1f} GiB"
    return Finding("models", "ok", f"{held}; a worker that loads them needs {each}")


def _descriptions(settings: Settings) -> Finding:
    if settings.picture_description_url:
        host = urlsplit(settings.picture_description_url).hostname
        return Finding("picture descriptions", "ok", f"asked of {host}")
    if not isinstance(models_of(settings), Models):
        held = installed_models(settings.models_folder).held
        if local := held.get("picture_description"):
            return Finding("picture descriptions", "ok", f"by {local}")
    return Finding(
        "picture descriptions", "degraded", "none: set DOCREFINERY_PICTURE_DESCRIPTION_URL to have pictures described"
    )


async def _installation(settings: Settings, registry: Registry) -> list[Finding]:
    try:
        found = connected(settings)
    except SettingsError as error:
        missing = await _profiles(registry, Abilities(None, settings))
        return [*missing, *await _object_storage(settings), Finding("services", "degraded", str(error))]
    try:
        blobs = blobs_of(found)
    except SettingsError as error:
        missing = await _profiles(registry, Abilities(None, found))
        return [*missing, Finding("storage", "failed", str(error))]
    db = database_of(found, walled=False)
    await db.start()
    try:
        abilities = Abilities(db, found)
        doorbell = RedisDoorbell(build_broker(found.redis_url))
        health = Health(db, blobs, doorbell, scanner_of(registry, found), registry, abilities, found)
        ready = await health.ready()
        parts = [
            Finding(part, check.status, check.detail) for part, check in ready.checks.items() if part not in _KNOWN_HERE
        ]
        if ready.checks["database"].status == "failed":
            abilities = Abilities(None, found)
        return [
            *await _profiles(registry, abilities),
            *parts,
            *await _object_storage(found),
            _secrets(found),
            await _encryption(db, found),
            _roles(found),
        ]
    finally:
        await db.close()


async def _profiles(registry: Registry, abilities: Abilities) -> list[Finding]:
    findings = []
    for profile in registry.profiles.values():
        missing = await abilities.missing(profile)
        detail = f"lacks {'; '.join(missing)}" if missing else "has what it needs"
        findings.append(Finding(f"profile {profile.name}", "degraded" if missing else "ok", detail))
    return findings


async def _object_storage(settings: Settings) -> list[Finding]:
    if settings.storage_folder is not None:
        return []
    try:
        await try_storage(settings)
    except StorageError as error:
        return [Finding("object storage", "failed", error.message)]
    signs = f"; downloads are redirected to it, for {settings.presigned_downloads} s at a time"
    return [Finding("object storage", "ok", f"can be written{signs if settings.presigned_downloads else ''}")]


def _secrets(settings: Settings) -> Finding:
    if keyed(settings).secret_keys:
        return Finding("webhook secrets", "ok", "can be kept")
    return Finding("webhook secrets", "degraded", "refused as long as DOCREFINERY_SECRET_KEYS is not set")


async def _encryption(db: Database, settings: Settings) -> Finding:
    chosen = keyed(settings)
    if problem := await lacking(db, chosen):
        return Finding("encryption at rest", "failed", problem)
    if not chosen.secret_keys:
        return Finding("encryption at rest", "ok", "off; it needs DOCREFINERY_SECRET_KEYS")
    return Finding("encryption at rest", "ok", "on" if chosen.encrypt else "for tenants that are set to it")


def _roles(settings: Settings) -> Finding:
    owner = urlsplit(settings.migration_database_url or settings.database_url).username
    if owner != urlsplit(settings.database_url).username:
        held = "the application cannot change the schema, and PostgreSQL holds requests to their tenant"
        return Finding("database roles", "ok", held)
    return Finding(
        "database roles",
        "degraded",
        "one role for all: the application could change the schema, and PostgreSQL does not hold requests to their "
        "tenant; give `docrefinery migrate` a role of its own in DOCREFINERY_MIGRATION_DATABASE_URL",
    )
