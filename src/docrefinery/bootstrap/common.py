"""What every kind of process is built from."""

import dataclasses
from collections.abc import Mapping

import msgspec

from docrefinery.embedded import locate
from docrefinery.errors import StorageError
from docrefinery.pipeline.converter import ChildLimits, Seclusion
from docrefinery.pipeline.describing import PictureDescriber
from docrefinery.plugin import ScanEngine, Scanner
from docrefinery.plugin.registry import Registry, load
from docrefinery.settings import Settings, SettingsError
from docrefinery.store.blobs import Blobs
from docrefinery.store.database import QUERY_SECONDS, Database
from docrefinery.store.encryption.keys import MasterKeys
from docrefinery.store.encryption.vault import Vault
from docrefinery.store.opening import Access


def connected(settings: Settings) -> Settings:
    """Fill in the URLs of embedded services that run on the data dir, where none are set.

    :raises SettingsError: if there are none either.
    """
    if settings.database_url and settings.redis_url:
        return settings
    running = locate(settings.data_dir)
    if running is None:
        raise SettingsError(
            f"Nothing runs on {settings.data_dir}: start `docrefinery up`, or set DATABASE_URL and REDIS_URL."
        )
    own_database = bool(settings.database_url)
    return msgspec.structs.replace(
        settings,
        database_url=settings.database_url or running.database_url,
        redis_url=settings.redis_url or running.redis_url,
        migration_database_url=(settings.migration_database_url if own_database else running.migration_database_url),
    )


def registry_of(settings: Settings) -> Registry:
    """Load the plugins.

    :raises PluginError: if one of them cannot be used.
    :raises SettingsError: if the scanner that is asked for does not exist.
    """
    registry = load(settings.plugins)
    if settings.scanner_name not in registry.scanners:
        known = ", ".join(sorted(registry.scanners))
        raise SettingsError(f"DOCREFINERY_SCANNER={settings.scanner_name}: no plugin offers it; there are {known}.")
    return registry


def scanner_of(registry: Registry, settings: Settings) -> Scanner:
    """Return the scanner in effect; its ``create`` raises :class:`SettingsError` whatever is wrong."""
    scanner = registry.scanners[settings.scanner_name]

    def create(environ: Mapping[str, str]) -> ScanEngine:
        try:
            return scanner.create(environ)
        except Exception as error:
            plugin = registry.provider(scanner)
            reason = " ".join(str(error).split()) or type(error).__name__
            raise SettingsError(
                f"The scanner {scanner.name!r} of {plugin.distribution} {plugin.version} cannot be used: {reason}"
            ) from error

    return dataclasses.replace(scanner, create=create)


def database_of(settings: Settings, *, walled: bool, patience_seconds: float = QUERY_SECONDS) -> Database:
    """Return the access to PostgreSQL that the settings name; it is opened with ``start``.

    :param walled: for requests of tenants; workers, sweeps and the operator's commands go across tenants by nature.
    """
    return Database(
        settings.database_url,
        pool_size=settings.database_pool_size,
        statement_cache=settings.database_statement_cache,
        walled=walled,
        patience_seconds=patience_seconds,
    )


def blobs_of(settings: Settings) -> Blobs:
    """Return the storage that the settings name; it is not asked anything yet.

    :raises SettingsError: if it cannot be opened.
    """
    allowed = [settings.environ.get(f"{cloud}_ALLOW_HTTP", "") for cloud in ("AWS", "GOOGLE", "AZURE")]
    access = Access(
        allow_http=any(value.lower() in ("1", "true", "yes", "on") for value in allowed),
        ca_file=settings.storage_ca_file,
        timeout_seconds=settings.storage_timeout_seconds,
        signing_endpoint=settings.presigned_endpoint,
    )
    try:
        return Blobs(settings.storage, access)
    except StorageError as error:
        raise SettingsError(f"{error.message} See DOCREFINERY_STORAGE_URL.") from None


def vault_of(settings: Settings, db: Database, blobs: Blobs) -> Vault:
    """Return the storage with the keys that the settings hold."""
    return Vault(db, blobs, MasterKeys(settings.secret_keys), encrypt=settings.encrypt)


def describer_of(settings: Settings) -> PictureDescriber | None:
    """Return the way to the endpoint that describes pictures, if one is named.

    :raises SettingsError: if it cannot be asked.
    """
    if not settings.picture_description_url:
        return None
    url, key = settings.picture_description_url, settings.picture_description_api_key
    try:
        return PictureDescriber(url, settings.picture_description_model, key)
    except ValueError as error:
        raise SettingsError(f"DOCREFINERY_PICTURE_DESCRIPTION_URL or _API_KEY cannot be used: {error}") from None


def child_limits(settings: Settings) -> ChildLimits:
    """Return what a converter process may use."""
    mebi = 1024 * 1024
    return ChildLimits(
        memory_bytes=settings.child_memory_mb * mebi,
        max_jobs=settings.child_max_jobs,
        max_rss_bytes=settings.child_max_rss_mb * mebi,
        scratch_bytes=settings.child_scratch_mb * mebi,
        ocr_threads=settings.ocr_threads,
    )


def seclusion_of(settings: Settings) -> Seclusion:
    """Return how far a converter process is kept apart."""
    return Seclusion(
        data_dir=settings.data_dir.absolute(),
        required=settings.jail == "require",
        models_by_tenant={"auto": None, "tenant": True, "shared": False}[settings.model_isolation],
    )
