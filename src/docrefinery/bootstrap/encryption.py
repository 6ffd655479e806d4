"""Whether what is encrypted, or is to be, can be: looked at before a process serves or works."""

from docrefinery.bootstrap.common import database_of
from docrefinery.settings import Settings, SettingsError
from docrefinery.store import tenant_keys, tenants
from docrefinery.store.database import SCHEMA_MISSING, UNREACHABLE, Database
from docrefinery.store.encryption.errors import KeyUnavailable
from docrefinery.store.encryption.keys import MasterKeys

AT_ONCE = 500


async def check_keys(settings: Settings) -> None:
    """Check that the keys are there which the settings and the tenants need.

    Where the database is away, or from before encryption, what is in it is left to those who use it.

    :raises SettingsError: if a key is missing, or is another one.
    """
    db = database_of(settings, walled=False)
    await db.start()
    try:
        problem = await lacking(db, settings)
    finally:
        await db.close()
    if problem:
        raise SettingsError(problem)


async def lacking(db: Database, settings: Settings) -> str:
    """Return what is wrong with the keys; an empty text is nothing."""
    masters = MasterKeys(settings.secret_keys)
    if settings.encrypt and not masters.available:
        return "DOCREFINERY_ENCRYPT is on and no key is set: set DOCREFINERY_SECRET_KEYS."
    try:
        return await _lacking_for_tenants(db, masters)
    except (*UNREACHABLE, *SCHEMA_MISSING):
        return ""


async def _lacking_for_tenants(db: Database, masters: MasterKeys) -> str:
    if not masters.available and (tenant := await tenants.first_encrypted(db)):
        return f"The tenant {tenant} is to be encrypted and no key is set: set DOCREFINERY_SECRET_KEYS."
    last = 0
    while found := await tenant_keys.after(db, last, AT_ONCE):
        for key in found:
            try:
                masters.tenant_key(key.tenant_id, key.wrapped)
            except KeyUnavailable:
                return (
                    f"DOCREFINERY_SECRET_KEYS lacks the key that {key.tenant_name} is encrypted under: put it back, or "
                    f"give its files up with `docrefinery storage shred --tenant {key.tenant_name} --yes`."
                )
        last = found[-1].tenant_id
    return ""
