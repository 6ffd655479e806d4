"""Secrets at rest, and the keys they are encrypted under."""

import base64
import stat
from pathlib import Path

import pytest

from docrefinery import logs
from docrefinery.bootstrap.secrets import KEY_FILE, keyed
from docrefinery.services.webhooks.secrets import Secrets, SecretUnreadable
from docrefinery.settings import Settings, SettingsError, load

OLD, NEW = (base64.urlsafe_b64encode(bytes(range(first, first + 32))).decode() for first in (0, 224))


def test_first_key_encrypts_and_all_decrypt() -> None:
    token = Secrets([OLD]).encrypt("hush")
    assert b"hush" not in token
    assert Secrets([NEW, OLD]).decrypt(token) == "hush"
    with pytest.raises(SecretUnreadable):
        Secrets([NEW]).decrypt(token)
    with pytest.raises(SecretUnreadable):
        Secrets([]).decrypt(token)


def test_renewed_secret_needs_the_first_key_alone() -> None:
    both = Secrets([NEW, OLD])
    renewed = both.renewed(Secrets([OLD]).encrypt("hush"))
    assert renewed is not None
    assert Secrets([NEW]).decrypt(renewed) == "hush"
    assert both.renewed(renewed) is None


def test_what_cannot_be_decrypted_is_left_as_it_is() -> None:
    token = Secrets([OLD]).encrypt("hush")
    assert Secrets([NEW]).renewed(token) is None
    assert Secrets([]).renewed(token) is None


def test_digest_tells_secrets_apart_and_depends_on_the_key() -> None:
    digest = Secrets([OLD]).digest
    assert digest("a") == digest("a") != digest("b")
    assert digest("a") != Secrets([NEW]).digest("a")


@pytest.mark.parametrize(
    "value", ["short", OLD[:-1], OLD + "=", f"{NEW},{OLD}x", OLD.replace("=", "!"), f"{OLD};{NEW}"]
)
def test_wrong_key_stops_the_start_without_being_shown(value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({"DOCREFINERY_SECRET_KEYS": value})
    message = str(raised.value)
    assert message.startswith("DOCREFINERY_SECRET_KEYS")
    assert "\n" not in message
    for part in (value, OLD, NEW):
        assert part not in message


def test_no_key_is_shown_by_the_settings_or_a_log_line() -> None:
    settings = load({"DOCREFINERY_SECRET_KEYS": f"{NEW}, {OLD}", "REDIS_URL": "redis://:hunter2@host/0"})
    assert settings.secret_keys == (NEW, OLD)
    token = Secrets([OLD]).encrypt("hush").decode()
    for text in (repr(settings), str(settings), f"{settings}"):
        assert not any(secret in text for secret in (NEW, OLD, "hunter2"))
    line = logs.without_secrets(f"keys={NEW},{OLD} token={token} secret='whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'")
    for secret in (NEW, OLD, token, "MfKQ9r8"):
        assert secret not in line


def test_up_makes_a_key_once_and_others_find_it(tmp_path: Path) -> None:
    bare = load({}, data_dir=tmp_path)
    assert keyed(bare).secret_keys == ()
    made = keyed(bare, make=True).secret_keys
    assert len(made) == 1
    assert keyed(bare, make=True).secret_keys == keyed(bare).secret_keys == made
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_keys_that_are_set_are_those_in_use(tmp_path: Path) -> None:
    chosen: Settings = load({"DOCREFINERY_SECRET_KEYS": NEW}, data_dir=tmp_path)
    assert keyed(chosen, make=True).secret_keys == (NEW,)
    assert list(tmp_path.iterdir()) == []


def test_file_may_hold_several_keys(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text(f"{NEW}\n{OLD}\n")
    assert keyed(load({}, data_dir=tmp_path)).secret_keys == (NEW, OLD)


@pytest.mark.parametrize("content", [b"nothing", b"\xff\xfe"])
def test_damaged_file_stops_the_start_without_being_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(SettingsError, match=KEY_FILE) as raised:
        keyed(load({}, data_dir=tmp_path), make=True)
    assert "nothing" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("", (0, 5, 300, 1800, 7200, 18000, 36000, 36000)),
        ("0, 1,2.5", (0, 1, 2.5)),
        ("1,1", (0, 1, 1)),
        ("0", (0,)),
    ],
)
def test_schedule_begins_at_once(text: str, schedule: tuple[float, ...]) -> None:
    assert load({"DOCREFINERY_WEBHOOK_RETRY_DELAYS": text}).webhook_schedule == schedule


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOCREFINERY_WEBHOOK_RETRY_DELAYS", "0,-1"),
        ("DOCREFINERY_WEBHOOK_RETRY_DELAYS", "0,soon"),
        ("DOCREFINERY_WEBHOOK_RETRY_DELAYS", "nan"),
        ("DOCREFINERY_WEBHOOK_RETRY_DELAYS", "inf"),
        ("DOCREFINERY_WEBHOOK_ALLOW_NETS", "10.0.0.1/8"),
        ("DOCREFINERY_WEBHOOK_ALLOW_NETS", "everything"),
    ],
)
def test_bad_setting_stops_the_start_in_one_line(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({name: value})
    assert str(raised.value).startswith(f"{name}={value}: ")
    assert "\n" not in str(raised.value)
