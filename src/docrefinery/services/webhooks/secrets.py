"""Webhook secrets at rest: encrypted under the installation's keys."""

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretUnreadable(Exception):
    """A secret was encrypted under a key that is not there any more."""


class Secrets:
    """Encrypts under the first key, decrypts under any.

    :param keys: Fernet keys; without any, nothing can be kept.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]
        self._fernet = MultiFernet([Fernet(key) for key in self._keys]) if self._keys else None

    @property
    def available(self) -> bool:
        """Whether secrets can be kept."""
        return self._fernet is not None

    def encrypt(self, secret: str) -> bytes:
        """Encrypt a secret; ask :attr:`available` first."""
        assert self._fernet is not None
        return self._fernet.encrypt(secret.encode())

    def decrypt(self, token: bytes) -> str:
        """Decrypt a secret; raises :class:`SecretUnreadable`."""
        try:
            if self._fernet is not None:
                return self._fernet.decrypt(token).decode()
        except InvalidToken:
            pass
        raise SecretUnreadable

    def renewed(self, token: bytes) -> bytes | None:
        """Return a secret encrypted under the first key, ``None`` if it is already, or cannot be decrypted."""
        if self._fernet is None:
            return None
        try:
            Fernet(self._keys[0]).extract_timestamp(token)
        except InvalidToken:
            pass
        else:
            return None
        try:
            return self._fernet.rotate(token)
        except InvalidToken:
            return None

    def digest(self, secret: str) -> str:
        """Return what tells two secrets apart and does not help to guess them."""
        return hmac.new(self._keys[0], secret.encode(), hashlib.sha256).hexdigest() if self._keys else ""
