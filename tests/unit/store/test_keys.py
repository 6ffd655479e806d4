"""Envelopes: who opens what, and what a change of keys does."""

import base64

import pytest

from docrefinery.store.encryption.chunks import SECRET
from docrefinery.store.encryption.errors import BlobDamaged, KeyUnavailable
from docrefinery.store.encryption.keys import MasterKeys

OLD, NEW = (base64.urlsafe_b64encode(bytes(range(first, first + 32))).decode() for first in (0, 224))


def test_first_key_encrypts_and_all_open() -> None:
    wrapped = MasterKeys([OLD]).new_tenant_key(1)
    _, data_key = MasterKeys([OLD]).tenant_key(1, wrapped).new_secret("a")
    assert len(MasterKeys([NEW, OLD]).tenant_key(1, wrapped).secret("a", data_key)) == SECRET
    with pytest.raises(KeyUnavailable, match="put back"):
        MasterKeys([NEW]).tenant_key(1, wrapped)
    with pytest.raises(KeyUnavailable):
        MasterKeys([]).tenant_key(1, wrapped)


def test_without_a_key_nothing_is_encrypted() -> None:
    assert not MasterKeys([]).available
    with pytest.raises(KeyUnavailable, match="DOCREFINERY_SECRET_KEYS"):
        MasterKeys([]).new_tenant_key(1)


def test_rewrapped_key_is_the_same_and_needs_the_first_master_key_alone() -> None:
    wrapped = MasterKeys([OLD]).new_tenant_key(1)
    secret, data_key = MasterKeys([OLD]).tenant_key(1, wrapped).new_secret("a")
    renewed = MasterKeys([NEW, OLD]).renewed(1, wrapped)
    assert renewed is not None
    assert MasterKeys([NEW]).tenant_key(1, renewed).secret("a", data_key) == secret
    assert MasterKeys([NEW, OLD]).renewed(1, renewed) is None
    with pytest.raises(KeyUnavailable):
        MasterKeys([NEW]).renewed(1, wrapped)


def test_key_of_a_tenant_is_no_other_tenants() -> None:
    masters = MasterKeys([OLD])
    with pytest.raises(KeyUnavailable):
        masters.tenant_key(2, masters.new_tenant_key(1))


def test_secret_of_a_blob_is_no_other_blobs_and_no_other_tenants() -> None:
    masters = MasterKeys([OLD])
    ours, theirs = (masters.tenant_key(n, masters.new_tenant_key(n)) for n in (1, 2))
    secret, data_key = ours.new_secret("a")
    assert ours.secret("a", data_key) == secret
    with pytest.raises(BlobDamaged):
        ours.secret("b", data_key)
    with pytest.raises(BlobDamaged):
        theirs.secret("a", data_key)
    assert ours.new_secret("a")[0] != secret


def test_no_message_and_no_repr_holds_key_material() -> None:
    masters = MasterKeys([OLD])
    wrapped = masters.new_tenant_key(1)
    tenant_key = masters.tenant_key(1, wrapped)
    secret, data_key = tenant_key.new_secret("a")
    with pytest.raises(KeyUnavailable) as closed:
        MasterKeys([NEW]).tenant_key(1, wrapped)
    shown = f"{masters!r} {tenant_key!r} {closed.value!r}"
    for key in (bytes(range(32)), secret, wrapped, data_key):
        assert repr(key)[2:-1] not in shown
        assert base64.urlsafe_b64encode(key).decode() not in shown
