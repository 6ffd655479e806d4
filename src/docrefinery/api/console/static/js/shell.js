// The frame around every view: the name, the way to the views, and whose key is in use.

import { fill, h } from "./dom.js";
import { may, signedIn } from "./session.js";

const PLACES = [
  ["/", "Upload", "documents:write"],
  ["/jobs", "Jobs", "jobs:read"],
  ["/documents", "Documents", "documents:read"],
  ["/webhooks", "Webhooks", "webhooks:read"],
  ["/profiles", "Profiles", null],
  ["/workers", "Workers", "dashboard:read"],
];

export function drawShell(path, leave) {
  const who = signedIn();
  fill(
    document.getElementById("shell"),
    h("a", { class: "brand", href: "#/" }, h("span", { class: "mark", "aria-hidden": "true" }), "DocumentRefinery"),
    who && h("nav", { "aria-label": "Views" }, h("ul", {}, PLACES.map((place) => entry(place, path)))),
    who &&
      h(
        "div",
        { class: "who" },
        h("span", { class: "tenant", title: `Key ${who.name} of the tenant ${who.tenant}` }, who.tenant),
        h("button", { type: "button", class: "quiet", onclick: () => leave() }, "Sign out"),
      ),
  );
  // On a narrow screen the places scroll sideways.
  document.querySelector("#shell nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

function entry([place, name, scope], path) {
  const current = place === "/" ? path === "/" : path.startsWith(place);
  const lacking = scope && !may(scope);
  const attributes = {
    href: `#${place}`,
    "aria-current": current && "page",
    class: lacking && "lacking",
    title: lacking && `This key lacks the scope ${scope}`,
  };
  return h("li", {}, h("a", attributes, name, lacking && h("span", { class: "unseen" }, ` (needs the scope ${scope})`)));
}
