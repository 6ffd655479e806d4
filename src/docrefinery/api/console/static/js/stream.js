// Server-sent events over fetch: EventSource cannot send a key.

import { address, authorization, refused } from "./api.js";
import { key } from "./key.js";
import { Problem } from "./problem.js";
import { pause } from "./time.js";

const PAUSE_MS = 1000;

/**
 * Yield `{ id, data }` of a job's events, from its first to its last, over as many connections as it takes: each new
 * one goes on after the last event that came. Ends with the stream; throws a Problem that will not pass by itself.
 */
export async function* events(path, signal) {
  let last = "0";
  for (;;) {
    let problem = null;
    try {
      const response = await open(path, last, signal);
      if (response.status === 204) return;
      for await (const event of parse(response.body)) {
        if (event.id) last = event.id;
        if (event.data) yield { id: event.id, data: JSON.parse(event.data) };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && !error.passing) throw error;
      problem = error;
    }
    await pause((problem?.retryAfter || 0) * 1000 || PAUSE_MS, signal);
    if (signal.aborted) return;
  }
}

async function open(path, last, signal) {
  const asked = key();
  const headers = { ...authorization(), Accept: "text/event-stream", "Last-Event-ID": last };
  const response = await fetch(address(path), { headers, signal, credentials: "omit", cache: "no-store" });
  if (response.ok) return response;
  const problem = await Problem.of(response);
  refused(problem, asked);
  throw problem;
}

/** Yield the events of a stream of bytes: fields by line, an event at each empty line (HTML, "Server-sent events"). */
export async function* parse(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let event = {};
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line) event = withField(event, line);
        else {
          if (Object.keys(event).length) yield event;
          event = {};
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

function withField(event, line) {
  const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
  if (!name) return event;
  return { ...event, [name]: name in event && name === "data" ? `${event.data}\n${value}` : value };
}
