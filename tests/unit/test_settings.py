"""Reading settings from the environment."""

from pathlib import Path

import pytest

from docrefinery.settings import Settings, SettingsError, description, load, variables


def test_every_setting_has_a_variable_and_a_sentence() -> None:
    for name, field in variables().items():
        assert name.isupper()
        assert description(field).endswith(".")


def test_queues_of_a_worker_are_a_list_of_known_ones() -> None:
    assert load({"DOCREFINERY_QUEUES": "fast, ocr"}).queues == ("fast", "ocr")
    for value in (",", "fast,fats"):
        with pytest.raises(SettingsError, match="DOCREFINERY_QUEUES"):
            load({"DOCREFINERY_QUEUES": value})


def test_names_of_the_guide_have_no_prefix() -> None:
    own = {"UPLOAD_MAX_SIZE_MB", "MAX_PAGES", "INTERNAL_ENDPOINTS_TOKEN", "DATABASE_URL", "REDIS_URL"}
    assert {name for name in variables() if not name.startswith("DOCREFINERY_")} == own


def test_defaults_are_those_of_the_guide() -> None:
    settings = load({})
    assert (settings.upload_max_size_mb, settings.max_pages, settings.internal_endpoints_token) == (50, 0, "")
    assert settings.upload_limit == 50 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("DOCREFINERY_PROT", "DOCREFINERY_PORT"),
        ("DOCREFINERY_CLAMAV_ADDRESS", "DOCREFINERY_CLAMD_ADDRESS"),
        ("DOCREFINERY_DATADIR", "DOCREFINERY_DATA_DIR"),
        ("DOCREFINERY_MAX_PAGE_LIMIT", "DOCREFINERY_MAX_PAGES_LIMIT"),
    ],
)
def test_misspelt_name_stops_and_suggests(name: str, near: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({name: "x"})
    assert name in str(raised.value)
    assert near in str(raised.value)
    assert "\n" not in str(raised.value)


def test_name_that_is_like_none_points_to_the_documentation() -> None:
    with pytest.raises(SettingsError, match=r"docs/configuration\.md"):
        load({"DOCREFINERY_ZZZZZZZZZZZZZZ": "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UPLOAD_MAX_SIZE_MB", "0"),
        ("UPLOAD_MAX_SIZE_MB", "fifty"),
        ("UPLOAD_MAX_SIZE_MB", "1.5"),
        ("MAX_PAGES", "-1"),
        ("DOCREFINERY_PORT", "65536"),
        ("DOCREFINERY_WORKERS", "0"),
        ("DOCREFINERY_LEASE_SECONDS", "1"),
        ("DOCREFINERY_SWEEP_SECONDS", "0"),
        ("DOCREFINERY_SWEEP_SECONDS", "nan"),
        ("DOCREFINERY_SWEEP_SECONDS", "inf"),
        ("DOCREFINERY_LEASE_SECONDS", "inf"),
        ("DOCREFINERY_LEASE_SECONDS", "1e300"),
        ("DOCREFINERY_LOG_FORMAT", "xml"),
        ("DOCREFINERY_DATABASE_STATEMENT_CACHE", "perhaps"),
        ("DOCREFINERY_CHILD_MEMORY_MB", "100"),
    ],
)
def test_bad_value_stops_with_one_line_that_says_which_and_why(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({name: value})
    message = str(raised.value)
    assert message.startswith(f"{name}={value}: ")
    assert len(message) > len(f"{name}={value}: ") + 5
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DOCREFINERY_STORAGE_URL", "file://var/x", "three slashes"),
        ("DOCREFINERY_STORAGE_URL", "file:/var/x", "three slashes"),
        ("DOCREFINERY_STORAGE_URL", "file:///", "absolute folder"),
        ("DOCREFINERY_STORAGE_URL", "s3://", "names no bucket"),
        ("DOCREFINERY_STORAGE_URL", "s3:bucket", "names no bucket"),
        ("DOCREFINERY_STORAGE_URL", "az://", "names no container"),
        ("DOCREFINERY_STORAGE_URL", "ftp://host/x", "begins with 'ftp'"),
        ("DOCREFINERY_PRESIGNED_DOWNLOADS", "yess", "true, false or a number of seconds"),
        ("DOCREFINERY_PRESIGNED_DOWNLOADS", "90000", "86400"),
        ("DOCREFINERY_ENCRYPT", "yess", "true or false"),
        ("DOCREFINERY_DATABASE_STATEMENT_CACHE", "2", "true or false"),
    ],
)
def test_bad_value_is_told_with_what_is_allowed(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load({name: value})
    assert str(raised.value).startswith(name)
    assert says in str(raised.value)


@pytest.mark.parametrize("prefix", ["protected/", "/protected", "protected"])
def test_prefix_for_nginx_has_both_slashes(prefix: str) -> None:
    with pytest.raises(SettingsError, match="DOCREFINERY_X_ACCEL_PREFIX"):
        load({"DOCREFINERY_X_ACCEL_PREFIX": prefix})


def test_prefix_for_nginx_needs_a_folder() -> None:
    with pytest.raises(SettingsError, match="DOCREFINERY_STORAGE_URL"):
        load({"DOCREFINERY_X_ACCEL_PREFIX": "/p/", "DOCREFINERY_STORAGE_URL": "s3://bucket"})


@pytest.mark.parametrize(
    ("text", "seconds"), [("true", 300), ("on", 300), ("1", 300), ("60", 60), ("false", 0), ("0", 0), ("", 0)]
)
def test_presigned_downloads_are_a_switch_or_seconds(text: str, seconds: int) -> None:
    environ = {"DOCREFINERY_PRESIGNED_DOWNLOADS": text, "DOCREFINERY_STORAGE_URL": "s3://bucket"}
    assert load(environ).presigned_downloads == seconds


@pytest.mark.parametrize("text", ["soon", "-1", "86401"])
def test_presigned_downloads_are_nothing_else(text: str) -> None:
    with pytest.raises(SettingsError, match=f"DOCREFINERY_PRESIGNED_DOWNLOADS={text}"):
        load({"DOCREFINERY_PRESIGNED_DOWNLOADS": text, "DOCREFINERY_STORAGE_URL": "s3://bucket"})


def test_a_folder_signs_no_urls() -> None:
    for url in ("", "file:///folder"):
        with pytest.raises(SettingsError, match="DOCREFINERY_PRESIGNED_DOWNLOADS needs object storage"):
            load({"DOCREFINERY_PRESIGNED_DOWNLOADS": "true", "DOCREFINERY_STORAGE_URL": url})


def test_the_endpoint_of_signed_urls_is_one_of_s3() -> None:
    endpoint = {"DOCREFINERY_PRESIGNED_ENDPOINT": "https://files.example", "DOCREFINERY_PRESIGNED_DOWNLOADS": "on"}
    assert load(endpoint | {"DOCREFINERY_STORAGE_URL": "s3://bucket"}).presigned_endpoint
    with pytest.raises(SettingsError, match="is for S3 alone"):
        load(endpoint | {"DOCREFINERY_STORAGE_URL": "gs://bucket"})
    with pytest.raises(SettingsError, match="AWS_ENDPOINT_URL_S3"):
        load(endpoint | {"DOCREFINERY_STORAGE_URL": "s3://bucket", "AWS_ENDPOINT_URL_S3": "https://in.example"})


def test_an_endpoint_of_signed_urls_that_nothing_signs_is_refused() -> None:
    endpoint = {"DOCREFINERY_PRESIGNED_ENDPOINT": "https://files.example", "DOCREFINERY_STORAGE_URL": "s3://bucket"}
    for off in ({}, {"DOCREFINERY_PRESIGNED_DOWNLOADS": "false"}):
        with pytest.raises(SettingsError, match="does nothing without DOCREFINERY_PRESIGNED_DOWNLOADS"):
            load(endpoint | off)


def test_empty_value_is_unset_but_for_plugins() -> None:
    settings = load({"MAX_PAGES": "", "DOCREFINERY_PORT": " ", "DOCREFINERY_PLUGINS": ""})
    assert (settings.max_pages, settings.port, settings.plugins) == (0, 8000, ())
    assert load({}).plugins is None


@pytest.mark.parametrize("name", ["DOCREFINERY_JAIL", "DOCREFINERY_MODEL_ISOLATION"])
@pytest.mark.parametrize("value", ["", " "])
def test_what_keeps_things_apart_is_not_switched_off_by_an_empty_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is set and empty"):
        load({name: value})


def test_plugins_are_separated_by_commas() -> None:
    assert load({"DOCREFINERY_PLUGINS": " one, two ,,"}).plugins == ("one", "two")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_switch_takes_many_spellings(text: str, value: bool) -> None:
    assert load({"DOCREFINERY_DATABASE_STATEMENT_CACHE": text}).database_statement_cache is value


def test_command_line_beats_the_environment_and_none_is_not_given() -> None:
    settings = load({"DOCREFINERY_PORT": "1", "DOCREFINERY_HOST": "::1"}, port=2, host=None)
    assert (settings.port, settings.host) == (2, "::1")


def test_other_variables_are_nobodys_business() -> None:
    assert load({"PATH": "x", "HOME": "y"}).environ == {"PATH": "x", "HOME": "y"}


def test_storage_is_a_folder_of_the_data_dir_unless_told(tmp_path: Path) -> None:
    assert load({}, data_dir=tmp_path / "a b").storage == (tmp_path / "a b" / "blobs").as_uri()
    assert load({"DOCREFINERY_STORAGE_URL": "s3://b/p"}).storage == "s3://b/p"


def test_scanner_follows_the_address_of_clamd() -> None:
    assert load({}).scanner_name == "basic"
    assert load({"DOCREFINERY_CLAMD_ADDRESS": "localhost:3310"}).scanner_name == "clamd"
    assert load({"DOCREFINERY_CLAMD_ADDRESS": "localhost:3310", "DOCREFINERY_SCANNER": "own"}).scanner_name == "own"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]


def test_what_clients_read_may_stand_beside_the_settings() -> None:
    load({"DOCREFINERY_SERVER": "https://elsewhere.example", "DOCREFINERY_API_KEY": "dr_key"})
