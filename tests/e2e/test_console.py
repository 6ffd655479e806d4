"""The console in a real browser, on a real service: sign in, drop, watch, read, and everything beside it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.conftest import Start
from tests.support.browser import Tab, behind_prefix
from tests.support.pdfs import born_digital, eicar_pdf, encrypted, slow
from tests.support.processes import wait_until
from tests.support.receivers import receiving
from tests.support.refinery import Client, Refinery, fresh

HARBOUR = Path(__file__).parents[1] / "data" / "harbour-report.pdf"
HOSTILE = (
    '<img src=x onerror="document.title=1">\n<script>document.title=2</script>\n[click](javascript:document.title=3)'
)


@pytest.fixture(scope="module")
def refinery(make_shared: Start) -> Refinery:
    """One for this module: what it lists is what these tests made, and its webhooks may reach this machine."""
    return make_shared("console", DOCREFINERY_WEBHOOK_ALLOW_NETS="127.0.0.0/8").start()


@pytest.fixture(scope="module")
def key(refinery: Refinery) -> str:
    """The key that the first start printed."""
    return refinery.key


@pytest.fixture(scope="module")
def client(refinery: Refinery) -> Client:
    """The same tenant without the console."""
    return refinery.client


@pytest.fixture(scope="module")
def harbour(client: Client) -> int:
    """The job of a report that was converted with figures and chunks."""
    exports = json.dumps({"exports": ["markdown", "chunks_json", "figures_zip"]})
    job_id: int = client.submit(fresh(HARBOUR.read_bytes()), "harbour-report.pdf", options_json=exports)["job_id"]
    client.finished(job_id)
    return job_id


def read(tab: Tab, job_id: int) -> Page:
    page = tab.go(f"/jobs/{job_id}/read")
    page.locator(".sheet canvas").first.wait_for()
    return page


def test_a_dropped_pdf_is_readable_beside_its_page(tab: Tab, page: Page, tmp_path: Path) -> None:
    dropped = tmp_path / "harbour report.pdf"
    dropped.write_bytes(fresh(HARBOUR.read_bytes()))
    page.get_by_label("structured").check()
    tab.drop(dropped)
    row = page.locator(".uploads li").filter(has_text="harbour report.pdf")
    row.get_by_role("link", name="Read the result").click()
    expect(page.get_by_role("heading", name="harbour report.pdf", level=1)).to_be_visible()
    result = page.locator(".result")
    expect(result.get_by_role("heading", name="The harbour in winter")).to_be_visible()
    expect(result.get_by_role("cell", name="104.50")).to_be_attached()
    assert page.locator(".sheet canvas").first.evaluate(_INK) > 500


_INK = """(canvas) => new Promise((resolve) => {
  const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const look = () => {
    [copy.canvas.width, copy.canvas.height] = [canvas.width, canvas.height];
    copy.drawImage(canvas, 0, 0);
    const pixels = copy.getImageData(0, 0, canvas.width, canvas.height).data;
    let dark = 0;
    for (let at = 0; at < pixels.length; at += 4) if (pixels[at + 3] > 0 && pixels[at] < 100) dark += 1;
    if (dark > 500) resolve(dark); else setTimeout(look, 50);
  };
  look();
})"""


def test_pointing_at_either_side_lights_the_other_and_choosing_scrolls(tab: Tab, page: Page, harbour: int) -> None:
    read(tab, harbour)
    paragraph = page.locator(".result p.item", has_text="The harbour master kept a ledger")
    paragraph.hover()
    expect(page.locator(".box.lit")).to_have_count(1)
    assert page.locator(".box.lit").get_attribute("data-ref") == paragraph.get_attribute("data-ref")
    page.locator(".sheet .box").last.hover()
    expect(page.locator(".result .lit")).to_have_count(1)
    page.locator(".result li.item", has_text="Sums that were too high").click()
    lit = page.locator('.sheet[data-page="2"] .box.lit')
    expect(lit).to_be_in_viewport()
    page.locator('.sheet[data-page="1"]').scroll_into_view_if_needed()
    page.locator('.sheet[data-page="1"] .box').last.click()
    expect(page.locator(".result .item:focus")).to_be_in_viewport()


def test_arrow_keys_walk_through_the_items(tab: Tab, page: Page, harbour: int) -> None:
    read(tab, harbour)
    first, second = page.locator(".result .item").nth(0), page.locator(".result .item").nth(1)
    first.focus()
    page.keyboard.press("ArrowDown")
    expect(second).to_be_focused()
    assert page.locator(".box.lit").get_attribute("data-ref") == second.get_attribute("data-ref")
    assert page.locator('.result .item[tabindex="0"]').count() == 1


def test_tables_keep_their_spans_and_figures_are_cut_from_the_page(tab: Tab, page: Page, harbour: int) -> None:
    read(tab, harbour)
    tables = page.locator(".result table")
    expect(tables.first.locator("th[colspan='2']")).to_have_text(["1921", "1922"])
    expect(tables.first.locator("th[rowspan='2']")).to_have_text("Cargo")
    picture = page.locator(".picture canvas")
    picture.scroll_into_view_if_needed()
    expect(page.locator("figcaption", has_text="Figure 1")).to_be_visible()
    assert picture.evaluate(_INK) > 500


def test_markdown_and_chunks_are_shown_and_each_result_is_downloaded(tab: Tab, page: Page, harbour: int) -> None:
    read(tab, harbour)
    page.get_by_role("tab", name="Markdown").click()
    expect(page.locator("pre.raw")).to_contain_text("# The harbour in winter")
    page.keyboard.press("Tab")
    expect(page.locator(".panel")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".chunks li").first).to_contain_text("The harbour in winter")
    page.get_by_role("tab", name="Downloads").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.headers.get("x-requested-with", request.url)))
    for name in ("harbour-report.md", "harbour-report.json", "harbour-report.figures.zip"):
        with page.expect_download() as download:
            page.locator("tr", has_text=name).get_by_role("button", name="Download").click()
        assert download.value.suggested_filename == name
        assert download.value.path().stat().st_size > 1000
    # Storage elsewhere would send them itself, and to a script it cannot.
    assert {told for told in asked if not told.startswith("blob:")} == {"fetch"}


def test_chunks_of_a_part_name_their_pages(tab: Tab, page: Page, client: Client) -> None:
    options = json.dumps({"page_range": [5, 9], "exports": ["chunks_json"]})
    job_id = client.submit(fresh(born_digital(12)), "part.pdf", profile="structured", options_json=options)["job_id"]
    client.finished(job_id)
    read(tab, job_id)
    page.get_by_role("tab", name="Chunks").click()
    page.locator(".chunks li").first.wait_for()
    headings = page.locator(".chunks li", has_text=re.compile(r"Page \d+$")).all()
    told = [(chunk.get_by_role("button").inner_text(), chunk.locator("p").inner_text()) for chunk in headings]
    assert told == [(f"Page {number}", f"Page {number}") for number in range(5, 10)]


def test_text_of_a_document_stays_text(tab: Tab, page: Page, client: Client) -> None:
    content = fresh(born_digital(1, HOSTILE))
    job_id = client.submit(content, "<img src=x onerror=alert(1)>.pdf", profile="structured")["job_id"]
    client.assert_converted(job_id, ["docling_json", "doctags", "markdown", "text", "chunks_json"])
    read(tab, job_id)
    for name in ("Document", "Markdown", "Chunks"):
        page.get_by_role("tab", name=name).click()
        expect(page.locator(".panel")).to_contain_text("onerror")
        assert page.locator("main img, main script, main a[href^=javascript]").count() == 0
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>.pdf")
    assert "DocumentRefinery" in page.title()


def test_a_file_that_is_here_already_leads_to_its_document_and_another_run(
    tab: Tab, page: Page, client: Client, tmp_path: Path
) -> None:
    known = tmp_path / "known.pdf"
    known.write_bytes(fresh(born_digital()))
    document = client.submit(known.read_bytes(), "known.pdf")
    client.finished(document["job_id"])
    page.get_by_label("fast_text").check()
    tab.drop(known)
    row = page.locator(".uploads li").filter(has_text="known.pdf")
    expect(row).to_contain_text(f"This file is here already, as document {document['id']}")
    expect(row.get_by_role("link", name="Open document")).to_have_attribute("href", f"#/documents/{document['id']}")
    row.get_by_role("button", name="Convert it again with fast_text").click()
    expect(row.get_by_role("link", name="Read the result")).to_be_visible()
    jobs = client.get("/v1/jobs/", params={"document_id": document["id"]}).json()["results"]
    assert [job["profile"] for job in jobs] == ["fast_text", None]


def test_a_known_file_whose_job_failed_leads_to_the_job_and_is_retried(
    tab: Tab, page: Page, client: Client, tmp_path: Path
) -> None:
    known = tmp_path / "locked.pdf"
    known.write_bytes(fresh(encrypted("secret")))
    job_id = client.submit(known.read_bytes(), "locked.pdf")["job_id"]
    client.finished(job_id)
    tab.drop(known)
    row = page.locator(".uploads li").filter(has_text="locked.pdf")
    expect(row.get_by_role("link", name=f"Job {job_id}: failed")).to_have_attribute("href", f"#/jobs/{job_id}")
    expect(row.get_by_role("link", name="Read")).to_have_count(0)
    row.get_by_role("button", name="Retry").click()
    expect(row).to_contain_text("ENCRYPTED_PDF")
    assert client.finished(job_id)["attempt"] == 2


def test_failed_today_leads_to_the_jobs_of_a_day(tab: Tab, page: Page, client: Client) -> None:
    job_id = client.submit(fresh(encrypted("secret")), "locked.pdf")["job_id"]
    client.finished(job_id)
    tab.go("/jobs")
    page.get_by_role("heading", name="Jobs", level=1).wait_for()
    page.locator(".summary div", has_text="Failed today").get_by_role("link").click()
    page.wait_for_url(re.compile(r"#/jobs\?status=FAILED.*QUARANTINED&updated_after=20\d\d-"))
    expect(page.locator("tbody")).to_contain_text(str(job_id))
    since = datetime.fromisoformat(parse_qs(page.url.partition("?")[2])["updated_after"][0])
    assert timedelta(0) <= datetime.now(UTC) - timedelta(days=1) - since < timedelta(minutes=2)


def test_uploads_go_on_while_other_views_are_looked_at(tab: Tab, page: Page, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.pdf" for number in range(4)]
    for file in files:
        file.write_bytes(fresh(born_digital(2)))
    tab.drop(*files)
    page.get_by_role("link", name="Profiles").click()
    page.get_by_role("heading", name="Profiles", level=1).wait_for()
    page.get_by_role("link", name="Upload").click()
    expect(page.get_by_role("link", name="Read the result")).to_have_count(4)


def test_a_running_job_is_watched_and_canceled_only_when_confirmed(tab: Tab, page: Page, client: Client) -> None:
    job_id = client.submit(fresh(slow()), "slow.pdf", profile="fast_text")["job_id"]
    tab.go(f"/jobs/{job_id}")
    expect(page.locator(".timeline [aria-current=step]")).to_contain_text("Converting")
    expect(page.locator(".timeline")).to_contain_text(re.compile(r"[1-9]\d* of 3,000 pages"))
    page.get_by_role("button", name="Cancel").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    assert client.job(job_id)["status"] == "RUNNING"
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator(".head .badge")).to_have_text("Canceled")
    expect(page.locator(".log li").last).to_contain_text("Canceled, was running")


def test_a_failed_job_says_what_to_do_and_is_retried(tab: Tab, page: Page, client: Client) -> None:
    job_id = client.submit(fresh(encrypted("secret")), "locked.pdf")["job_id"]
    client.finished(job_id)
    tab.go(f"/jobs/{job_id}")
    expect(page.locator(".trouble .notice.bad")).to_contain_text("ENCRYPTED_PDF")
    expect(page.locator(".trouble .notice.bad")).to_contain_text("What to do: Save the PDF without its password")
    page.get_by_role("button", name="Retry").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    expect(page.locator(".lead")).to_contain_text("attempt 2")
    client.finished(job_id)
    tab.go(f"/jobs/{job_id}/read")
    expect(page.get_by_text("no result to read: it is failed")).to_be_visible()


def test_a_quarantined_file_is_not_offered(tab: Tab, page: Page, client: Client) -> None:
    document = client.submit(fresh(eicar_pdf()), "eicar.pdf")
    client.finished(document["job_id"])
    tab.go(f"/documents/{document['id']}")
    expect(page.locator(".notice")).to_contain_text("scanner objects to this file")
    assert page.get_by_role("button", name="Download").count() == 0


def test_results_outlive_their_document_only_as_a_sentence(tab: Tab, page: Page, client: Client) -> None:
    document = client.submit(fresh(born_digital()), "short-lived.pdf")
    client.finished(document["job_id"])
    tab.go(f"/documents/{document['id']}")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete the document").click()
    page.get_by_role("heading", name="Documents", level=1).wait_for()
    assert client.get(f"/v1/documents/{document['id']}/").status_code == 404
    tab.go(f"/jobs/{document['job_id']}/read")
    expect(page.get_by_text("results of this job are gone")).to_be_visible()


def test_without_its_file_a_result_is_read_beside_blank_pages(tab: Tab, page: Page, harbour: int) -> None:
    def expired(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"file_expired_at": "2026-01-01T00:00:00Z"})

    page.route(re.compile(r"/v1/documents/\d+/$"), expired)
    tab.go(f"/jobs/{harbour}/read")
    expect(page.get_by_text("The file was removed when its time was over")).to_be_visible()
    page.locator(".result p.item").first.hover()
    expect(page.locator(".box.lit")).to_have_count(1)


def test_filters_and_pages_of_a_list_stand_in_the_address(tab: Tab, page: Page, client: Client, harbour: int) -> None:
    made = [client.submit(fresh(born_digital()), f"{n}.pdf", profile="fast_text")["job_id"] for n in range(3)]
    job_id = max(made)
    client.finished(job_id)
    page.get_by_role("link", name="Jobs").click()
    # The view before stays until this one is there, and has profiles to choose from as well.
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    page.locator("fieldset", has_text="Profile").get_by_text("fast_text").click()
    page.locator("fieldset", has_text="Status").get_by_text("Succeeded").click()
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile(r"#/jobs\?status=SUCCEEDED&profile=fast_text$"))
    expect(page.locator("tbody th").first).to_have_text(str(job_id))
    expect(page.locator("tbody")).not_to_contain_text("structured")
    tab.go("/jobs?profile=fast_text&status=SUCCEEDED&page_size=1")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("tbody th").first).not_to_have_text(str(job_id))
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_label("Document").focus()
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.reload()
    expect(page.locator("tbody th").first).not_to_have_text(str(job_id))
    expect(page.get_by_label("fast_text")).to_be_checked()
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("tbody th").first).to_have_text(str(job_id))
    page.go_back()
    expect(page.locator("tbody th").first).not_to_have_text(str(job_id))


def test_a_filter_that_cannot_be_read_is_told_beside_the_form(tab: Tab, page: Page) -> None:
    tab.go("/jobs?document_id=nonsense")
    expect(page.get_by_role("alert")).to_contain_text("is neither a number nor a uuid")
    expect(page.get_by_role("alert")).to_contain_text("Request ")
    expect(page.get_by_label("Document", exact=True)).to_have_value("nonsense")


def test_a_webhook_is_added_pinged_changed_and_deleted(tab: Tab, page: Page, client: Client) -> None:
    with receiving() as receiver:
        page.get_by_role("link", name="Webhooks").click()
        page.get_by_role("link", name="Add an endpoint").click()
        page.get_by_label("Name").fill("Archive")
        page.get_by_label("Address").fill("http://10.0.0.1/hooks")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("alert")).to_contain_text("INVALID_WEBHOOK_URL")
        page.get_by_label("Address").fill(receiver.url)
        page.get_by_label("Secret").fill("0123456789abcdef")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("heading", name="Archive", level=1)).to_be_visible()
        page.get_by_role("button", name="Ping").click()
        expect(page.locator("tbody tr")).to_contain_text("ping")
        deliveries = f"/v1{page.url.partition('#')[2]}/deliveries/"
        wait_until(lambda: client.get(deliveries).json()["results"][0]["status"] == "DELIVERED")
        page.get_by_role("button", name="Refresh").click()
        expect(page.locator("tbody tr")).to_contain_text("Delivered")
        page.get_by_role("button", name="Send again").click()
        wait_until(lambda: [event["event"] for event in receiver.events] == ["ping", "ping"])
        page.get_by_role("button", name="Disable").click()
        expect(page.locator(".title .badge").first).to_have_text("Disabled")
        page.get_by_role("button", name="Change").click()
        page.get_by_label("Name").fill("Store")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Store", level=1)).to_be_visible()
        expect(page.locator(".facts")).to_contain_text("Signedyes")
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="Delete the endpoint").click()
        expect(page.get_by_text("No endpoint yet")).to_be_visible()


def test_profiles_and_workers_are_shown_as_they_stand(page: Page, refinery: Refinery) -> None:
    assert refinery.command("profile", "disable", "ocr_only", "--tenant", "default").returncode == 0
    page.get_by_role("link", name="Profiles").click()
    card = page.locator("section.card", has=page.get_by_role("heading", name="ocr_only"))
    expect(card).to_contain_text("Disabled")
    expect(card.locator(".copyable code")).to_have_text("docrefinery profile enable ocr_only --tenant default")
    page.get_by_role("link", name="Upload").click()
    expect(page.get_by_label("ocr_only")).to_be_disabled()
    page.get_by_role("link", name="Workers").click()
    expect(page.locator("tbody tr").first).to_contain_text("fast, ocr")


def test_what_a_key_may_not_do_is_off_and_says_why(tab: Tab, refinery: Refinery, harbour: int) -> None:
    said = refinery.command("key", "create", "--tenant", "default", "--scope", "jobs:read", "--json")
    page = tab.sign_in(json.loads(said.stdout)["key"])
    expect(page.locator(".notice")).to_contain_text("This key lacks the scope documents:write")
    expect(page.locator(".copyable code")).to_contain_text("key create --tenant default --scope documents:write")
    tab.go("/documents")
    expect(page.locator(".notice")).to_contain_text("documents:read")
    tab.go(f"/jobs/{harbour}")
    expect(page.locator(".results")).to_contain_text("artifacts:read")


def test_the_key_is_gone_after_signing_out_and_a_wrong_one_is_refused(tab: Tab, key: str) -> None:
    page = tab.go("/jobs")
    page.get_by_label("API key").fill("dr_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not an API key")
    tab.sign_in(key)
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    page.reload()
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_it_works_below_a_prefix_of_a_proxy(tab: Tab, key: str, harbour: int) -> None:
    behind_prefix(tab.page, tab.url, "/refinery")
    tab.page.goto(f"{tab.url}/refinery/console/#/jobs/{harbour}")
    tab.page.get_by_label("API key").fill(key)
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", name=f"Job {harbour}")).to_be_visible()
    expect(tab.page.locator(".log")).to_contain_text("Succeeded")


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_a_narrow_screen(
    browser: Browser, refinery: Refinery, key: str, harbour: int, dark: bool
) -> None:
    tab = Tab(browser, refinery.url, width=360, height=740, dark=dark)
    assert not tab.go().get_by_label("API key").is_hidden()
    tab.sign_in(key)
    views = ["/", "/jobs", f"/jobs/{harbour}", f"/jobs/{harbour}/read", "/documents", "/webhooks", "/webhooks/new"]
    for view in [*views, "/profiles", "/workers", "/nowhere"]:
        tab.go(view)
        expect(tab.page).to_have_title(re.compile(".+ · DocumentRefinery"))
        assert not tab.scrolls_sideways(), view
    tab.close()


def test_a_long_document_is_drawn_only_where_it_is_looked_at(tab: Tab, page: Page, client: Client) -> None:
    job_id = client.submit(fresh(born_digital(120)), "long.pdf", profile="fast_text")["job_id"]
    client.finished(job_id)
    read(tab, job_id)
    assert page.locator(".sheet").count() == 120
    page.locator(".result .item").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator('.sheet[data-page="120"] .box.lit')).to_be_in_viewport()
    assert page.locator(".sheet canvas").count() < 10


def test_document_and_pages_follow_the_one_that_is_scrolled(tab: Tab, page: Page, client: Client) -> None:
    job_id = client.submit(fresh(born_digital(30)), "followed.pdf", profile="fast_text")["job_id"]
    client.finished(job_id)
    read(tab, job_id)
    page.locator(".pages").hover()
    top = page.locator('.sheet[data-page="20"]').evaluate("(sheet) => sheet.offsetTop")
    page.mouse.wheel(0, top)
    expect(page.locator('.result section[data-page="20"] .page-mark')).to_be_in_viewport()
    assert page.locator(".pages").evaluate("(pane) => pane.scrollTop") == top
    page.locator(".panel").hover()
    page.mouse.wheel(0, -100_000)
    expect(page.locator('.sheet[data-page="1"]')).to_be_in_viewport()
    expect(page.locator('.result section[data-page="1"] .page-mark')).to_be_in_viewport()


def test_the_skip_link_leads_past_the_navigation(page: Page) -> None:
    page.get_by_role("heading", name="Upload", level=1).wait_for()
    page.reload()
    page.get_by_role("heading", name="Upload", level=1).wait_for()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("main *:focus")).to_be_visible()
