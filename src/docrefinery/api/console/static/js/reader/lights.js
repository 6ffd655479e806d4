// One thing in two places: pointing at a box lights its text, and the other way round; choosing one brings the other into sight.

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/**
 * Couple `[data-ref]` elements below `root`. `reveal(ref)` brings the place on the page into sight; `lit.ref` is what is
 * lit, for boxes that come into being later.
 */
export function couple(root, text, lit, reveal) {
  let rests = "";

  function light(ref) {
    if (ref === lit.ref) return;
    lit.ref = ref;
    root.querySelectorAll(".lit").forEach((element) => element.classList.remove("lit"));
    if (ref) same(root, ref).forEach((element) => element.classList.add("lit"));
  }

  root.addEventListener("pointerover", (event) => {
    // What scrolls past a pointer that rests was not pointed at.
    const now = `${event.screenX} ${event.screenY}`;
    if (now !== rests) light(refOf(event.target));
    rests = now;
  });
  root.addEventListener("pointerleave", () => light(refOf(document.activeElement)));
  root.addEventListener("focusin", (event) => light(refOf(event.target)));
  root.addEventListener("click", (event) => choose(event.target));
  text.addEventListener("keydown", (event) => onKey(event));

  function choose(target) {
    const ref = refOf(target);
    if (!ref || target.closest("a[href], button")) return;
    if (target.closest(".box")) toText(ref);
    else reveal(ref);
    light(null);
    light(ref);
  }

  function toText(ref) {
    const [item] = same(text, ref);
    item?.scrollIntoView({ block: "center" });
    if (item) focusOn(item);
  }

  function onKey(event) {
    const item = event.target.closest?.(".item");
    if (event.key === "Enter" && item && !event.target.closest("a")) reveal(item.dataset.ref);
    if (!(event.key in STEPS) || event.altKey || event.ctrlKey || event.metaKey) return;
    const items = [...text.querySelectorAll(".item")];
    const next = items[items.indexOf(item) + STEPS[event.key]];
    if (!next) return;
    event.preventDefault();
    focusOn(next);
    reveal(next.dataset.ref);
    next.scrollIntoView({ block: "nearest" });
  }

  // One stop for the tab key, whichever item was last in use.
  function focusOn(item) {
    text.querySelectorAll('.item[tabindex="0"]').forEach((other) => (other.tabIndex = -1));
    item.tabIndex = 0;
    item.focus({ preventScroll: true });
  }

  const first = text.querySelector(".item");
  if (first) first.tabIndex = 0;
}

function refOf(element) {
  return element?.closest?.("[data-ref]")?.dataset.ref ?? null;
}

function same(root, ref) {
  return [...root.querySelectorAll(`[data-ref="${CSS.escape(ref)}"]`)];
}
