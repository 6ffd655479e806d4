// The pages and the document go on together: whichever is being scrolled by hand leads, and the other follows from page to page.

// The page that is this far down its pane counts as shown.
const LINE = 0.25;
const FRAMES = 8;

/**
 * `panel` scrolls the document `text`, whose sections carry the number of their page; `pane` is that of the pages.
 * Nothing follows what was not scrolled by hand, so choosing an item moves no more than it did. On a narrow screen, where
 * both lie in one column, neither follows.
 */
export function goTogether(pane, panel, text, signal) {
  let leads = null;
  let shown = null;
  let goal = null;
  for (const side of [pane.element, panel]) {
    for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      // A key that walks through the items has brought the place on the page into sight by itself.
      side.addEventListener(type, (event) => (leads = event.defaultPrevented ? null : side), { passive: true, signal });
    }
    side.addEventListener("scroll", () => scrolled(side), { passive: true, signal });
  }

  function scrolled(side) {
    if (!text.isConnected || getComputedStyle(panel).overflowY === "visible") return;
    const now = side === panel ? pageOfText() : pane.shown(LINE);
    if (now === null || now === shown) return;
    shown = now;
    if (side !== leads) return;
    if (side === panel) pane.reveal(now, null);
    else toText(now);
  }

  function sections() {
    return [...text.querySelectorAll("section[data-page]")];
  }

  function pageOfText() {
    // Many short pages may be in sight: the line goes down with the text, so the first and the last have their turn.
    const line = panel.getBoundingClientRect().top + (panel.clientHeight * panel.scrollTop) / Math.max(1, panel.scrollHeight - panel.clientHeight);
    const all = sections();
    const section = all.findLast((each) => each.getBoundingClientRect().top <= line) ?? all[0];
    return section ? Number(section.dataset.page) : null;
  }

  // A page without text is shown by the text before it.
  function toText(number) {
    const all = sections();
    const section = all.find((each) => Number(each.dataset.page) === number) ?? all.findLast((each) => Number(each.dataset.page) < number);
    goal = section;
    if (section) align(section, FRAMES);
  }

  // Sections have their true height only once they are near, so the goal moves for some frames.
  function align(section, frames) {
    if (goal !== section || leads !== pane.element || !frames) return;
    panel.scrollTop += section.getBoundingClientRect().top - panel.getBoundingClientRect().top;
    requestAnimationFrame(() => align(section, frames - 1));
  }
}
