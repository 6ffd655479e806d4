// pdf.js draws pages in the browser, in a worker; the service never renders one.

import { address, authorization } from "../api.js";

const VENDOR = new URL("../../vendor/pdfjs/", import.meta.url);
const CHUNK_BYTES = 1024 * 1024;
const SHARPEST = 2;
let library = null;

async function loaded() {
  library ??= await import(new URL("pdf.min.mjs", VENDOR).href);
  library.GlobalWorkerOptions.workerSrc = new URL("pdf.worker.min.mjs", VENDOR).href;
  return library;
}

/** Open a document's file. Of a large one only the parts that are looked at are fetched. */
export async function openPdf(documentId, signal) {
  const { getDocument } = await loaded();
  // Nobody would end the worker of a view that was left meanwhile.
  signal.throwIfAborted();
  const task = getDocument({
    url: address(`v1/documents/${documentId}/file/`).href,
    httpHeaders: authorization(),
    rangeChunkSize: CHUNK_BYTES,
    disableAutoFetch: true,
    disableStream: true,
    cMapUrl: new URL("cmaps/", VENDOR).href,
    standardFontDataUrl: new URL("standard_fonts/", VENDOR).href,
    wasmUrl: new URL("wasm/", VENDOR).href,
    iccUrl: new URL("iccs/", VENDOR).href,
    useWorkerFetch: true,
    enableXfa: false,
    // 0 is silence but for errors: what a page lacks is no news for the console of the browser.
    verbosity: 0,
  });
  signal.addEventListener("abort", () => task.destroy(), { once: true });
  return task.promise;
}

/** Draw a page as wide as its place, or the part of it that `place` says. Returns what can be canceled. */
export async function draw(pdf, number, canvas, width, place = { left: 0, top: 0, width: 1, height: 1 }) {
  const page = await pdf.getPage(number);
  if (!canvas.isConnected) throw new DOMException("The page went out of sight.", "AbortError");
  const whole = page.getViewport({ scale: 1 });
  const sharp = Math.min(window.devicePixelRatio || 1, SHARPEST);
  const scale = (width * sharp) / (whole.width * place.width);
  const viewport = page.getViewport({
    scale,
    offsetX: -place.left * whole.width * scale,
    offsetY: -place.top * whole.height * scale,
  });
  canvas.width = Math.max(1, Math.round(whole.width * place.width * scale));
  canvas.height = Math.max(1, Math.round(whole.height * place.height * scale));
  const task = page.render({ canvas, viewport });
  // Else its decoded pictures are kept for as long as the file is open.
  const letGo = () => page.cleanup();
  task.promise.then(letGo, letGo);
  return task;
}
