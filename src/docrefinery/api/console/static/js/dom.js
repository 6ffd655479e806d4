// The one place that makes elements. Text is always text: nothing here, and nothing that uses it, parses HTML.

const PROPERTIES = new Set(["checked", "disabled", "value"]);
const SAFE_LINK = /^(https?:|mailto:|blob:|#|\.\.?\/)/i;

/**
 * Make an element: `h("a", { href: "#/jobs", class: "quiet" }, "Jobs")`.
 * Functions become listeners, `true` an empty attribute; `false`, `null` and `undefined` are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else if (name === "href") link(element, value);
    else if (/^on|^style$|^src/i.test(name)) throw new Error(`${name} is not for here`);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...nodes(children));
  return element;
}

/** Put other children into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

// Whether an address may become a link; anything else, such as `javascript:`, stays text.
function isSafeLink(address) {
  return SAFE_LINK.test(String(address).trim());
}

function link(element, address) {
  if (!isSafeLink(address)) return;
  element.setAttribute("href", address);
  if (/^https?:/i.test(address)) {
    element.setAttribute("rel", "noopener noreferrer");
    element.setAttribute("target", "_blank");
  }
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}
