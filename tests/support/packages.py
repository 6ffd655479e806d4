"""Programs that tests need and that come from Debian, not from PyPI."""

import os
import shutil

import pytest

_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"  # Debian's place for daemons


def require_package(binary: str, package: str) -> str:
    """Return the path of a program; skip the test without it, or fail where ``REFINERY_TESTS_REQUIRE_ALL`` is set."""
    if found := shutil.which(binary, path=_PATH):
        return found
    reason = f"needs the Debian package {package}"
    if os.environ.get("REFINERY_TESTS_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)
