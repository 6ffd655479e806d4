// Choosing a profile: what each is for, which engine it runs on here, and what it lacks.

import { h } from "../dom.js";
import { count } from "../format.js";

const DEFAULT = {
  name: "",
  summary: "As the tenant or the key has it set; without that, structure and tables, as Markdown, text and DocTags.",
  enabled: true,
  available: true,
  missing: [],
};

/** A group of radio buttons named `profile`; the first, which is chosen, names none. */
export function profileChoice(profiles) {
  return h(
    "fieldset",
    { class: "choices" },
    h("legend", {}, "Profile"),
    [DEFAULT, ...profiles].map(choice),
  );
}

function choice(profile) {
  const note = `profile-note-${profile.name || "none"}`;
  return h(
    "label",
    { class: profile.enabled ? "choice" : "choice off" },
    h("input", {
      type: "radio",
      name: "profile",
      value: profile.name,
      checked: profile === DEFAULT,
      disabled: !profile.enabled,
      "aria-describedby": note,
    }),
    h(
      "span",
      {},
      h("strong", {}, profile.name || "Default"),
      profile.engine && h("span", { class: "tag" }, profile.engine),
      h("small", { id: note }, profile.summary, standing(profile)),
    ),
  );
}

function standing(profile) {
  if (!profile.enabled) return h("em", {}, " Switched off for this tenant.");
  if (profile.available) return null;
  return h("em", {}, ` Works in part: ${count(profile.missing.length, "thing")} it would use ${profile.missing.length === 1 ? "is" : "are"} not installed, see Profiles.`);
}
