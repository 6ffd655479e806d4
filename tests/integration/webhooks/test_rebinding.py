"""Names that lead to a public address at first and inside afterwards, through the system's own resolver."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.rebinding import PUBLIC, SCRIPT
from tests.support.venvs import ROOT

OWN_NETWORK = ("unshare", "--mount", "--net", *(() if os.geteuid() == 0 else ("--user", "--map-root-user")))


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    if subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this process may not make a network of its own")
    ran = subprocess.run(
        [*OWN_NETWORK, sys.executable, "-m", "tests.support.rebinding"],
        cwd=ROOT, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_public_name_is_sent_to(told: dict[str, Any]) -> None:
    assert told["public.test"]["registered"]
    assert (told["public.test"]["status"], told["public.test"]["reached"]) == (200, [PUBLIC])


def test_name_that_leads_inside_after_its_registration_is_not_connected_to(told: dict[str, Any]) -> None:
    assert told["rebinds.test"]["registered"]
    assert "not public" in told["rebinds.test"]["reason"]
    assert told["rebinds.test"]["reached"] == []


def test_name_is_not_asked_for_again_between_the_check_and_the_connect(told: dict[str, Any]) -> None:
    # Once at registration and once for the attempt; a third question would have led inside.
    assert told["back.test"]["questions"] == 2
    assert (told["back.test"]["status"], told["back.test"]["reached"]) == (200, [PUBLIC])


@pytest.mark.parametrize("name", ["families.test", "both.test", "mapped.test", "nat64.test", "metadata.test"])
def test_name_of_which_any_address_leads_inside_is_refused(told: dict[str, Any], name: str) -> None:
    assert not told[name]["registered"]
    assert told[name]["reached"] == []
    assert told[name]["reason"]


def test_nothing_but_the_public_address_was_ever_connected_to(told: dict[str, Any]) -> None:
    assert {address for name in SCRIPT for address in told[name]["reached"]} == {PUBLIC}
