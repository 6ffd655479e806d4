"""Merging the layers of options."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec import Raw

from docrefinery.errors import InvalidOptions, UnknownProfile
from docrefinery.plugin.registry import Registry, load as load_plugins
from docrefinery.services import options
from docrefinery.services.options import Defaults
from docrefinery.settings import load

REGISTRY: Registry = load_plugins(())


def effective(
    requested: Any = None,
    *,
    profile: str | None = None,
    tenant: dict[str, Any] | None = None,
    key: dict[str, Any] | None = None,
    default_profile: str | None = None,
    **environ: str,
) -> options.Effective:
    defaults = Defaults(
        tenant=Raw(msgspec.json.encode(tenant or {})), key=Raw(msgspec.json.encode(key or {})), profile=default_profile
    )
    return options.effective(load(environ), REGISTRY, defaults, profile=profile, requested=requested or {})


def test_stronger_layers_win() -> None:
    layers: dict[str, Any] = {"MAX_PAGES": "1"}
    for expected, more in enumerate(
        [{}, {"tenant": {"max_num_pages": 2}}, {"key": {"max_num_pages": 3}}, {"requested": {"max_num_pages": 4}}], 1
    ):
        layers |= more
        assert effective(**layers).options["max_num_pages"] == expected


def test_profile_beats_key_and_request_beats_profile() -> None:
    asked = {"do_table_structure": True}
    assert effective(key=asked, profile="fast_text").options["do_table_structure"] is False
    assert effective(asked, profile="fast_text").options["do_table_structure"] is True


def test_exports_of_a_profile_replace_every_other() -> None:
    result = effective({"exports": ["chunks_json"]}, key={"exports": []}, profile="fast_text")
    assert result.exports == ["text", "markdown", "doctags"]


def test_default_profile_holds_unless_the_request_names_one() -> None:
    assert effective(default_profile="fast_text").profile == "fast_text"
    with pytest.raises(UnknownProfile, match="nope"):
        effective(default_profile="fast_text", profile="nope")


def test_exports_fold_and_may_be_none() -> None:
    assert effective({"exports": ["text", "markdown", "text"]}).exports == ["text", "markdown"]
    assert effective({"exports": []}).exports == []
    assert effective().exports == ["markdown", "text", "doctags"]


def test_figures_bring_the_pictures_they_need() -> None:
    assert effective({"exports": ["figures_zip"]}).options["generate_picture_images"] is True
    assert "generate_picture_images" not in effective().options


@pytest.mark.parametrize(("asked", "given"), [(0, 100), (99, 99), (100, 100), (101, 100)])
def test_installation_caps_pages(asked: int, given: int) -> None:
    result = effective({"max_num_pages": asked}, DOCREFINERY_MAX_PAGES_LIMIT="100")
    assert result.options["max_num_pages"] == given


def test_installation_caps_time() -> None:
    assert effective({"document_timeout": 5}).options["document_timeout"] == 5
    assert effective({"document_timeout": 80000}).options["document_timeout"] == 600


def test_null_is_not_said() -> None:
    assert effective({"max_num_pages": None}, MAX_PAGES="3").options["max_num_pages"] == 3


def test_unknown_options_are_kept_apart() -> None:
    result = effective({"zoom": 1, "ocr": True})
    assert result.ignored == {"zoom": 1}
    assert "zoom" not in result.options


def test_default_export_of_a_removed_plugin_is_named() -> None:
    with pytest.raises(InvalidOptions) as raised:
        effective(tenant={"exports": ["text", "gone"]})
    assert [error.pointer for error in raised.value.errors] == ["/options_json/exports/1"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(options.KNOWN)) | st.text(), json_values, max_size=6))
def test_whatever_is_sent_is_read_or_every_wrong_field_is_named(value: dict[str, Any]) -> None:
    try:
        parsed = options.parse(options.decode(msgspec.json.encode(value)), REGISTRY)
    except InvalidOptions as error:
        named = [wrong.detail for wrong in error.errors]
    else:
        named = ["nothing is wrong"]
        assert parsed.ignored.keys() == value.keys() - options.KNOWN
    assert named
    assert all(named)
