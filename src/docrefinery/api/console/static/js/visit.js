// The uploads of this visit: they go on, and are still listed, while other views are looked at.

import { h } from "./dom.js";
import { count } from "./format.js";
import { troubled } from "./parts/notices.js";
import { uploadRow } from "./parts/uploadrow.js";
import { say } from "./say.js";
import { may, sessionSignal, signedIn } from "./session.js";
import { fewAtATime } from "./uploading.js";
import { watchAll } from "./watch.js";

const AT_A_TIME = 3;
let current = null;

/** The visit of the session: `rows` is its list, `take(files, fields)` uploads more. */
export function visit() {
  if (!current || current.signal.aborted) current = begin(sessionSignal());
  return current;
}

function begin(signal) {
  const rows = h("ul", { class: "uploads", "aria-label": "Files of this visit" });
  const [jobs, ids] = [new Map(), new Set()];
  let sending = 0;
  const warn = (event) => sending > 0 && event.preventDefault();
  window.addEventListener("beforeunload", warn, { signal });
  if (may("jobs:read")) follow();

  function follow() {
    watchAll(ids, (job) => jobs.get(job.id)(job), signal).catch((error) => {
      const notice = h("li", {}, troubled(error, () => (notice.remove(), follow())));
      rows.prepend(notice);
    });
  }

  function watch(jobId, tell) {
    jobs.set(jobId, tell);
    ids.add(jobId);
  }

  async function take(files, fields) {
    const entries = [...files].map((file) => uploadRow(file, { fields, signal, limit: signedIn().upload_limit_bytes, watch }));
    rows.prepend(...entries.map((entry) => entry.element));
    say(`${count(entries.length, "file")} taken.`);
    sending += 1;
    try {
      await fewAtATime(entries, AT_A_TIME, (entry) => entry.start());
    } finally {
      sending -= 1;
    }
  }

  return { rows, take, signal };
}
