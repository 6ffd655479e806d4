"""What the author of a plugin calls from tests; a mistake is an ``AssertionError`` that says what to do about it.

It needs no test framework::

    from docrefinery.plugin.testing import check_plugin


    def test_my_plugin_keeps_the_contract() -> None:
        check_plugin("my_module")
"""

from docrefinery.plugin.testing.documents import documents
from docrefinery.plugin.testing.exporters import check_exporter, exported
from docrefinery.plugin.testing.plugins import check_plugin
from docrefinery.plugin.testing.profiles import check_profile

__all__ = ["check_exporter", "check_plugin", "check_profile", "documents", "exported"]
