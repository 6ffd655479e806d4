"""The real processes: one `up` that tests share, and others for those that break something."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browser import Tab, chromium
from tests.support.refinery import Client, Refinery

Start = Callable[..., Refinery]

_in_use: list[Refinery] = []


@contextmanager
def _kept(refinery: Refinery) -> Iterator[Refinery]:
    _in_use.append(refinery)
    try:
        yield refinery
    finally:
        left = refinery.close()
        _in_use.remove(refinery)
    assert not left, f"a stop in order left processes: {left}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the logs with a failure."""
    report = yield
    if report.failed:
        report.sections += [(f"log of {refinery.home.name}", refinery.tail()) for refinery in _in_use]
    return report


@pytest.fixture(scope="session")
def refinery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refinery]:
    """One that nobody breaks."""
    with _kept(Refinery(tmp_path_factory.mktemp("shared") / "home")) as shared:
        yield shared.start()


@pytest.fixture
def client(refinery: Refinery) -> Client:
    """A client of the shared one."""
    return refinery.client


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Start]:
    """Make one of the test's own: ``make(workers=2, settings={...})``; it is not started yet."""
    with ExitStack() as stack:

        def build(name: str = "home", *options: str, workers: int = 1, **settings: str) -> Refinery:
            return stack.enter_context(_kept(Refinery(tmp_path / name, *options, workers=workers, settings=settings)))

        yield build


@pytest.fixture(scope="module")
def make_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Make one for a module."""
    with ExitStack() as stack:

        def build(name: str, *options: str, workers: int = 1, **settings: str) -> Refinery:
            home = tmp_path_factory.mktemp(name) / "home"
            return stack.enter_context(_kept(Refinery(home, *options, workers=workers, settings=settings)))

        yield build


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for a module: its loop must not run beside those of other tests."""
    with chromium() as running:
        yield running


@pytest.fixture
def tab(browser: Browser, refinery: Refinery) -> Iterator[Tab]:
    """A tab in front of the module's service."""
    tab = Tab(browser, refinery.url)
    yield tab
    tab.close()


@pytest.fixture
def page(tab: Tab, refinery: Refinery) -> Page:
    """A tab that is signed in."""
    return tab.sign_in(refinery.key)
