import dataclasses
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from docrefinery.plugin import Exporter, Profile, hookimpl
from docrefinery.plugin.registry import PluginError, load
from tests.support.plugins import FakeDistribution

Offer = Callable[..., None]


def exporter(kind: str) -> Exporter:
    return Exporter(
        kind=kind, summary="A test.", content_type="text/plain", suffix=".txt", write=lambda _document, _stream: None
    )


@pytest.fixture
def installed() -> list[metadata.Distribution]:
    """The distributions of a test; docrefinery itself is one of them."""
    return [metadata.distribution("docrefinery")]


@pytest.fixture
def offer(installed: list[metadata.Distribution], monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Install a plugin in memory: ``offer("csv", docrefinery_exporters=lambda: [...])``."""

    def install(
        plugin: str, *, distribution: str = "", version: str = "2.5", marked: bool = True, **hooks: object
    ) -> None:
        module = f"module_of_{distribution or plugin}"
        loaded = ModuleType(module)
        for name, function in hooks.items():
            setattr(loaded, name, hookimpl(function) if marked and callable(function) else function)
        monkeypatch.setitem(sys.modules, module, loaded)
        installed.append(FakeDistribution(distribution or f"refinery-{plugin}", version, {plugin: module}))

    return install


def test_the_built_in_plugin_comes_through_the_same_door(installed: list[metadata.Distribution]) -> None:
    registry = load(distributions=installed)
    builtin = registry.plugins[0]
    assert (builtin.name, builtin.distribution) == ("builtin", "docrefinery")
    assert builtin.version == metadata.version("docrefinery")
    assert set(registry.exporters) == {"docling_json", "markdown", "text", "doctags", "chunks_json", "figures_zip"}
    assert set(registry.scanners) == {"basic", "clamd"}
    assert registry.profiles["fast_text"].exports == ("text", "markdown", "doctags")


def test_a_new_exporter_is_known_with_its_plugin_and_version(
    installed: list[metadata.Distribution], offer: Offer
) -> None:
    offer("csv", docrefinery_exporters=lambda: [exporter("csv")])
    registry = load(distributions=installed)
    plugin = registry.provider(registry.exporters["csv"])
    assert (plugin.name, plugin.distribution, plugin.version) == ("csv", "refinery-csv", "2.5")
    assert plugin.exporters == ("csv",)


def test_a_registry_cannot_be_changed(installed: list[metadata.Distribution]) -> None:
    registry = load(distributions=installed)
    with pytest.raises(TypeError):
        registry.exporters["mine"] = exporter("mine")  # type: ignore[index]


def test_naming_plugins_leaves_the_others_out_but_never_the_built_in_one(
    installed: list[metadata.Distribution], offer: Offer
) -> None:
    offer("csv", docrefinery_exporters=lambda: [exporter("csv")])
    offer("xml", docrefinery_exporters=lambda: [exporter("xml")])
    assert [plugin.name for plugin in load(("xml",), installed).plugins] == ["builtin", "xml"]
    assert [plugin.name for plugin in load((), installed).plugins] == ["builtin"]


def test_a_distribution_that_is_found_twice_is_loaded_once(
    installed: list[metadata.Distribution], offer: Offer
) -> None:
    offer("csv", docrefinery_exporters=lambda: [exporter("csv")])
    assert len(load(distributions=installed * 2).plugins) == 2


def nothing() -> list[Exporter]:
    return []


def unmarked() -> list[Exporter]:
    return []


def broken() -> list[Exporter]:
    raise ZeroDivisionError("no\nluck")


def leaving() -> list[Exporter]:
    sys.exit(1)


def malformed() -> list[Exporter]:
    return [exporter("Not a name")]


def yielding() -> Iterator[Exporter]:
    yield exporter("one")


@pytest.mark.parametrize(
    ("hooks", "problem"),
    [
        ({"docrefinery_exporters": broken}, "failed in docrefinery_exporters: ZeroDivisionError: no luck"),
        ({"docrefinery_exporters": leaving}, "failed in docrefinery_exporters: SystemExit: 1"),
        ({"docrefinery_exporters": malformed}, "ValueError: exporter 'Not a name': use lower case letters"),
        (
            {"docrefinery_exporters": lambda: None},
            "returned nothing from docrefinery_exporters, not a list of Exporter",
        ),
        ({"docrefinery_exporters": yielding}, "returned generator"),
        ({"docrefinery_exporters": lambda: exporter("one")}, "returned Exporter"),
        ({"docrefinery_exporters": lambda: [exporter]}, "returned function in the list"),
        ({"docrefinery_exporters": lambda: [exporter("one"), exporter("one")]}, "'one' twice"),
        ({"docrefinery_exporter": nothing}, "there are docrefinery_exporters, docrefinery_profiles, "),
        ({"docrefinery_exporters": lambda _registry: []}, "none of which takes arguments"),
        ({"docrefinery_exporters": unmarked, "marked": False}, "@hookimpl"),
        (
            {"docrefinery_profiles": lambda: [Profile(name="mine", summary="A test.", exports=("nothing",))]},
            "'nothing', which no loaded plugin offers",
        ),
    ],
)
def test_a_plugin_with_a_defect_stops_the_start_and_is_named_with_its_version(
    installed: list[metadata.Distribution], offer: Offer, hooks: dict[str, object], problem: str
) -> None:
    offer("bad", **hooks)
    with pytest.raises(PluginError) as caught:
        load(distributions=installed)
    message = str(caught.value)
    assert problem in message
    assert "'bad' of refinery-bad 2.5" in message
    assert "DOCREFINERY_PLUGINS" in message
    assert "\n" not in message


def test_a_plugin_that_cannot_be_imported_is_named(installed: list[metadata.Distribution]) -> None:
    installed.append(FakeDistribution("refinery-gone", "3.1", {"gone": "no_such_module_anywhere"}))
    with pytest.raises(PluginError, match=r"'gone' of refinery-gone 3\.1 cannot be imported: ModuleNotFoundError"):
        load(distributions=installed)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named 'no_such_module_anywhere'"),
        ("def (", "SyntaxError: invalid syntax"),
        ("raise SystemExit('not a program')", "SystemExit: not a program"),
        (
            "from docrefinery.plugin import Profile; Profile(name='X', summary='A test.', exports=())",
            "ValueError: profile",
        ),
    ],
)
def test_a_plugin_whose_import_fails_is_named_with_the_reason(
    installed: list[metadata.Distribution], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, problem: str
) -> None:
    (tmp_path / "module_that_fails.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    installed.append(FakeDistribution("refinery-bad", "2.5", {"bad": "module_that_fails"}))
    with pytest.raises(PluginError) as caught:
        load(distributions=installed)
    assert f"plugin 'bad' of refinery-bad 2.5 cannot be imported: {problem}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plugin_that_is_named_but_not_installed(installed: list[metadata.Distribution]) -> None:
    with pytest.raises(PluginError, match=r"names 'csv', which is not installed.* installed are: builtin"):
        load(("csv",), installed)


@pytest.mark.parametrize("kind", ["csv", "markdown"])
def test_two_plugins_with_one_exporter_are_both_named(
    installed: list[metadata.Distribution], offer: Offer, kind: str
) -> None:
    offer("first", docrefinery_exporters=lambda: [exporter("csv")])
    offer("second", version="7", docrefinery_exporters=lambda: [exporter(kind)])
    with pytest.raises(PluginError) as caught:
        load(distributions=installed)
    other = f"docrefinery {metadata.version('docrefinery')}" if kind == "markdown" else "refinery-first 2.5"
    assert other in str(caught.value)
    assert "refinery-second 7" in str(caught.value)


def test_two_distributions_with_one_plugin_name_are_both_named(
    installed: list[metadata.Distribution], offer: Offer
) -> None:
    offer("csv", distribution="one-csv")
    offer("csv", distribution="other-csv", version="4")
    with pytest.raises(PluginError, match=r"one-csv 2\.5 and plugin 'csv' of other-csv 4"):
        load(distributions=installed)


def test_without_docrefinery_itself_nothing_can_be_loaded() -> None:
    with pytest.raises(PluginError, match="'builtin' is missing"):
        load(distributions=[])


def test_option_values_that_no_conversion_can_use_stop_the_start(
    installed: list[metadata.Distribution], offer: Offer
) -> None:
    wrong = Profile(name="big", summary="A test.", exports=(), options={"images_scale": "big"})
    offer("big", docrefinery_profiles=lambda: [wrong])
    with pytest.raises(PluginError, match=r"refinery-big 2\.5 .*'big' with wrong options: the value 'big'"):
        load(distributions=installed)
    installed.pop()
    needy = dataclasses.replace(exporter("needy"), needs={"images_scale": 99})
    offer("needy", docrefinery_exporters=lambda: [needy])
    with pytest.raises(PluginError, match="'needy' with wrong needs"):
        load(distributions=installed)


def test_options_of_docling_that_nothing_here_reads_are_left_alone(
    installed: list[metadata.Distribution], offer: Offer
) -> None:
    profile = Profile(name="more", summary="A test.", exports=(), options={"generate_page_images": True})
    offer("more", docrefinery_profiles=lambda: [profile])
    assert load(distributions=installed).profiles["more"].options == {"generate_page_images": True}
