"""The profile ``legal``."""

from docrefinery.plugin.registry import load
from docrefinery.plugin.testing import check_plugin


def test_it_keeps_the_contract_with_the_built_in_exporters_alone() -> None:
    registry = check_plugin("docrefinery_legal")
    assert set(registry.profiles["legal"].exports) <= set(load(()).exporters)


def test_an_incomplete_document_is_a_failed_one() -> None:
    assert check_plugin("docrefinery_legal").profiles["legal"].options["fail_on_partial"] is True
