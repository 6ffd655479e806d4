"""How API keys look."""

import re
from datetime import UTC, datetime
from typing import cast
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given, strategies as st

from docrefinery.errors import Unauthenticated
from docrefinery.services.keys import _FORMAT, Authenticator, _checksum, new_key
from docrefinery.store import tenants
from docrefinery.store.database import Database
from docrefinery.store.records import KeyRecord


def test_key_has_a_prefix_160_random_bits_and_a_checksum() -> None:
    made = new_key()
    match = re.fullmatch(r"dr_([a-z2-7]{10})_([a-z2-7]{32})([a-z2-7]{7})", made.key)
    assert match is not None
    assert match[1] == made.prefix
    assert len(made.secret_sha256) == 32


def test_no_two_keys_are_alike() -> None:
    keys = [new_key() for _ in range(200)]
    assert len({key.prefix for key in keys}) == len({key.secret_sha256 for key in keys}) == 200


@given(st.integers(0, 45), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_one_wrong_character_is_noticed_without_the_database(position: int, character: str) -> None:
    key = new_key().key
    wrong = key[:position] + character + key[position + 1 :]
    match = _FORMAT.fullmatch(wrong)
    assert wrong == key or match is None or _checksum(wrong[:-7]) != match["checksum"]


async def test_row_read_before_a_revocation_was_heard_of_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made = new_key()
    record = KeyRecord(
        id=1, uuid=uuid4(), tenant_id=1, tenant_uuid=uuid4(), tenant_name="acme", tenant_options=msgspec.Raw(b"{}"),
        tenant_default_profile=None, tenant_max_upload_mb=None, tenant_max_pages=None, tenant_encrypt=None,
        tenant_requests_per_minute=None, tenant_max_queued_jobs=None,
        tenant_max_pages_in_flight=None, tenant_max_stored_mb=None,
        tenant_disabled_profiles=[], name="", prefix=made.prefix, secret_sha256=made.secret_sha256, scopes=[],
        options=msgspec.Raw(b"{}"), default_profile=None, created_at=datetime.now(UTC), expires_at=None,
        revoked_at=None,
    )  # fmt: skip
    authenticator = Authenticator(cast(Database, None))
    authenticator.cache(True)
    answers = [record, msgspec.structs.replace(record, revoked_at=datetime.now(UTC))]

    async def read(db: Database, prefix: str) -> KeyRecord:
        row = answers.pop(0)
        if answers:
            authenticator.forget()
        return row

    monkeypatch.setattr(tenants, "key_by_prefix", read)
    await authenticator.authenticate(made.key)
    with pytest.raises(Unauthenticated, match="revoked"):
        await authenticator.authenticate(made.key)
