"""Envelopes: master keys around tenants' keys, those around the secrets of blobs."""

import base64
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from docrefinery.store.encryption.chunks import KEY, SECRET
from docrefinery.store.encryption.errors import BlobDamaged, KeyUnavailable

_NONCE = 12


def _wrap(aead: AESGCM, secret: bytes, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + aead.encrypt(nonce, secret, context)


def _unwrap(aead: AESGCM, wrapped: bytes, context: bytes) -> bytes:
    return aead.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], context)


class TenantKey:
    """A tenant's key, open."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def new_secret(self, blob_key: str) -> tuple[bytes, bytes]:
        """Return a new blob's secret, and the same wrapped, as its row keeps it."""
        secret = os.urandom(SECRET)
        return secret, _wrap(self._aead, secret, _of_blob(blob_key))

    def secret(self, blob_key: str, wrapped: bytes) -> bytes:
        """Return a blob's secret; raises :class:`BlobDamaged` if it was wrapped under another key or for another."""
        try:
            return _unwrap(self._aead, wrapped, _of_blob(blob_key))
        except InvalidTag:
            raise BlobDamaged("A blob's key was not encrypted under its tenant's key.") from None


def _of_blob(blob_key: str) -> bytes:
    return b"docrefinery blob 1 " + blob_key.encode()


class MasterKeys:
    """The installation's keys: the first encrypts tenants' keys, all decrypt them.

    :param keys: 32 bytes each, in URL-safe base64. Webhook secrets are encrypted under the same ones, so these here are
        derived from them (HKDF, RFC 5869).
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._aeads = [AESGCM(_derived(base64.urlsafe_b64decode(key))) for key in keys]

    @property
    def available(self) -> bool:
        """Whether anything can be encrypted."""
        return bool(self._aeads)

    def new_tenant_key(self, tenant_id: int) -> bytes:
        """Return a new key of a tenant, wrapped; raises :class:`KeyUnavailable` if no key is set."""
        if not self._aeads:
            raise KeyUnavailable("Nothing can be encrypted: DOCREFINERY_SECRET_KEYS is not set.")
        return _wrap(self._aeads[0], os.urandom(KEY), _of_tenant(tenant_id))

    def tenant_key(self, tenant_id: int, wrapped: bytes) -> TenantKey:
        """Open a tenant's key; raises :class:`KeyUnavailable`."""
        return TenantKey(self._unwrapped(tenant_id, wrapped))

    def renewed(self, tenant_id: int, wrapped: bytes) -> bytes | None:
        """Return a tenant's key wrapped under the first master key, ``None`` if it is.

        :raises KeyUnavailable: if it cannot be opened.
        """
        key = self._unwrapped(tenant_id, wrapped)
        try:
            _unwrap(self._aeads[0], wrapped, _of_tenant(tenant_id))
        except InvalidTag:
            return _wrap(self._aeads[0], key, _of_tenant(tenant_id))
        return None

    def _unwrapped(self, tenant_id: int, wrapped: bytes) -> bytes:
        for aead in self._aeads:
            try:
                return _unwrap(aead, wrapped, _of_tenant(tenant_id))
            except InvalidTag:
                continue
        raise KeyUnavailable(
            f"The key of tenant {tenant_id} was encrypted under none of DOCREFINERY_SECRET_KEYS; put back the one that "
            "is missing."
        )


def _derived(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=b"docrefinery encryption at rest 1").derive(key)


def _of_tenant(tenant_id: int) -> bytes:
    return b"docrefinery tenant 1 %d" % tenant_id
