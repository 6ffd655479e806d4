"""PostgreSQL and Valkey from wheels, run by this process over unix sockets: for ``docrefinery up`` and for the tests.

>>> with EmbeddedServices(Path("data")) as services:  # doctest: +SKIP
...     connect(services.database_url)

Linux with glibc. Nothing here imports asyncpg, a Redis client or the wheels' own Python code.
"""

from docrefinery.embedded.endpoints import Endpoints, locate
from docrefinery.embedded.errors import BinaryMissing, DataDirInUse, DiskFull, EmbeddedError, ServiceFailed
from docrefinery.embedded.services import EmbeddedServices

__all__ = [
    "BinaryMissing",
    "DataDirInUse",
    "DiskFull",
    "EmbeddedError",
    "EmbeddedServices",
    "Endpoints",
    "ServiceFailed",
    "locate",
]
