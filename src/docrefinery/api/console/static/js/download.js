// Files of the service: a plain link could not send the key, so they are fetched and then handed to the browser.

import { send } from "./api.js";
import { h } from "./dom.js";

/** Save what is at a path under a name. */
export async function save(path, filename) {
  const blob = await (await send("GET", path)).blob();
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: filename });
  document.body.append(link);
  link.click();
  link.remove();
  // The browser needs a moment to take it over.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
