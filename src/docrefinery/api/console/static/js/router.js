// Addresses are behind the #: `#/jobs?status=FAILED`. The page itself is always the same one.

export function here() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/", query: new URLSearchParams(query) };
}

export function to(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return `#${path}${text ? `?${text}` : ""}`;
}

export function go(path, query) {
  location.hash = to(path, query);
}

/** Find the view of a path; `{id}` in a pattern takes one segment. Returns it with what the segments are. */
export function match(routes, path) {
  for (const [pattern, view] of routes) {
    const names = [...pattern.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
    const found = new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, "([\\w-]+)")}/?$`).exec(path);
    if (found) return { view, params: Object.fromEntries(names.map((name, index) => [name, found[index + 1]])) };
  }
  return null;
}
