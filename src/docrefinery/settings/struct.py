"""What an operator can set, with bounds and defaults."""

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Meta, Struct
from platformdirs import user_data_path

from docrefinery.settings.durations import FOREVER


class SettingsError(Exception):
    """A setting is unknown or its value cannot be used; the message is one line that names it."""


def default_data_dir() -> Path:
    """Return where data is kept unless told otherwise: ``/var/lib`` for root, else the user's data folder."""
    return Path("/var/lib/docrefinery") if os.geteuid() == 0 else user_data_path("docrefinery")


Positive = Annotated[int, Meta(ge=1)]
NotNegative = Annotated[int, Meta(ge=0)]
MOST = 1_000_000_000
"""The largest number that a limit may be."""
Limit = Annotated[int, Meta(ge=0, le=MOST)]
DAY = 24 * 3600
YEAR = 366 * DAY
Seconds = Annotated[float, Meta(gt=0, le=YEAR)]
QueueClass = Literal["fast", "ocr", "model", "webhooks", "maintenance"]
Engine = Literal["auto", "geometric", "docling"]
OcrEngine = Literal["auto", "tesseract", "rapidocr"]
Jail = Literal["auto", "require"]
ModelIsolation = Literal["auto", "shared", "tenant"]


def setting(description: str, *, name: str = "") -> Meta:
    """Describe a setting; ``name`` is its variable where that is not ``DOCREFINERY_<FIELD>``."""
    return Meta(description=description, extra={"name": name})


class Settings(Struct, frozen=True, kw_only=True):
    """What an operator can set. ``docs/configuration.md`` is held to these descriptions by a test.

    ``environ`` is no setting: it is the environment that the settings were read from, for scanner plugins.
    """

    upload_max_size_mb: Annotated[
        Positive, setting("Largest upload in MiB, counting the file alone.", name="UPLOAD_MAX_SIZE_MB")
    ] = 50
    max_pages: Annotated[NotNegative, setting("Default of `max_num_pages`; 0 is no limit.", name="MAX_PAGES")] = 0
    internal_endpoints_token: Annotated[
        str,
        setting(
            "Token that health and metrics endpoints ask for; empty asks for none.", name="INTERNAL_ENDPOINTS_TOKEN"
        ),
    ] = ""
    database_url: Annotated[
        str, setting("PostgreSQL of the application role; empty lets `up` run its own.", name="DATABASE_URL")
    ] = ""
    redis_url: Annotated[str, setting("Redis or Valkey; empty lets `up` run its own.", name="REDIS_URL")] = ""
    migration_database_url: Annotated[
        str, setting("PostgreSQL of the role that owns the schema; empty uses `DATABASE_URL` for both.")
    ] = ""
    host: Annotated[str, setting("Address the API listens on.")] = "127.0.0.1"
    port: Annotated[Annotated[int, Meta(ge=0, le=65535)], setting("Port the API listens on; 0 takes a free one.")] = (
        8000
    )
    public_url: Annotated[
        str, setting("Address under which clients reach the API, for links; empty takes it from the request.")
    ] = ""
    data_dir: Annotated[Path, setting("Folder of everything that is kept on this machine.")] = msgspec.field(
        default_factory=default_data_dir
    )
    workers: Annotated[Positive, setting("Worker processes that `up` runs, each converting one job at a time.")] = (
        msgspec.field(default_factory=lambda: len(os.sched_getaffinity(0)))
    )
    storage_url: Annotated[
        str,
        setting(
            "Where files and artifacts are kept: `file:///folder`, `s3://bucket/prefix`, `gs://bucket/prefix`, "
            "`az://container/prefix`; empty is the folder `blobs` in the data dir."
        ),
    ] = ""
    storage_ca_file: Annotated[
        Path | None,
        setting("PEM file of certificates that object storage is trusted by, besides the public authorities."),
    ] = None
    storage_timeout_seconds: Annotated[
        Annotated[float, Meta(ge=1, le=3600)],
        setting(
            "Seconds within which object storage answers a request, or sends the next bytes; what fails is tried again "
            "for half as long."
        ),
    ] = 30
    presigned_downloads: Annotated[
        Annotated[int, Meta(ge=0, le=DAY)],
        setting(
            "Seconds for which URLs of the object storage are signed that downloads are redirected to; `true` is 300, "
            "`false` or 0 sends the bytes through the API."
        ),
    ] = 0
    presigned_endpoint: Annotated[
        str,
        setting(
            "Endpoint of S3 for those URLs, such as `https://files.example`, where clients reach it under another one "
            "than the service does."
        ),
    ] = ""
    x_accel_prefix: Annotated[
        str,
        setting(
            "nginx's internal location over the storage folder, such as `/protected/`; empty serves downloads directly."
        ),
    ] = ""
    clamd_address: Annotated[
        str, setting("ClamAV daemon, `host:port` or `unix:/path`; empty uses the basic scanner.")
    ] = ""
    scanner: Annotated[
        str, setting("Name of the scanner plugin; empty is `clamd` where its address is set, else `basic`.")
    ] = ""
    scanner_wait_seconds: Annotated[
        Seconds, setting("How long a job waits for a scanner, storage or converter that is away before it fails.")
    ] = 1800
    plugins: Annotated[
        tuple[str, ...] | None,
        setting("Names of the plugins to load, separated by commas; unset loads all installed ones."),
    ] = None
    max_pages_limit: Annotated[
        NotNegative, setting("Pages that no request's `max_num_pages` exceeds; 0 is no limit.")
    ] = 0
    document_timeout_limit: Annotated[
        Seconds, setting("Seconds a conversion may take, and the most that `document_timeout` may ask for.")
    ] = 600
    engine: Annotated[
        Engine,
        setting(
            "`auto` converts with Docling's models where they are installed; `geometric` never does; `docling` fails "
            "jobs that would want them where they are not."
        ),
    ] = "auto"
    models_dir: Annotated[
        Path | None,
        setting(
            "Folder of Docling's models, its `artifacts_path`, as `docrefinery models download` fills it; empty is "
            "the folder `models` in the data dir."
        ),
    ] = None
    model_slots: Annotated[
        NotNegative | None,
        setting(
            "Workers of `up` that load Docling's models; of a single worker, 0 loads none. Unset, as many as memory "
            "allows."
        ),
    ] = None
    models_wait_seconds: Annotated[
        Seconds,
        setting(
            "Seconds that jobs which want Docling's models wait for a worker that has them after the last one was "
            "heard of; then any worker takes them."
        ),
    ] = 120
    models_loading_seconds: Annotated[
        Seconds, setting("Seconds that loading the models may take; then a worker goes on without them.")
    ] = 300
    device: Annotated[
        str, setting("What the models run on: `auto`, `cpu`, `cuda`, `cuda:<number>`, `mps` or `xpu`.")
    ] = "auto"
    model_threads: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | None,
        setting("Threads of the models in one converter; unset, the cores are shared out between the model slots."),
    ] = None
    page_batch_size: Annotated[Positive, setting("Pages that a model is given at a time.")] = 4
    picture_batch_size: Annotated[Positive, setting("Pictures that a model is given at a time.")] = 8
    ocr_engine: Annotated[
        OcrEngine, setting("Text recognition: `auto` is Tesseract where it is installed, else RapidOCR.")
    ] = "auto"
    ocr_threads: Annotated[Positive, setting("Pages that one converter recognises at a time.")] = msgspec.field(
        default_factory=lambda: len(os.sched_getaffinity(0))
    )
    picture_description_url: Annotated[
        str,
        setting(
            "OpenAI-compatible endpoint that describes pictures, such as `http://host:8080/v1`; empty describes none."
        ),
    ] = ""
    picture_description_model: Annotated[str, setting("Model that the endpoint is asked for.")] = ""
    picture_description_api_key: Annotated[str, setting("Key that the endpoint is sent as a bearer token.")] = ""
    child_memory_mb: Annotated[
        Annotated[int, Meta(ge=512)], setting("Address space in MiB that a converter process may use.")
    ] = 4096
    child_max_jobs: Annotated[Positive, setting("Jobs after which a converter process is replaced.")] = 200
    child_max_rss_mb: Annotated[
        Positive,
        setting("Resident memory in MiB, models apart, above which a converter process is replaced after its job."),
    ] = 1024
    child_scratch_mb: Annotated[
        Positive,
        setting("Disk in MiB that a converter process may fill in the scratch folder, beside the file it is given."),
    ] = 4096
    jail: Annotated[
        Jail,
        setting(
            "`auto` keeps converters apart as far as this machine can; `require` refuses to start where anything is "
            "missing, and says what."
        ),
    ] = "auto"
    model_isolation: Annotated[
        ModelIsolation,
        setting(
            "`auto` replaces a converter that holds Docling's models when the tenant changes, unless that loads them "
            "again, as with a GPU; `tenant` does so in any case, `shared` in none. Converters without models are "
            "always replaced."
        ),
    ] = "auto"
    lease_seconds: Annotated[
        Annotated[float, Meta(ge=2, le=YEAR)],
        setting("Seconds without a heartbeat after which a worker's job is given to another."),
    ] = 10
    sweep_seconds: Annotated[Seconds, setting("Seconds between two looks for abandoned or forgotten jobs.")] = 2
    queues: Annotated[
        Annotated[tuple[QueueClass, ...], Meta(min_length=1)],
        setting(
            "What a worker does, separated by commas: jobs of `fast`, `ocr` and `model`, by what they cost, "
            "`webhooks` and `maintenance`."
        ),
    ] = ("fast", "ocr", "model", "webhooks", "maintenance")
    slice_pages: Annotated[
        NotNegative,
        setting(
            "Pages from which a document that needs none of Docling's models is read by several workers; 0 has each "
            "read by one."
        ),
    ] = 48
    max_crashes: Annotated[Positive, setting("Crashes of its converter or worker after which a job fails.")] = 3
    stop_grace_seconds: Annotated[
        Annotated[float, Meta(ge=0, le=YEAR)],
        setting(
            "Seconds after SIGTERM within which the job in hand and requests in flight may end; what is left then goes "
            "back to the queue, or is broken off."
        ),
    ] = 15
    database_pool_size: Annotated[
        Positive, setting("Connections that each process keeps to PostgreSQL at the most, besides one that listens.")
    ] = 8
    database_statement_cache: Annotated[
        bool, setting("Prepared statements are reused; turn off behind PgBouncer in transaction mode.")
    ] = True
    secret_keys: Annotated[
        tuple[str, ...],
        setting(
            "Fernet keys for webhook secrets and encryption at rest, separated by commas: the first encrypts, all "
            "decrypt; `up` makes one and keeps it in the data dir unless this is set."
        ),
    ] = ()
    encrypt: Annotated[
        bool,
        setting(
            "Files and artifacts are stored encrypted, of tenants that do not say otherwise; needs "
            "`DOCREFINERY_SECRET_KEYS`."
        ),
    ] = False
    webhook_allow_nets: Annotated[
        tuple[str, ...],
        setting(
            "Networks such as `10.0.0.0/8` that webhooks may lead to though they are not public, separated by commas."
        ),
    ] = ()
    webhook_retry_delays: Annotated[
        tuple[Annotated[float, Meta(ge=0, le=YEAR)], ...],
        setting(
            "Seconds before each attempt at a webhook delivery, separated by commas; the first attempt is made at "
            "once, so a list that does not begin with 0 gets one."
        ),
    ] = (0, 5, 300, 1800, 7200, 18000, 36000, 36000)
    keep_files_hours: Annotated[
        NotNegative,
        setting(
            "How long an uploaded file is kept after its upload or its last job's end: `30d`, `12h` or `forever`; "
            "a tenant may have its own.",
            name="DOCREFINERY_KEEP_FILES",
        ),
    ] = FOREVER
    keep_artifacts_hours: Annotated[
        NotNegative,
        setting("How long artifacts are kept after their job's end, likewise.", name="DOCREFINERY_KEEP_ARTIFACTS"),
    ] = FOREVER
    keep_jobs_hours: Annotated[
        NotNegative,
        setting(
            "How long jobs are kept after their end, likewise; their artifacts go with them.",
            name="DOCREFINERY_KEEP_JOBS",
        ),
    ] = FOREVER
    keep_tombstones_hours: Annotated[
        NotNegative,
        setting(
            "How long what has expired is answered with 410, from its expiry on; then it is 404.",
            name="DOCREFINERY_KEEP_TOMBSTONES",
        ),
    ] = 366 * 24
    requests_per_minute: Annotated[
        Limit,
        setting("Requests of a tenant in a minute, polls apart, if it has no number of its own; 0 is no limit."),
    ] = 0
    max_queued_jobs: Annotated[
        Limit, setting("Queued jobs of a tenant, if it has no number of its own; 0 is no limit.")
    ] = 0
    max_pages_in_flight: Annotated[
        Limit,
        setting("Pages of a tenant's queued and running jobs, if it has no number of its own; 0 is no limit."),
    ] = 0
    max_stored_mb: Annotated[
        Limit,
        setting("MiB of a tenant's files and artifacts, if it has no number of its own; 0 is no limit."),
    ] = 0
    max_queue_depth: Annotated[
        Limit,
        setting("Queued jobs of all tenants from which on no uploads and jobs are accepted; 0 is no limit."),
    ] = 0
    min_free_disk_mb: Annotated[
        Limit,
        setting("MiB that uploads leave free on the disk of the storage folder; 0 does not look."),
    ] = 512
    log_format: Annotated[
        Literal["auto", "console", "json"],
        setting("`console` for people, `json` for machines; `auto` asks the terminal."),
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], setting("Least severe level that is logged.")
    ] = "info"

    environ: dict[str, str] = {}

    def __repr__(self) -> str:
        """Show what is no secret: URLs, tokens, keys and the environment may end up in no log."""
        return f"Settings(data_dir={self.data_dir!s}, …)"

    @property
    def webhook_schedule(self) -> tuple[float, ...]:
        """Seconds before each attempt at a delivery, the first one included."""
        delays = self.webhook_retry_delays
        return delays if delays[:1] == (0,) else (0, *delays)

    @property
    def upload_limit(self) -> int:
        """Largest upload in bytes."""
        return self.upload_max_size_mb * 1024 * 1024

    @property
    def storage(self) -> str:
        """URL of the storage in effect."""
        return self.storage_url or (self.data_dir.absolute() / "blobs").as_uri()

    @property
    def storage_folder(self) -> Path | None:
        """The folder that the storage is, if it is one on this machine."""
        parts = urlsplit(self.storage)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    @property
    def models_folder(self) -> Path:
        """Folder of Docling's models in effect."""
        return self.models_dir or self.data_dir.absolute() / "models"

    @property
    def scanner_name(self) -> str:
        """Name of the scanner in effect."""
        return self.scanner or ("clamd" if self.clamd_address else "basic")
