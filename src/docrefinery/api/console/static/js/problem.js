// What went wrong with a request, in the words of the service where it had any.

const AWAY = "The service cannot be reached. Check the network, then try again.";

export class Problem extends Error {
  /** `body` is a problem+json (RFC 9457); without one the status says what there is to say. */
  constructor(status, body = {}, requestId = "") {
    super(body.detail || (status ? `The service answered ${status}.` : AWAY));
    this.status = status;
    this.title = body.title || (status ? "The request failed" : "No answer");
    this.code = body.error_code || "";
    this.requestId = body.request_id || requestId;
    this.errors = Array.isArray(body.errors) ? body.errors : [];
    this.body = body;
    this.retryAfter = 0;
  }

  /** Whether the same request may well succeed later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  static async of(response) {
    const requestId = response.headers.get("x-request-id") ?? "";
    const body = await response.json().catch(() => ({}));
    const problem = new Problem(response.status, body ?? {}, requestId);
    problem.retryAfter = Number(response.headers.get("retry-after")) || 0;
    return problem;
  }
}
