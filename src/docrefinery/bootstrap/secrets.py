"""Where the keys are that webhook secrets are encrypted under."""

import os
from base64 import urlsafe_b64encode
from pathlib import Path
from secrets import token_bytes

import msgspec

from docrefinery.settings import Settings, SettingsError, is_secret_key

KEY_FILE = "secret-keys"


def keyed(settings: Settings, *, make: bool = False) -> Settings:
    """Fill in the keys that the data dir holds, where none are set.

    :param make: make the first one if there is none yet.
    :raises SettingsError: if the file cannot be used.
    """
    if settings.secret_keys:
        return settings
    path = settings.data_dir / KEY_FILE
    try:
        if make and not path.exists():
            _make(path)
        text = path.read_text() if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"The keys in {path} cannot be read or made: {reason}.") from error
    keys = tuple(text.replace(",", " ").split())
    if not all(is_secret_key(key) for key in keys):
        raise SettingsError(f"{path} holds something that is no Fernet key; restore it from a backup.")
    return msgspec.structs.replace(settings, secret_keys=keys)


def _make(path: Path) -> None:
    """Write a new key under another name first, so that a kill leaves no half one."""
    draft = path.with_name(f"{KEY_FILE}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{urlsafe_b64encode(token_bytes(32)).decode()}\n")
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
