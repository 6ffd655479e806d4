"""The contract of a whole plugin: it loads beside the built-in one, and all that it offers keeps its own contract."""

import sys
from types import ModuleType

from docrefinery.plugin.descriptors import Exporter
from docrefinery.plugin.registry import Registry
from docrefinery.plugin.testing import fresh
from docrefinery.plugin.testing.exporters import check_exporter, check_summary
from docrefinery.plugin.testing.loading import loaded
from docrefinery.plugin.testing.profiles import check_profile


def check_plugin(module: str | ModuleType) -> Registry:
    """Load a plugin beside the built-in one, as a process of DocumentRefinery does, and check all that it offers.

    :param module: the module that its entry point names, or that name.
    :returns: what was loaded: your exporter is ``check_plugin("my_module").exporters["my_kind"]``.
    :raises AssertionError: if it breaks a rule; the message says which and what to do.
    """
    name = module if isinstance(module, str) else module.__name__
    if isinstance(module, ModuleType):
        sys.modules.setdefault(name, module)
    registry, plugin = loaded(name)
    if not (plugin.profiles or plugin.exporters or plugin.scanners):
        raise AssertionError(
            f"{name} offers nothing: mark a function named docrefinery_exporters, docrefinery_profiles or "
            "docrefinery_scanners with @hookimpl, in the module that the entry point names"
        )
    for kind in plugin.exporters:
        _check_suffix(registry.exporters[kind], registry)
        check_exporter(registry.exporters[kind])
    for profile in plugin.profiles:
        check_profile(registry.profiles[profile], registry)
    for scanner in plugin.scanners:
        check_summary(f"scanner {scanner!r}", registry.scanners[scanner].summary)
    # One that a test has made by itself has no file, and exists in this process alone.
    if getattr(sys.modules[name], "__file__", None):
        _check_in_another_process(name, registry, plugin.exporters)
    return registry


def _check_suffix(exporter: Exporter, registry: Registry) -> None:
    alike = [other.kind for other in registry.exporters.values() if other.suffix == exporter.suffix]
    if others := [kind for kind in alike if kind != exporter.kind]:
        raise AssertionError(
            f"exporter {exporter.kind!r}: the suffix {exporter.suffix!r} is that of {others[0]!r} as well, and the "
            f"artifacts of a document are told apart by it: take '.{exporter.kind}{exporter.suffix}', for example"
        )


def _check_in_another_process(module: str, registry: Registry, kinds: tuple[str, ...]) -> None:
    there = fresh.look(module, kinds)
    if there.heavy:
        raise AssertionError(
            f"importing {module} imports {', '.join(there.heavy)}, and the API process, which imports every plugin, "
            "must not wait for them nor carry them: import them inside `write`"
        )
    here = fresh.digests(registry, kinds)
    if other := [kind for kind in kinds if here[kind] != there.digests[kind]]:
        raise AssertionError(
            f"exporter {other[0]!r}: another process made other bytes of the same document: sort what comes out of "
            "sets, and write nothing that belongs to the process"
        )
