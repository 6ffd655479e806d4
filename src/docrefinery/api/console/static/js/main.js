// The start: a session, the frame around every view, and the view that the address names.

import { whenRefused } from "./api.js";
import { fill, h } from "./dom.js";
import { troubled } from "./parts/notices.js";
import { go, here, match } from "./router.js";
import { say } from "./say.js";
import { resume, signedIn, signOut } from "./session.js";
import { drawShell } from "./shell.js";
import { documentView } from "./views/document.js";
import { documents } from "./views/documents.js";
import { job } from "./views/job.js";
import { jobs } from "./views/jobs.js";
import { profiles } from "./views/profiles.js";
import { read } from "./views/read.js";
import { signInView } from "./views/signin.js";
import { upload } from "./views/upload.js";
import { webhook } from "./views/webhook.js";
import { webhookForm } from "./views/webhookform.js";
import { webhooks } from "./views/webhooklist.js";
import { workers } from "./views/workers.js";

const ROUTES = [
  ["/", upload],
  ["/jobs", jobs],
  ["/jobs/{id}", job],
  ["/jobs/{id}/read", read],
  ["/documents", documents],
  ["/documents/{id}", documentView],
  ["/webhooks", webhooks],
  ["/webhooks/new", webhookForm],
  ["/webhooks/{id}", webhook],
  ["/webhooks/{id}/edit", webhookForm],
  ["/profiles", profiles],
  ["/workers", workers],
];
const SLOW_MS = 400;
const main = document.getElementById("main");
let leaving = new AbortController();
let shownAt = null;
// Why the session ended, for whoever sees the page.
let farewell = "";

/** Show the view of the address. The one before stays until the next is there, so nothing jumps. */
async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const { path, query } = here();
  drawShell(path, leave);
  const found = signedIn() ? match(ROUTES, path) : { view: signInView, params: { farewell } };
  // What a view began may end when another is shown, which it must not touch.
  const ifShown = (act) => (...given) => (signal.aborted ? undefined : act(...given));
  const slow = setTimeout(() => main.setAttribute("aria-busy", "true"), SLOW_MS);
  let view;
  try {
    view = found ? await found.view({ ...found.params, query, signal, refresh: ifShown(show), go: ifShown(go) }) : nowhere(path);
  } catch (error) {
    view = error.name === "AbortError" ? null : failed(error);
  } finally {
    clearTimeout(slow);
  }
  if (signal.aborted || view === null) return;
  main.removeAttribute("aria-busy");
  fill(main, view);
  arrive(view);
}

function arrive(view) {
  const heading = view.querySelector("h1");
  document.title = `${heading?.textContent ?? "Console"} · DocumentRefinery`;
  const moved = shownAt !== null && shownAt !== location.hash;
  if (moved) window.scrollTo(0, 0);
  // What had the keyboard may be gone with the view before.
  if (moved || (shownAt !== null && document.activeElement === document.body)) {
    heading?.setAttribute("tabindex", "-1");
    (view.querySelector("[autofocus]") ?? heading)?.focus({ preventScroll: true });
  }
  shownAt = location.hash;
}

function failed(error, again = show) {
  return h("div", { class: "view" }, h("h1", {}, "This cannot be shown"), troubled(error, again));
}

function nowhere(path) {
  return h(
    "div",
    { class: "view" },
    h("h1", {}, "There is nothing here"),
    h("p", {}, `No view has the address ${path}. `, h("a", { href: "#/" }, "Go to the start.")),
  );
}

function leave(reason = "You are signed out.") {
  signOut();
  farewell = reason;
  say(reason);
  show();
}

function start() {
  resume().then(show, (problem) => fill(main, failed(problem, start)));
}

whenRefused((problem) => signedIn() && leave(`${problem.message} Sign in again.`));
window.addEventListener("hashchange", show);
window.addEventListener("signed-in", show);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});

start();
