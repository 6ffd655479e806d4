// Sending a file, with its progress: fetch cannot tell how much of a body has gone out.

import { address, authorization, refused } from "./api.js";
import { key } from "./key.js";
import { Problem } from "./problem.js";

/** Upload a file and have it processed; returns the document. `onProgress` is told a share from 0 to 1. */
export async function uploadFile(file, fields, onProgress, signal) {
  // What still waits when its session ends must not go out under the key of the next.
  signal.throwIfAborted();
  const form = new FormData();
  for (const [name, value] of Object.entries({ ingest: "true", ...fields })) if (value) form.append(name, value);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const asked = key();
    const request = new XMLHttpRequest();
    request.open("POST", address("v1/documents/"));
    for (const [name, value] of Object.entries(authorization())) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onerror = () => reject(new Problem(0));
    request.onabort = () => reject(new DOMException("The upload was given up.", "AbortError"));
    request.onload = () => answered(request, asked, resolve, reject);
    const giveUp = () => request.abort();
    request.onloadend = () => signal.removeEventListener("abort", giveUp);
    signal.addEventListener("abort", giveUp);
    request.send(form);
  });
}

function answered(request, asked, resolve, reject) {
  let body = {};
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // Something between here and the service may answer in HTML; the status then says what there is to say.
  }
  if (request.status === 201) return resolve(body);
  const problem = new Problem(request.status, body, request.getResponseHeader("x-request-id") ?? "");
  refused(problem, asked);
  reject(problem);
}

/** Run `work` for each item, a few at a time, in order. */
export async function fewAtATime(items, most, work) {
  const left = [...items];
  const worker = async () => {
    while (left.length) await work(left.shift());
  };
  await Promise.all(Array.from({ length: Math.min(most, left.length) }, worker));
}
