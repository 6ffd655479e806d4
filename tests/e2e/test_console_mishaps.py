"""The console when something goes wrong: a session ends, an answer is late or bad, the service is away for a moment."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.test_tenants import said
from tests.support.browser import Tab
from tests.support.pdfs import born_digital, encrypted
from tests.support.refinery import Client, Refinery, fresh


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Five files that no tenant has."""
    made = [tmp_path / f"{number}.pdf" for number in range(5)]
    for path in made:
        path.write_bytes(fresh(born_digital()))
    return made


def away(route: Route) -> None:
    """Answer as a service that has too much to do."""
    route.fulfill(status=503, json={"title": "Unavailable", "detail": "Too much to do."})


def holding(page: Page, address: str) -> list[Route]:
    """Hold what is asked of an address; returns a list of it that grows."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(address, hold)
    return held


def test_what_waits_when_a_session_ends_is_not_sent_with_the_next_key(
    tab: Tab, page: Page, refinery: Refinery, files: list[Path]
) -> None:
    said(refinery, "tenant", "create", "next-at-the-console")
    key = said(refinery, "key", "create", "--tenant", "next-at-the-console", "--scope", "all")["key"]
    held = holding(page, "**/v1/documents/")
    tab.drop(*files)
    expect(page.locator(".uploads .state", has_text="Waits for its turn")).to_have_count(2)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.locator(".tenant")).to_have_text("next-at-the-console")
    assert [route.request.method for route in held] == ["POST"] * 3


def test_who_is_thrown_out_is_told_why(tab: Tab, refinery: Refinery) -> None:
    made = said(refinery, "key", "create", "--tenant", "default", "--scope", "all")
    page = tab.sign_in(made["key"])
    said(refinery, "key", "revoke", str(made["id"]))
    page.get_by_role("link", name="Jobs").click()
    expect(page.locator("main .notice")).to_contain_text("Sign in again.")
    expect(page.get_by_label("API key")).to_be_focused()


def test_an_upload_that_is_refused_ends_the_session(tab: Tab, refinery: Refinery, files: list[Path]) -> None:
    made = said(refinery, "key", "create", "--tenant", "default", "--scope", "documents:write")
    page = tab.sign_in(made["key"])
    said(refinery, "key", "revoke", str(made["id"]))
    tab.drop(files[0])
    expect(page.locator("main .notice")).to_contain_text("Sign in again.")


def test_a_stream_that_is_refused_ends_the_session(tab: Tab, page: Page, client: Client) -> None:
    job_id = client.submit(fresh(born_digital()), "streamed.pdf", profile="fast_text")["job_id"]
    client.finished(job_id)
    page.route("**/events/", lambda route: route.fulfill(status=401, json={"detail": "The key was revoked."}))
    tab.go(f"/jobs/{job_id}")
    expect(page.locator("main .notice")).to_contain_text("The key was revoked. Sign in again.")


def test_a_late_refusal_of_an_old_key_leaves_the_newer_session_alone(
    tab: Tab, page: Page, refinery: Refinery, client: Client
) -> None:
    key = said(refinery, "key", "create", "--tenant", "default", "--scope", "all")["key"]
    job_id = client.submit(fresh(encrypted("secret")), "locked.pdf")["job_id"]
    client.finished(job_id)
    tab.go(f"/jobs/{job_id}")
    held = holding(page, "**/retry/")
    page.get_by_role("button", name="Retry").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("API key").fill(key)
    page.keyboard.press("Enter")
    expect(page.locator(".tenant")).to_be_visible()
    with page.expect_response("**/retry/"):
        held[0].fulfill(status=401, json={"detail": "The key was revoked."})
    page.get_by_role("link", name="Profiles").click()
    expect(page.get_by_role("heading", name="Profiles", level=1)).to_be_visible()


def test_a_key_that_cannot_be_one_is_not_sent(tab: Tab, refinery: Refinery) -> None:
    page = tab.go()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("API key").fill("dr_schlüssel")
    page.keyboard.press("Enter")
    assert page.get_by_label("API key").evaluate("(input) => input.validity.patternMismatch")
    assert not [url for url in asked if "/console/key/" in url]
    page.get_by_label("API key").fill(f" {refinery.key} ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()


def test_a_session_that_could_not_be_taken_up_is_taken_up_at_the_next_try(page: Page) -> None:
    page.route("**/console/key/", away, times=1)
    page.reload()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()


def test_an_answer_that_comes_late_leaves_the_next_view_alone(tab: Tab, page: Page, client: Client) -> None:
    # Disabled, and at a public address: nothing is ever sent to it.
    endpoint = {"name": "Late", "url": "https://8.8.8.8/hooks", "enabled": False}
    path = f"/v1/webhooks/{client.post('/v1/webhooks/', json=endpoint).json()['id']}/"
    held = holding(page, "**/ping/")
    tab.go(path.removeprefix("/v1").removesuffix("/"))
    page.get_by_role("button", name="Ping").click()
    tab.go("/webhooks/new")
    page.get_by_role("heading", name="A new webhook endpoint").wait_for()
    page.get_by_label("Name").fill("Archive")
    held[0].fulfill(json={})
    expect(page.locator("#said")).to_have_text("A ping is on its way.")
    expect(page.get_by_label("Name")).to_have_value("Archive")
    assert client.delete(path).status_code == 204


def test_workers_that_cannot_be_asked_for_do_not_look_alive(tab: Tab, refinery: Refinery) -> None:
    tab.page.clock.install()
    page = tab.sign_in(refinery.key)
    page.get_by_role("link", name="Workers").click()
    page.locator("tbody tr").first.wait_for()
    page.route("**/v1/dashboard/workers?*", away)
    page.clock.fast_forward("00:06")
    expect(page.locator(".notice")).to_have_text("Not renewed, this is how it stood before: Too much to do.")
    expect(page.locator("tbody tr").first).to_be_visible()
    page.unroute("**/v1/dashboard/workers?*")
    page.clock.fast_forward("00:06")
    expect(page.locator(".notice")).to_have_count(0)


def test_an_upload_that_is_tried_again_shows_its_progress(tab: Tab, page: Page, files: list[Path]) -> None:
    held = holding(page, "**/v1/documents/")
    page.route("**/v1/documents/", away, times=1)
    tab.drop(files[0])
    row = page.locator(".uploads li")
    expect(row.locator("progress")).to_be_hidden()
    row.get_by_role("button", name="Try again").click()
    expect(row.locator("progress")).to_be_visible()
    held[0].continue_()
    expect(row.get_by_role("link", name="Watch").or_(row.get_by_role("link", name="Details"))).to_be_visible()


def test_filters_that_were_folded_away_are_opened_on_a_wider_screen(tab: Tab, page: Page) -> None:
    page.set_viewport_size({"width": 700, "height": 900})
    tab.go("/jobs")
    page.get_by_role("heading", name="Jobs").wait_for()
    expect(page.get_by_role("button", name="Show")).to_be_hidden()
    page.set_viewport_size({"width": 1200, "height": 900})
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_role("button", name="Show")).to_be_visible()
