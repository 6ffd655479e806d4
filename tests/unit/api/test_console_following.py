"""What the console does when an answer is bad, late or no longer wanted, module by module."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route

from docrefinery.errors import JobError
from tests.support.browser import URL, console_alone, module

WATCHED = """async ({ module }) => {
  const { watchAll } = await import(module);
  const [told, left] = [{}, new AbortController()];
  const tell = (job) => {
    told[job.id] = job.status;
    if (Object.keys(told).length === 2) left.abort();
  };
  await watchAll(new Set([1, 2]), tell, left.signal);
  return told;
}"""
# The first answer breaks off within its body.
FOLLOWED = """async ({ module }) => {
  const { following } = await import(module);
  const broken = new Response(new ReadableStream({ start: (to) => to.error(new TypeError("network error")) }));
  const answers = [broken, Response.json({ id: 7, status: "SUCCEEDED" })];
  const real = window.fetch;
  window.fetch = async () => answers.shift();
  const seen = [];
  for await (const job of following(7, new AbortController().signal)) seen.push(job.status);
  window.fetch = real;
  return seen;
}"""
GIVEN_UP = """async ({ module }) => {
  const { json } = await import(module);
  const left = new DOMException("The view was left.", "AbortError");
  return json({ json: () => Promise.reject(left) }).catch((error) => error.name);
}"""
PAUSED = """async ({ module }) => {
  const { pause } = await import(module);
  const { signal } = new AbortController();
  let listeners = 0;
  for (const [name, step] of [["addEventListener", 1], ["removeEventListener", -1]]) {
    const real = signal[name].bind(signal);
    signal[name] = (...given) => ((listeners += step), real(...given));
  }
  await pause(1, signal);
  const late = new Promise((resolve) => setTimeout(resolve, 3000, "waited"));
  const ended = await Promise.race([pause(60_000, AbortSignal.abort()), late]);
  return [listeners, ended ?? "ended"];
}"""
OPENED = """async ({ module }) => {
  const { openPdf } = await import(module);
  return openPdf("1", AbortSignal.abort()).catch((error) => error.name);
}"""
DRAWN = """async ({ module }) => {
  const { draw } = await import(module);
  const canvas = document.body.appendChild(document.createElement("canvas"));
  let kept = 0;
  const page = (promise) => ({
    getViewport: () => ({ width: 10, height: 10 }),
    render: () => ((kept += 1), { promise }),
    cleanup: () => (kept -= 1),
  });
  for (const promise of [Promise.resolve(), Promise.reject(new Error("canceled"))]) {
    const task = await draw({ getPage: async () => page(promise) }, 1, canvas, 10);
    await task.promise.catch(() => {});
  }
  await new Promise((resolve) => setTimeout(resolve));
  canvas.remove();
  return kept;
}"""
TABBED = """async ({ module }) => {
  const { tabbed } = await import(module);
  const asked = [];
  const second = () => new Promise((resolve, reject) => asked.push({ resolve, reject }));
  const { bar, panel } = tabbed("Results", [["One", () => document.createTextNode("one")], ["Two", second]]);
  const settled = () => new Promise((resolve) => setTimeout(resolve));
  const [one, two] = bar.querySelectorAll("button");
  const seen = [];
  two.click();
  two.click();
  seen.push(asked.length);
  asked[0].reject(new Error("It broke off."));
  await settled();
  seen.push(panel.textContent);
  panel.querySelector("button").click();
  asked[1].resolve(document.createTextNode("two"));
  await settled();
  seen.push(panel.textContent);
  one.click();
  await settled();
  two.click();
  await settled();
  return [...seen, panel.textContent, asked.length, panel.tabIndex];
}"""
ADVISED = """async ({ module, codes }) => {
  const { jobTrouble } = await import(module);
  const advice = (code) => jobTrouble({ error_code: code, error_message: "", warnings: [] })[0].textContent;
  return codes.filter((code) => !advice(code).includes("What to do: "));
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with console_alone() as page:
        yield page


def test_jobs_are_followed_past_a_bad_answer_and_a_job_that_was_removed(page: Page) -> None:
    failing = [500]

    def listed(route: Route) -> None:
        route.fulfill(status=failing.pop() if failing else 200, json={"results": [], "next": None})

    page.route(f"{URL}/v1/jobs/?*", listed)
    page.route(f"{URL}/v1/jobs/1/", lambda route: route.fulfill(status=410, json={"error_code": "JOB_EXPIRED"}))
    page.route(f"{URL}/v1/jobs/2/", lambda route: route.fulfill(json={"id": 2, "status": "SUCCEEDED"}))
    assert page.evaluate(WATCHED, {"module": module("watch.js")}) == {"1": "REMOVED", "2": "SUCCEEDED"}
    assert not failing


def test_a_job_is_followed_past_an_answer_that_breaks_off(page: Page) -> None:
    assert page.evaluate(FOLLOWED, {"module": module("watch.js")}) == ["SUCCEEDED"]


def test_an_answer_that_was_given_up_is_no_failure_of_the_network(page: Page) -> None:
    assert page.evaluate(GIVEN_UP, {"module": module("api.js")}) == "AbortError"


def test_a_pause_leaves_nothing_behind_and_ends_with_its_view(page: Page) -> None:
    assert page.evaluate(PAUSED, {"module": module("time.js")}) == [0, "ended"]


def test_a_file_is_not_opened_for_a_view_that_was_left(page: Page) -> None:
    assert page.evaluate(OPENED, {"module": module("reader/pdf.js")}) == "AbortError"


def test_what_was_decoded_for_a_page_is_let_go_once_it_is_drawn_or_canceled(page: Page) -> None:
    assert page.evaluate(DRAWN, {"module": module("reader/pdf.js")}) == 0


def test_a_tab_is_fetched_once_and_again_after_a_failure(page: Page) -> None:
    once, failed, tried_again, again, asked, stop = page.evaluate(TABBED, {"module": module("parts/tabs.js")})
    assert (once, tried_again, again, asked) == (1, "two", "two", 2)
    assert "It broke off." in failed
    # Its text may be long, and is scrolled with the keyboard.
    assert stop == 0


def test_every_end_of_a_job_says_what_to_do(page: Page) -> None:
    codes = [kind.error_code for kind in JobError.__subclasses__()]
    assert page.evaluate(ADVISED, {"module": module("parts/jobtrouble.js"), "codes": codes}) == []
