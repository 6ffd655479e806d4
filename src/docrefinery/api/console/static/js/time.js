// Waiting, for as long as a view is shown.

/** Do something again and again while the view is shown and looked at; a time that fails is made good by the next. */
export async function every(ms, act, signal) {
  for (;;) {
    await pause(ms, signal);
    if (signal.aborted) return;
    if (!document.hidden) await act().catch(() => {});
  }
}

/** Wait, or give up at once when the view is left. */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();

    function end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
}
