"""What every answer of the console says to the browser."""

from collections.abc import Mapping
from types import MappingProxyType

# Fonts: those that pdf.js draws with where a PDF brings none and the reader's machine has none like it.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# A worker is held by the policy of its own answer. pdf.js decodes JPEG 2000 and JBIG2 and converts colours in
# WebAssembly, which the page itself may not run.
_WORKER_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
PDF_WORKER = "vendor/pdfjs/pdf.worker.min.mjs"

SECURITY: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": _PAGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
ASKED_EACH_TIME = "no-cache"
KEPT = "public, max-age=31536000, immutable"
"""Of what has the hash of its content in its address."""


def of_page(etag: str) -> dict[str, str]:
    """Return the headers of the page: browsers ask each time whether it is still the same."""
    return {**SECURITY, "ETag": etag, "Cache-Control": ASKED_EACH_TIME}


def of_asset(name: str, etag: str, content_type: str) -> dict[str, str]:
    """Return the headers of another file."""
    headers = {**SECURITY, "ETag": etag, "Cache-Control": KEPT, "Content-Type": content_type}
    if name == PDF_WORKER:
        headers["Content-Security-Policy"] = _WORKER_POLICY
    return headers
