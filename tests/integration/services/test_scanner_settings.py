"""A scanner that cannot be made stops the start with one line, whichever process it is."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from docrefinery.bootstrap.api import build_api
from docrefinery.bootstrap.common import scanner_of
from docrefinery.bootstrap.worker import build_worker
from docrefinery.plugin import ScanEngine
from docrefinery.plugin.registry import load
from docrefinery.settings import Settings, SettingsError


@pytest.mark.parametrize("build", [build_api, lambda settings: build_worker(settings, Path())])
def test_clamd_without_an_address_is_a_line_and_no_trace(
    settings: Settings, build: Callable[[Settings], object]
) -> None:
    with pytest.raises(SettingsError, match=r"^The scanner 'clamd' of docrefinery \S+ cannot be used: .*CLAMD_ADDRESS"):
        build(msgspec.structs.replace(settings, scanner="clamd"))


def test_whatever_a_plugins_scanner_raises_names_it_in_one_line(settings: Settings) -> None:
    def create(_environ: Mapping[str, str]) -> ScanEngine:
        raise LookupError("no\nlicence")

    registry = load(())
    broken = replace(registry, scanners={"clamd": replace(registry.scanners["clamd"], create=create)})
    scanner = scanner_of(broken, msgspec.structs.replace(settings, scanner="clamd"))
    with pytest.raises(SettingsError, match=r"cannot be used: no licence$"):
        scanner.create({})
