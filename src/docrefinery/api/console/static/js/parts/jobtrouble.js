// Why a job ended badly and what to do; and what one that went well has to say.

import { h } from "../dom.js";

// What a reader of this page can do; the sentence of the job itself says what happened.
const NEXT = {
  MALWARE_DETECTED: "The file is kept apart and is not converted. Retry only after the scanner's signatures have changed.",
  SCANNER_UNAVAILABLE: "The operator has to bring the malware scanner back; then retry.",
  ENCRYPTED_PDF: "Save the PDF without its password, and upload it again.",
  INVALID_PDF: "The file is damaged or is no PDF. Export it once more from where it came from, and upload that.",
  PAGE_LIMIT_EXCEEDED: "Convert a part of it with page_range, or raise max_num_pages if the operator allows it.",
  FILE_TOO_LARGE: "Make the file smaller, or raise max_file_size if the operator allows it.",
  CONVERSION_FAILED: "Try another profile; fast_text asks the least of a file.",
  CONVERSION_TIMEOUT: "Convert a part of it with page_range, choose a faster profile, or ask the operator for more time.",
  OUT_OF_MEMORY: "Convert a part of it with page_range, or with a smaller images_scale.",
  WORKER_CRASHED: "Retry; if it happens again, the file is at fault, and another profile may do.",
  EXPORT_FAILED: "Retry; if it happens again, leave out the export that failed.",
  MODELS_UNAVAILABLE: "Choose a profile that needs no models, or ask the operator to install them.",
  OCR_LANGUAGE_UNAVAILABLE: "Retry, or ask the operator to install the language on every worker.",
  STORAGE_ERROR: "Retry; if it happens again, the operator has to look at the storage.",
  INTERNAL_ERROR: "Retry; if it happens again, give the operator the job's number.",
};

export function jobTrouble(job) {
  return [job.error_code && failure(job), job.warnings.length > 0 && warnings(job.warnings)];
}

function failure(job) {
  return h(
    "div",
    { class: "notice bad" },
    h("strong", {}, h("code", {}, job.error_code)),
    h("p", {}, job.error_message),
    NEXT[job.error_code] && h("p", {}, h("b", {}, "What to do: "), NEXT[job.error_code]),
    job.error_details_json && h("details", {}, h("summary", {}, "Details"), h("pre", {}, JSON.stringify(job.error_details_json, null, 2))),
  );
}

function warnings(list) {
  return h(
    "details",
    { class: "notice" },
    h("summary", {}, list.length === 1 ? "1 thing to know" : `${list.length} things to know`),
    h("ul", {}, list.map((warning) => h("li", {}, h("code", {}, warning.code), ` ${warning.message}`))),
  );
}
