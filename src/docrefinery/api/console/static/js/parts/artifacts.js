// The results of a job, each with its download.

import { all } from "../api.js";
import { save } from "../download.js";
import { h } from "../dom.js";
import { bytes } from "../format.js";
import { say } from "../say.js";
import { may } from "../session.js";
import { action } from "./actions.js";
import { empty } from "./notices.js";
import { table } from "./table.js";

export async function artifactList(query, signal) {
  if (!may("artifacts:read")) return h("p", { class: "fine" }, "To see its results a key needs the scope artifacts:read.");
  return artifactTable(await all("v1/artifacts/", query, signal));
}

export function artifactTable(artifacts) {
  if (!artifacts.length) return empty("There are no results", "The job made none, or they were removed after their time.");
  const report = h("div", { class: "report" });
  return h(
    "div",
    {},
    table(
      "Results",
      [
        ["Result", (artifact) => h("code", {}, artifact.kind)],
        ["File", (artifact) => artifact.filename],
        ["Size", (artifact) => bytes(artifact.size_bytes), "number"],
        ["", (artifact) => action("Download", "artifacts:read", () => download(artifact), report)],
      ],
      [...artifacts].reverse(),
    ),
    report,
  );
}

async function download(artifact) {
  await save(`v1/artifacts/${artifact.id}/`, artifact.filename);
  say(`${artifact.filename} has been downloaded.`);
}
