"""What the first start on a data dir makes: a tenant, a key, and a PDF to try."""

import os
from pathlib import Path

from msgspec import Struct

from docrefinery.bootstrap.operator import Operator, operator
from docrefinery.cli.sample import sample_pdf
from docrefinery.errors import Unauthenticated
from docrefinery.model import Scope
from docrefinery.services.audit import operator_acts
from docrefinery.settings import Settings

TENANT = "default"


class FirstKey(Struct, frozen=True):
    """The first start's key: the file that keeps it, and the key itself if this is that start."""

    path: Path
    new: str = ""


async def first_key(settings: Settings) -> FirstKey | None:
    """Return the first start's key, made now if this is it; ``None`` if it is no longer valid or known."""
    path = settings.data_dir / "api-key"
    operator_acts()
    async with operator(settings) as services:
        if path.exists():
            return FirstKey(path) if await _is_valid(services, path.read_text().strip()) else None
        if TENANT not in [tenant.name for tenant in await services.tenants.list()]:
            await services.tenants.create(TENANT)
        if await services.tenants.list_keys(TENANT):
            return None
        issued = await services.tenants.issue_key(TENANT, list(Scope), name="first start")
        _write_private(path, issued.key + "\n")
        return FirstKey(path, issued.key)


async def _is_valid(services: Operator, key: str) -> bool:
    try:
        await services.authenticator.authenticate(key)
    except Unauthenticated:
        return False
    return True


def sample(settings: Settings) -> Path:
    """Return a small PDF in the data dir, made now if it is not there."""
    path = settings.data_dir / "sample.pdf"
    if not path.exists():
        path.write_bytes(sample_pdf())
    return path


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
