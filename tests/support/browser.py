"""Debian's Chromium in front of the console, and everything that it complains about."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

from docrefinery.api.console.assets import build
from docrefinery.api.console.headers import SECURITY
from tests.support.packages import require_package

URL = "http://refinery.test"
"""Where the console alone is opened."""

# A listener of each page's own, from before its first script.
_LISTEN = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""
# The browser says this of each answer with an error; the console shows what it means.
_EXPECTED = "Failed to load resource: the server responded with a status of"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser; a test without it is skipped."""
    program = require_package("chromium", "chromium")
    # Its sandbox cannot be set up by root; what it opens here comes from this machine alone.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


class Tab:
    """A tab of its own storage: ``page`` is what the test drives, the rest is what must stay empty."""

    def __init__(self, browser: Browser, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        self.url = url
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self._context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        self._context.set_default_timeout(15_000)
        self._context.add_init_script(_LISTEN)
        self.page = self._context.new_page()
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._see)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(_EXPECTED):
            self.complaints.append(text)

    def _see(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:" + self.url)):
            self.elsewhere.append(request.url)

    def go(self, view: str = "/") -> Page:
        """Open a view by its address."""
        self.page.goto(f"{self.url}/console/#{view}")
        return self.page

    def sign_in(self, key: str) -> Page:
        """Open the console and sign in."""
        page = self.go()
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("navigation", name="Views").wait_for()
        return page

    def drop(self, *files: Path) -> None:
        """Drop files onto the page as a person does."""
        self.page.wait_for_selector(".drop")
        given = [{"name": file.name, "content": file.read_bytes().hex()} for file in files]
        self.page.evaluate(
            """(given) => {
              const moved = new DataTransfer();
              for (const { name, content } of given) {
                const bytes = Uint8Array.from(content.match(/../g), (pair) => parseInt(pair, 16));
                moved.items.add(new File([bytes], name, { type: "application/pdf" }));
              }
              for (const type of ["dragover", "drop"]) {
                const options = { bubbles: true, cancelable: true, dataTransfer: moved };
                document.querySelector(".drop").dispatchEvent(new DragEvent(type, options));
              }
            }""",
            given,
        )

    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than its window."""
        wide: bool = self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        return wide

    def close(self) -> None:
        """Close it, and fail if the browser complained or anything was asked of another server."""
        self._context.close()
        if self.complaints or self.elsewhere:
            raise AssertionError(f"the browser complained: {self.complaints}; asked elsewhere: {self.elsewhere}")


def behind_prefix(page: Page, url: str, prefix: str) -> None:
    """Answer for addresses below a prefix as a proxy does that takes it away."""

    def forward(route: Route) -> None:
        answer = route.fetch(url=route.request.url.replace(f"{url}{prefix}", url), max_redirects=0)
        route.fulfill(response=answer)

    page.route(f"{url}{prefix}/**", forward)


@contextmanager
def console_alone() -> Iterator[Page]:
    """Open the console's own files with no service behind them."""
    with chromium() as browser:
        tab = Tab(browser, URL)
        tab.page.route(f"{URL}/**", _serve)
        yield tab.go()
        tab.close()


def _serve(route: Route) -> None:
    found, path = build(), urlsplit(route.request.url).path.removeprefix("/console/")
    name = path.removeprefix(f"build/{found.id}/")
    body, more = (found.assets[name].read(), found.assets[name].content_type) if path else (found.page, "text/html")
    route.fulfill(body=body, headers={**SECURITY, "Content-Type": more})


def module(path: str) -> str:
    """Return the address of a module of the console alone."""
    return f"{URL}/console/build/{build().id}/js/{path}"
